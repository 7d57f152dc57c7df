// Compare two dates or two sources: panes clipped at a handle that is a slider for pointer and keyboard.

import { h } from "./dom.js";

const LEFT = ["scene-left", "chosen-left"];
const RIGHT = ["scene", "mask", "chosen", "predicted"];

/** Share of the width after a key; null for a key that does nothing. */
export function moved(share, key) {
  const steps = { ArrowLeft: -0.02, ArrowRight: 0.02, PageDown: -0.1, PageUp: 0.1 };
  if (key === "Home") return 0;
  if (key === "End") return 1;
  return key in steps ? Math.min(1, Math.max(0, share + steps[key])) : null;
}

/**
 * Adds the handle. Follows `state.compare` (null = off); `sides(values)` gives the words of both sides, `middle()` the
 * share of the width where the handle begins, over what is compared (null where that is not known yet).
 */
export function createSwipe(element, map, state, { sides, middle }) {
  let share = 0.5;
  let placed = false;
  const tagLeft = h("span", { class: "tag left" });
  const tagRight = h("span", { class: "tag right" });
  const handle = h("div", {
    class: "swipe", role: "slider", tabindex: "0", hidden: true,
    "aria-label": "Divider between what is compared", "aria-valuemin": "0", "aria-valuemax": "100", "aria-orientation": "horizontal",
  }, tagLeft, h("span", { class: "knob", "aria-hidden": "true" }, "⇔"), tagRight);
  element.append(handle);

  const show = () => {
    const { compare } = state.values;
    handle.hidden = !compare;
    if (compare && !placed) [share, placed] = [middle() ?? share, middle() !== null];
    if (!compare) {
      placed = false;
      map.clip(LEFT, RIGHT, null);
      return;
    }
    const [left, right] = sides(state.values);
    tagLeft.textContent = left;
    tagRight.textContent = right;
    handle.style.left = `${share * 100}%`;
    handle.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    handle.setAttribute("aria-valuetext", `${left} on ${Math.round(share * 100)} %, ${right} on the rest`);
    map.clip(LEFT, RIGHT, share);
  };
  const to = (next) => ((share = next), (placed = true), show());
  handle.addEventListener("keydown", (event) => {
    const next = moved(share, event.key);
    if (next === null) return;
    event.preventDefault();
    to(next);
  });
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    event.stopPropagation();
  });
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const box = element.getBoundingClientRect();
    to(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  });
  map.on("move zoomend resize", () => state.values.compare && show());
  state.on(["compare", "time", "step"], show);
  show();
  return { show };
}
