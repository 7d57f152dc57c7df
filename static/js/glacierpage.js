// The page of one glacier: the same panel at full width; what would change the map opens it instead.

import { createApi } from "./api.js";
import { momentOfDate, YEAR } from "./dates.js";
import { loadGlacier } from "./glacier.js";
import { createPanel } from "./panel.js";
import { encode } from "./permalink.js";
import { createState } from "./state.js";
import { DEFAULTS } from "./view.js";

const element = document.getElementById("glacier");
const { api: base, glacier } = element.dataset;
const api = createApi(base);
const state = createState({ ...DEFAULTS, glacier });

function toMap(values) {
  window.location.assign(`/#${encode({ ...DEFAULTS, glacier, ...values })}`);
}

function at(date) {
  return { time: momentOfDate(date, YEAR), step: YEAR };
}

const panel = createPanel(element, {
  state,
  api,
  actions: {
    close() {},
    resized() {},
    light() {},
    zoom: () => toMap({}),
    reopen: () => window.location.reload(),
    showOutline: ({ properties: p }) => toMap({ ...at(p.src_date ?? p.date), outline: p.kind === "outline" ? p.id : null }),
    showScene: (scene) => toMap({ ...at(scene.acquired), scene: String(scene.id) }),
    showPoint: ({ date, scene, outline }) => toMap({ ...at(date), scene: scene ? String(scene.id) : null, outline: scene ? null : outline }),
  },
});
// On this page a forecast is shown by opening the map with it.
state.on(["forecast"], ({ forecast, time, step, layers }) => forecast && toMap({ forecast, time, step, layers }));
panel.open(loadGlacier(api, glacier));
