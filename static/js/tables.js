// Table twins of the charts: the same figures as rows, for reading, copying and screen readers.

import { h } from "./dom.js";
import { number, signedPercent } from "./format.js";

/** A table: columns = [{label, unit?, text(row), numeric?}], with a caption. */
export function table(caption, columns, rows) {
  const head = columns.map(({ label, numeric }) => h("th", { scope: "col", class: numeric ? "number" : null }, label));
  const cell = (column, row, index) => {
    const content = column.text(row);
    if (index === 0) return h("th", { scope: "row" }, content);
    return h("td", { class: column.numeric ? "number" : null }, content);
  };
  const body = rows.map((row) => h("tr", {}, columns.map((column, index) => cell(column, row, index))));
  return h("div", { class: "table", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)));
}

/** Twin of the area chart, one table a series. */
export function areaTables(series) {
  return series.map(({ label, observations }) =>
    table(`${label}: area`, [
      { label: "Date", text: (row) => row.date },
      { label: "Area (km²)", numeric: true, text: (row) => number(row.km2, 3) },
      { label: "95 % from", numeric: true, text: (row) => number(row.lo, 3) },
      { label: "to", numeric: true, text: (row) => number(row.hi, 3) },
      { label: "Notes", text: (row) => [row.sensor, row.outlier && "outlier", ...(row.flags ?? []).map((flag) => flag.replaceAll("_", " "))].filter(Boolean).join(", ") },
    ], observations));
}

/** Twin of the forecast chart. */
export function frameTable(frames) {
  return table("Snow-and-ice area of each frame", [
    { label: "From", text: (row) => row.start },
    { label: "What", text: (row) => (row.observed ? "observed" : `lead ${row.lead}`) },
    { label: "Area (km²)", numeric: true, text: (row) => number(row.snow_ice_km2, 2) },
    { label: "95 % from", numeric: true, text: (row) => number(row.lo_km2, 2) },
    { label: "to", numeric: true, text: (row) => number(row.hi_km2, 2) },
  ], frames);
}

function share(fraction) {
  return fraction === null ? "–" : number(fraction * 100, 1);
}

/** Skill of a forecast beside its baselines, all leads pooled first. */
export function skillTable(skill) {
  return table("Skill beside the baselines; in brackets the baseline's own error", [
    { label: "Baseline", text: (row) => row.baseline.replaceAll("_", " ") },
    { label: "Lead", text: (row) => (row.lead === 0 ? "all" : String(row.lead)) },
    { label: "Skill (%)", numeric: true, text: (row) => share(row.skill) },
    { label: "95 % (%)", numeric: true, text: (row) => (row.lo === null ? "–" : `${share(row.lo)} to ${share(row.hi)}`) },
    { label: "MSE (its)", numeric: true, text: (row) => `${number(row.mse, 4)} (${number(row.mse_baseline, 4)})` },
  ], skill);
}

/** The trend of a series in one sentence, or why there is none. */
export function trendSentence({ label, trend, no_trend_reason: reason }) {
  if (!trend) return reason ? `${label}: no trend, ${reason}.` : null;
  const interval = `${signedPercent(trend.lo_percent)} to ${signedPercent(trend.hi_percent)}`;
  const left = trend.n_excluded ? `, ${trend.n_excluded} left out` : "";
  const how = trend.se_label ?? trend.se_method ?? "";
  return `${label}: ${signedPercent(trend.slope_percent_per_year)} per year (95 %: ${interval}; ${trend.n} observations${left}${how ? `; ${how}` : ""}).`;
}
