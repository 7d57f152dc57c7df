// The panel of a glacier, or of an area of interest that has a forecast of its own.

import { h } from "./dom.js";
import { orElse } from "./glacier.js";
import { areaContents, glacierContents } from "./panel/contents.js";
import { heading } from "./panel/heading.js";
import { failure, skeleton } from "./panel/section.js";

const HEIGHTS = ["peek", "half", "full"];
const NOTHING = { setMoment() {}, setScene() {}, dispose() {} };

function shell(element, { onClose, onZoom }) {
  const head = h("header", { class: "panel-head" }, skeleton(3));
  const close = h("button", { type: "button", class: "quiet-button", "aria-label": "Close the panel", title: "Close (Escape)", on: { click: onClose } }, "✕");
  const zoom = h("button", { type: "button", class: "small", on: { click: onZoom } }, "Zoom to it");
  const grip = h("button", { type: "button", class: "grip", "aria-label": "Pull the panel up", "aria-expanded": "false" });
  const body = h("div", { class: "panel-body" });
  element.replaceChildren(grip, h("div", { class: "panel-bar" }, zoom, close), head, body);
  return { head, body, grip };
}

/** On a phone the panel is a sheet with three heights; the grip goes through them, a drag chooses one. */
function makeSheet(element, grip, onResize) {
  let start = null;
  let dragged = false;
  const set = (height) => {
    element.dataset.height = height;
    grip.setAttribute("aria-expanded", String(height !== "peek"));
    grip.setAttribute("aria-label", height === "full" ? "Push the panel down" : "Pull the panel up");
    onResize();
  };
  const step = (by) => set(HEIGHTS[Math.min(2, Math.max(0, HEIGHTS.indexOf(element.dataset.height) + by))]);
  grip.addEventListener("pointerdown", (event) => {
    start = event.clientY;
    grip.setPointerCapture(event.pointerId);
  });
  grip.addEventListener("pointerup", (event) => {
    const moved = event.clientY - (start ?? event.clientY);
    dragged = Math.abs(moved) > 24;
    if (dragged) step(moved < 0 ? 1 : -1);
  });
  grip.addEventListener("click", () => {
    if (!dragged) (element.dataset.height === "full" ? set("peek") : step(1));
    dragged = false;
  });
  set(element.dataset.height ?? "peek");
}

async function fillHead(head, data, retry) {
  try {
    const glacier = await data.glacier;
    head.replaceChildren(...heading(glacier, null).filter(Boolean));
    const summary = await orElse(data.summary, null);
    head.replaceChildren(...heading(glacier, summary).filter(Boolean));
  } catch (error) {
    head.replaceChildren(h("h2", { id: "panel-title", tabindex: "-1" }, "This glacier cannot be shown"), failure(error, retry));
  }
}

function areaHead({ name, simulated }) {
  return [h("h2", { id: "panel-title", tabindex: "-1" }, name), h("p", { class: "where" }, "Area of interest", simulated ? ", simulated" : "")];
}

/** Creates the panel. `open(data)` shows a glacier's promises, `openArea(aoi, load)` an area's, `close()` hides it. */
export function createPanel(element, context) {
  const { state, actions } = context;
  let live = NOTHING;

  function begin() {
    live.dispose();
    element.hidden = false;
    const parts = shell(element, { onClose: actions.close, onZoom: actions.zoom });
    makeSheet(element, parts.grip, actions.resized);
    return parts;
  }

  state.on(["time", "step"], (values) => live.setMoment(values));
  return {
    open(data) {
      const { head, body } = begin();
      fillHead(head, data, () => actions.reopen(data.id));
      live = glacierContents(data, context);
      body.replaceChildren(...live.elements);
    },
    openArea(aoi, load) {
      const { head, body } = begin();
      head.replaceChildren(...areaHead(aoi));
      live = areaContents(context, load);
      body.replaceChildren(...live.elements);
    },
    close() {
      live.dispose();
      live = NOTHING;
      element.hidden = true;
      element.replaceChildren();
    },
    setScene: (scene) => live.setScene(scene),
    toggleTwin: () => element.querySelector('[data-twin="area"]')?.click(),
    focus: () => element.querySelector("#panel-title")?.focus({ preventScroll: true }),
  };
}
