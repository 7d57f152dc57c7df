// Displacement between two scenes: which two, what the field shows, how far stable ground seems to move.

import { momentOfDate } from "../dates.js";
import { h } from "../dom.js";
import { number } from "../format.js";
import { empty } from "./section.js";

function show(state, field) {
  const { step, layers } = state.values;
  const on = "flow" in layers && state.values.flow === String(field.id);
  const { flow: _, ...others } = layers;
  if (on) state.set({ flow: null, layers: others });
  else state.set({ flow: String(field.id), time: momentOfDate(field.second.acquired, step), layers: { ...layers, flow: layers.flow ?? 0.85 } });
}

function row(state, field) {
  const { first, second, nature, stable_nmad_m_per_year: nmad, flags, simulated } = field;
  const dates = `${first.acquired.slice(0, 10)} to ${second.acquired.slice(0, 10)}`;
  const stable = nmad === null ? "stable ground not seen" : `stable ground ± ${number(nmad, 1)}\u2009m a year (NMAD)`;
  const remarks = flags.map((flag) => flag.replaceAll("_", " "));
  const pressed = "flow" in state.values.layers && state.values.flow === String(field.id);
  return h("li", {},
    h("button", { type: "button", class: "row two-lines", "aria-pressed": String(pressed), on: { click: () => show(state, field) } },
      h("span", { class: "date" }, dates), h("span", { class: "by" }, [nature, stable, simulated && "simulated", ...remarks].filter(Boolean).join(", "))),
    h("a", { class: "evidence", href: field.raster, download: "" }, "GeoTIFF"), " ", h("a", { class: "evidence", href: `/runs/${field.run}/` }, "its run"));
}

/** The fields, newest first. */
export function flowList(fields, state) {
  if (!fields.length) return [empty("No displacement was measured here yet: a run of the kind flow follows two scenes.")];
  const said = h("p", { class: "quiet" }, "Speed of what moved between two scenes. The outline of a mask that moves is not the ice that flows.");
  return [said, h("ul", { class: "rows" }, fields.map((field) => row(state, field)))];
}
