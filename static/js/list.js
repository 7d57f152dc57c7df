// The list twin of the map: the glaciers in view, sorted by area; what a screen reader and a keyboard get.

import { h, settled } from "./dom.js";
import { area, count } from "./format.js";
import { empty, failure, skeleton } from "./panel/section.js";

function bySize(a, b) {
  return (b.newest_area_km2 ?? 0) - (a.newest_area_km2 ?? 0);
}

function has(glacier) {
  return [glacier.n_outlines && count(glacier.n_outlines, "outline"), glacier.has_predicted && "predicted", glacier.has_forecast && "forecast"].filter(Boolean).join(", ");
}

function row(glacier, current, onPick) {
  const button = h("button", { type: "button", class: "row", "aria-current": glacier.glac_id === current ? "true" : null, on: { click: () => onPick(glacier) } },
    h("span", { class: "name" }, glacier.name || glacier.glac_id, glacier.simulated ? " (simulated)" : ""),
    h("span", { class: "area-of" }, area(glacier.newest_area_km2)),
    h("span", { class: "by" }, has(glacier)));
  return h("li", {}, button);
}

function shell(element, onClose) {
  const close = h("button", { type: "button", class: "quiet-button", "aria-label": "Close the list", on: { click: onClose } }, "✕");
  const body = h("div", { class: "list-body" }, skeleton(5));
  element.append(h("div", { class: "panel-bar" }, h("h2", {}, "In view"), close), body);
  return body;
}

/** Follows the map: asks for what is in view, counts it on the button, lists it. `onFound(glaciers)` gets the points. */
export function createList({ element, button, state, api, map, onPick, onFound }) {
  let glaciers = [];
  let pending = null;
  let total = null;
  let seen = "";

  function draw() {
    if (total === null || element.hidden) return;
    if (!glaciers.length) {
      body.replaceChildren(empty("No glacier in view. Zoom out, or search for one."));
      return;
    }
    const left = total > glaciers.length ? h("p", { class: "quiet" }, `The first ${glaciers.length} of ${total}: zoom in to see all.`) : null;
    const list = h("ul", { class: "rows" }, glaciers.map((glacier) => row(glacier, state.values.glacier, pick)));
    body.replaceChildren(...[left, list].filter(Boolean));
  }

  async function look() {
    seen = String(map.bbox());
    pending?.abort();
    pending = new AbortController();
    try {
      const found = await api.inView(map.bbox(), pending.signal);
      glaciers = [...found.results].sort(bySize);
      total = found.count ?? glaciers.length;
      button.querySelector(".count").textContent = String(total);
      draw();
    } catch (error) {
      if (error.name === "AbortError") return;
      seen = "";
      body.replaceChildren(failure(error, look));
    }
    onFound(glaciers);
  }

  const toggle = (open = !state.values.list) => {
    state.set({ list: open });
    if (open) element.querySelector("button.row, .panel-bar button")?.focus();
    else button.focus();
  };
  const show = ({ list }) => {
    element.hidden = !list;
    button.setAttribute("aria-expanded", String(Boolean(list)));
    if (list) draw();
  };
  const body = shell(element, () => toggle(false));
  // On a phone the list lies over everything, so a choice closes it.
  const pick = (glacier) => {
    if (window.matchMedia("(max-width: 700px)").matches) state.set({ list: false });
    onPick(glacier);
  };
  button.addEventListener("click", () => toggle());
  map.on("moveend", settled(() => String(map.bbox()) !== seen && look(), 250));
  state.on(["list"], show);
  state.on(["glacier"], draw);
  show(state.values);
  look();
  return {
    toggle,
    look,
    /** The glacier before or after the current one, in the list's order. */
    neighbour(direction) {
      if (!glaciers.length) return null;
      const index = glaciers.findIndex(({ glac_id: id }) => id === state.values.glacier);
      const start = index < 0 && direction < 0 ? 0 : index;
      return glaciers[(start + direction + glaciers.length) % glaciers.length];
    },
  };
}
