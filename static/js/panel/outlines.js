// Outlines by year: who drew them, from what, how; analyses of one date side by side; how to cite each.

import { copyButton, h } from "../dom.js";
import { stepColour } from "../colours.js";
import { decimalYear, yearOf } from "../dates.js";
import { areaWithInterval, count, dateAsKnown, day } from "../format.js";
import { byDate, outlineYears } from "../history.js";
import { empty } from "./section.js";

function facts(p) {
  const rows = [
    ["Source", p.source?.name],
    ["Analyst", p.analyst],
    ["Method", p.method],
    ["Analysed", p.anlys_time && day(p.anlys_time)],
    ["Analysis", p.anlys_id],
    ["Analyst's area", p.area_analyst_km2 && areaWithInterval(p.area_analyst_km2)],
    ["Interval", p.area_interval_method],
    ["Licence", p.source?.licence],
  ].filter(([, text]) => text);
  return h("dl", { class: "facts" }, rows.map(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
}

function cite(p) {
  const text = p.citation || p.source?.citation;
  if (!text) return null;
  return h("div", { class: "cite" }, h("p", { class: "citation" }, text), copyButton(text, "citation", "Cite this"));
}

function analysis(feature, { onShow }) {
  const { properties: p } = feature;
  const show = h("button", { type: "button", class: "small", on: { click: () => onShow(feature) } }, "Show on the map");
  return h("div", { class: "analysis" },
    h("p", { class: "area-of" }, areaWithInterval(p.area_km2, p.area_lo_km2, p.area_hi_km2), " ", p.preferred ? null : h("span", { class: "badge" }, "not preferred")),
    facts(p), cite(p), show);
}

function dateRow({ date, analyses }, context) {
  const [{ properties: p }] = analyses;
  const swatch = h("span", { class: "swatch", css: { "background-color": stepColour(yearOf(date), context.years) }, "aria-hidden": "true" });
  const several = analyses.length > 1 ? h("span", { class: "badge" }, `${analyses.length} analyses`) : null;
  const heading = h("summary", {}, swatch,
    h("span", { class: "date" }, dateAsKnown(p.src_date, p.src_date_precision, p.src_date_end)),
    h("span", { class: "area-of" }, areaWithInterval(p.area_km2, p.area_lo_km2, p.area_hi_km2)),
    h("span", { class: "by" }, [p.source?.name, p.simulated && !/simul/i.test(p.source?.name ?? "") && "simulated"].filter(Boolean).join(", ")), several);
  const row = h("details", { class: "outline-row", data: { outline: p.id, from: p.src_date } }, heading,
    h("div", { class: analyses.length > 1 ? "analyses side-by-side" : "analyses" }, analyses.map((feature) => analysis(feature, context))));
  for (const kind of ["mouseenter", "focusin"]) row.addEventListener(kind, () => context.onLight(p.id));
  for (const kind of ["mouseleave", "focusout"]) row.addEventListener(kind, () => context.onLight(null));
  return h("li", {}, row);
}

/** The list, newest first. context: {onShow(feature), onLight(id)}. */
export function outlineList(features, context) {
  if (!features.length) return empty("No outline of this glacier is stored yet.");
  return h("ul", { class: "outline-list" }, byDate(features).map((group) => dateRow(group, { ...context, years: outlineYears(features) })));
}

/** Predicted outlines, a summary and the newest ones: their areas are in the chart. */
export function predictedList(features, { onShow, onLight }) {
  if (!features.length) return empty("No network has drawn an outline here yet.");
  const recent = [...features].sort((a, b) => decimalYear(b.properties.date) - decimalYear(a.properties.date)).slice(0, 12);
  const row = (feature) => {
    const { properties: p } = feature;
    const flags = (p.flags ?? []).map((flag) => flag.replaceAll("_", " "));
    const size = areaWithInterval(p.area_km2, p.area_lo_km2, p.area_hi_km2);
    const button = h("button", { type: "button", class: "row two-lines", on: { click: () => onShow(feature), mouseenter: () => onLight(p.id), mouseleave: () => onLight(null) } },
      h("span", { class: "dash", "aria-hidden": "true" }), h("span", { class: "date" }, p.date), h("span", { class: "area-of" }, size),
      h("span", { class: "by" }, [p.version?.architecture ?? "snow index", ...flags].join(", ")));
    return h("li", {}, button);
  };
  const rest = features.length - recent.length;
  return [
    h("ul", { class: "rows" }, recent.map(row)),
    rest > 0 && h("p", { class: "quiet" }, `${count(rest, "older predicted outline")}: move the time bar, or take them from the downloads.`),
  ];
}
