// Area through time: the chart, its table twin, the trend in words, downloads of the figures.

import { areaChart } from "../chart.js";
import { decimalYear } from "../dates.js";
import { h } from "../dom.js";
import { areaTables, trendSentence } from "../tables.js";
import { empty, section } from "./section.js";

const SHAPES = { outlines: "◆", network: "●", radar: "■", "snow_ice": "●", "expert label": "▲", published: "■" };

function legend(series, hidden, onToggle) {
  return h("ul", { class: "chart-legend" }, series.map(({ source, label, simulated }, index) => {
    const box = h("input", { type: "checkbox", checked: !hidden.has(index), on: { change: ({ target }) => onToggle(index, target.checked) } });
    const mark = h("span", { class: `mark source-${source.replaceAll(/[ _]/g, "-")}`, "aria-hidden": "true" }, SHAPES[source] ?? "●");
    const word = simulated && !label.includes("simulated") ? " (simulated)" : "";
    return h("li", {}, h("label", {}, box, mark, `${label}${word}`));
  }));
}

function tools(csv, twin, exports) {
  const toggle = h("button", { type: "button", class: "small", "aria-pressed": "false", data: { twin: "area" }, title: "Table instead of the chart (t)" }, "Table");
  toggle.addEventListener("click", () => {
    const shown = twin.hidden;
    twin.hidden = !shown;
    toggle.setAttribute("aria-pressed", String(shown));
  });
  const save = (kind, label) => h("button", { type: "button", class: "small", on: { click: () => exports(kind) } }, label);
  return h("div", { class: "tools" }, toggle, h("a", { class: "button small", href: csv, download: "" }, "CSV"), save("png", "PNG"), save("svg", "SVG"));
}

function changesOf(areas) {
  return (areas.sensor_changes ?? []).map(({ date, label }) => ({ decimal: decimalYear(date), label }));
}

/** The middle of the moment shown, as decimal year. */
export function middle({ time, step }) {
  return time + step / 2;
}

/** Builds the section's content. Returns elements; `part.chart()` is the chart once drawn. */
async function build(part, areas, { state, csv, name, onPoint }) {
  const series = areas.series.filter(({ observations }) => observations.length);
  if (!series.length) return empty("No area was measured yet: no outline, and no scene that passed the area rules.");
  // Seasonal snow would stretch the chart until the glacier's own change cannot be seen; it is one click away.
  const seasonal = series.flatMap(({ source }, index) => (source === "snow_ice" ? [index] : []));
  const hidden = new Set(seasonal.length < series.length ? seasonal : []);
  const canvas = h("div", { class: "chart", role: "img", "aria-label": `Area of ${name} by year; the table holds the figures` });
  const twin = h("div", { class: "twin", hidden: true }, areaTables(series));
  const draw = async () => {
    part.chart?.dispose();
    part.chart = null;
    const shown = series.filter((_, index) => !hidden.has(index));
    if (!shown.length) return;
    part.chart = await areaChart(canvas, { series: shown, changes: changesOf(areas), moment: middle(state.values), onPoint });
  };
  const toggle = (index, on) => (on ? hidden.delete(index) : hidden.add(index), draw());
  // The element needs its size before the chart can be drawn, so this waits until it is on the page.
  requestAnimationFrame(() => draw().catch(() => canvas.replaceChildren(empty("The chart could not be drawn; the table holds the figures."))));
  const hollow = series.some(({ observations }) => observations.some(({ outlier, flags = [] }) => outlier || flags.includes("partial_coverage")));
  const key = hollow ? h("p", { class: "quiet small-print" }, "Hollow: outliers and scenes that saw only a part, not in the trend.") : null;
  const sentences = series.map(trendSentence).filter(Boolean).map((text) => h("p", { class: "trend" }, text));
  const remarks = [...new Set(series.flatMap((one) => one.notes ?? []))].map((text) => h("p", { class: "quiet" }, text));
  return [canvas, key, legend(series, hidden, toggle), tools(csv, twin, (kind) => part.chart?.[kind](`area-${name}`)), twin, sentences, remarks];
}

/** The section; `load` gives the areas resource. */
export function areaSection(context) {
  const part = section("area", "Area", { lines: 8 });
  return {
    part,
    build: (areas) => build(part, areas, context),
    setMoment: (values) => part.chart?.setMoment(middle(values)),
    dispose: () => part.chart?.dispose(),
  };
}
