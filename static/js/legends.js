// Legends: a gradient with its figures and one line on what it shows.

import { gradient, steps, yearRamp } from "./colours.js";
import { h } from "./dom.js";
import { number } from "./format.js";

function bar(stops, vmin, vmax) {
  return h("div", { class: "ramp", css: { "background-image": gradient(stops, vmin, vmax) }, "aria-hidden": "true" });
}

/** Legend of a colour map {name, stops, vmin, vmax, threshold, units, label}. */
export function rasterLegend({ stops, vmin, vmax, threshold, label, name, units, useful = true }, title = null) {
  const at = (value) => `${(((value - vmin) / (vmax - vmin)) * 100).toFixed(1)}%`;
  const mark = threshold === null || threshold === undefined ? null
    : h("span", { class: "threshold", css: { left: at(threshold) } }, number(threshold, 2));
  return h("figure", { class: useful ? "legend-entry" : "legend-entry not-useful" },
    h("figcaption", {}, title ?? `${name}${units ? ` (${units})` : ""}`),
    h("div", { class: "ramp-box" }, bar(stops, vmin, vmax), mark),
    h("div", { class: "ends" }, h("span", {}, number(vmin, 1)), h("span", {}, number(vmax, 1))),
    label && h("p", { class: "quiet" }, label));
}

function line(className, text) {
  return h("li", {}, h("span", { class: `line ${className}`, "aria-hidden": "true" }), text);
}

function ends(years) {
  return h("div", { class: "ends" }, years.map((year) => h("span", {}, String(year))));
}

/** The years of the chosen glacier in equal steps, else the ramp over all years. */
function yearBar(span, years) {
  if (years.length < 2) return [bar(yearRamp(), 0, 1), ends(span)];
  const middle = years.length > 2 ? [years[Math.floor(years.length / 2)]] : [];
  return [h("div", { class: "ramp", css: { "background-image": steps(years) }, "aria-hidden": "true" }), ends([years[0], ...middle, years.at(-1)])];
}

/** Legend of the outlines: their years (those of a chosen glacier, if any) and what each kind of line means. */
export function outlineLegend(span, { years, simulated, predicted, chosen, small }) {
  return h("figure", { class: "legend-entry" },
    h("figcaption", {}, years.length > 1 ? `Outlines of ${years.length} years` : "Outlines by year"),
    ...yearBar(span, years),
    h("ul", { class: "lines" },
      chosen && line("chosen", "chosen year"),
      predicted && line("predicted", "predicted by a network"),
      simulated && line("simulated", "simulated (dotted, hatched, hollow)"),
      small && line("too-small", "too small to draw here")));
}
