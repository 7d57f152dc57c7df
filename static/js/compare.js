// What stands left of the divider: another year, another analysis of the same date, or the analysts beside the network.

import { momentLabel, yearOf } from "./dates.js";
import { validAt } from "./history.js";

export const NETWORK = "network";

/** What a compared view names: {year}, {network: true} or {outline: id}; empty where nothing is compared. */
export function comparedWith(text) {
  if (!text) return {};
  if (text === NETWORK) return { network: true };
  return /^\d{4}$/.test(text) ? { year: Number(text) } : { outline: text };
}

function analysisWords({ properties: p }) {
  return [p.analyst, p.source?.name, p.src_date].filter(Boolean).slice(0, 2).join(", ");
}

function others(outlines, { time, step }) {
  const now = validAt(outlines, time, step);
  return now ? outlines.filter((one) => one !== now && one.properties.src_date === now.properties.src_date) : [];
}

/** What can be chosen: [[value, words], ...]; the present choice is always among them. */
export function comparable({ outlines, predicted }, values) {
  const years = [...new Set(outlines.map(({ properties }) => yearOf(properties.src_date)))].sort((a, b) => b - a);
  const { year } = comparedWith(values.compare);
  if (year && !years.includes(year)) years.push(year);
  return [
    ...(predicted.length && outlines.length ? [[NETWORK, "analysts (network on the right)"]] : []),
    ...others(outlines, values).map((one) => [one.properties.id, `analysis: ${analysisWords(one)}`]),
    ...years.map((one) => [String(one), String(one)]),
  ];
}

/** The words at both sides of the divider. */
export function sidesOf({ outlines }, values) {
  const moment = momentLabel(values.time, values.step);
  const { year, network, outline } = comparedWith(values.compare);
  if (network) return [`analysts, ${moment}`, `network, ${moment}`];
  const other = outline && outlines.find(({ properties }) => properties.id === outline);
  const now = validAt(outlines, values.time, values.step);
  if (other) return [analysisWords(other), now ? analysisWords(now) : moment];
  return [String(year ?? ""), moment];
}
