// The view and the address bar: state out to the hash, hash back into the state, one history entry a choice.

import { settled } from "./dom.js";
import { decode, encode } from "./permalink.js";

const KEYS = ["time", "step", "glacier", "aoi", "scene", "outline", "forecast", "flow", "compare", "layers", "list"];
const ENTRY_KEYS = ["glacier", "aoi", "compare"];

/** State of a page that is opened without a hash. */
export const DEFAULTS = {
  time: new Date().getUTCFullYear() - 1,
  step: 1,
  glacier: null,
  aoi: null,
  scene: null,
  outline: null,
  forecast: null,
  flow: null,
  compare: null,
  list: false,
  online: null,
  layers: { outlines: 1, predicted: 1, "true-colour": 1, hillshade: 1, basemap: 1 },
};

/** What the address asks for: {values, place}; place is null where the address names none. */
export function viewOfAddress() {
  const { place = null, ...values } = decode(window.location.hash);
  return { values, place };
}

/** Keeps the address and the state the same. Returns `sync()` for moves of the map. */
export function keepAddress(state, map) {
  let restoring = false;
  const text = () => `#${encode({ ...state.values, place: map.place() })}`;
  const write = (push) => {
    if (restoring || text() === window.location.hash) return;
    if (push) window.history.pushState(null, "", text());
    else window.history.replaceState(null, "", text());
  };
  const later = settled(() => write(false), 150);
  state.on(KEYS, (_, changed) => {
    if (changed.some((key) => ENTRY_KEYS.includes(key))) write(true);
    else later();
  });
  map.on("moveend", later);
  const restore = () => {
    const { values, place } = viewOfAddress();
    restoring = true;
    state.set({ ...DEFAULTS, time: state.values.time, ...values });
    if (place) map.go(place);
    restoring = false;
  };
  window.addEventListener("popstate", restore);
  window.addEventListener("hashchange", restore);
  return { sync: () => write(false) };
}
