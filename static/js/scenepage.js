// The page of one scene: its picture in any style that can be drawn, the profiles' verdicts, what was measured.

import { createApi } from "./api.js";
import { h } from "./dom.js";
import { createMap } from "./leaflet.js";
import { ruleWords } from "./scenes.js";

const NAMES = { "true-colour": "true colour", ndsi: "NDSI", hillshade: "hillshade", label: "label", backscatter: "backscatter (dB)", "cross-backscatter": "cross-polarised backscatter (dB)", coherence: "coherence" };
const find = (id) => document.getElementById(id);
const element = find("scene");

function verdict([profile, rules]) {
  const name = h("strong", {}, profile.replaceAll("_", " "));
  if (!rules.length) return h("li", {}, "Passed ", name, ".");
  return h("li", {}, "Refused by ", name, ": ", rules.map((rule) => ruleWords(typeof rule === "string" ? { rule } : rule)).join("; "), ".");
}

function fact([name, value]) {
  const text = typeof value === "number" ? String(Number(value.toPrecision(4))) : [value].flat().join(", ") || "none";
  return [h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, text)];
}

function showFacts({ refusals, facts }) {
  const plain = Object.entries(facts ?? {}).filter(([, value]) => value !== null && (typeof value !== "object" || Array.isArray(value)));
  if (Object.keys(refusals ?? {}).length) find("profiles").replaceChildren(h("ul", { class: "notes" }, Object.entries(refusals).map(verdict)));
  if (plain.length) find("facts").replaceChildren(h("h2", {}, "Measured over the window"), h("dl", { class: "facts" }, plain.map(fact)));
}

function showPicture(scene) {
  const canvas = find("scene-map");
  const select = find("style");
  if (!canvas || !Object.keys(scene.tiles).length) return;
  const [west, south, east, north] = scene.bbox;
  const map = createMap(canvas, { zoom: 9, lat: (south + north) / 2, lon: (west + east) / 2 });
  map.fit(scene.bbox, 14);
  let layer = null;
  const draw = () => {
    layer?.remove();
    layer = map.tiles({ pane: "scene", url: scene.tiles[select.value], bbox: scene.bbox, className: "pixels" });
  };
  select.replaceChildren(...Object.keys(scene.tiles).map((style) => h("option", { value: style }, NAMES[style] ?? style)));
  select.addEventListener("change", draw);
  draw();
}

async function show() {
  const scene = await createApi(element.dataset.api).scene(element.dataset.scene);
  showFacts(scene);
  showPicture(scene);
}

show().catch((error) => element.prepend(h("p", { class: "failure", role: "alert" }, error.message)));
