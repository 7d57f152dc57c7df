// Short words over the map: no connection, tiles that failed, too far zoomed out; and where the pointer is.

import { h } from "./dom.js";
import { coordinates } from "./format.js";

const SHOWN_MS = 6000;

/** Creates the notices in a live region. */
export function createNotices(element) {
  const kept = new Map();
  const draw = () => element.replaceChildren(...kept.values());

  function put(key, text, action = null) {
    const button = action && h("button", { type: "button", class: "small", on: { click: action.work } }, action.label);
    if (text) kept.set(key, h("p", { class: "notice" }, text, " ", button));
    else kept.delete(key);
    draw();
  }

  const offline = () => put("offline", navigator.onLine ? "" : "No connection: what is already here stays; the rest comes when it is back.");
  window.addEventListener("offline", offline);
  window.addEventListener("online", offline);
  offline();

  return {
    say(text, { retry = null } = {}) {
      put("said", text, retry && { label: "Try again", work: retry });
      if (!retry) setTimeout(() => put("said", ""), SHOWN_MS);
    },
    /** Hears the state of a tile layer. */
    tiles: (name) => (now) => put(name, now === "failed" ? `Some tiles of the ${name} could not be drawn.` : ""),
    /** Writes the pointer's coordinates (the centre's where there is no pointer), and says when nothing can be seen. */
    followPointer(map, place) {
      const write = ({ lat, lng }) => (place.textContent = coordinates(lat, lng));
      map.on("mousemove", ({ latlng }) => write(latlng));
      const look = () => {
        const { lat, lon } = map.place();
        write({ lat, lng: lon });
        map.mark("far", map.zoom() < 10);
        put("far", map.zoom() < 8 ? "Zoomed far out: glaciers are points here. Zoom in, or choose one, to see its outlines." : "");
      };
      map.on("moveend", look);
      look();
    },
  };
}
