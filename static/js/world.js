// What exists at all: areas of interest and the years that have data.

import { spanOf } from "./dates.js";
import { orElse } from "./glacier.js";

function timelineOf(years) {
  const outlines = Object.entries(years.outlines ?? {}).map(([year, n]) => [Number(year), n]);
  const others = ["scenes", "predicted"].flatMap((kind) => Object.keys(years[kind] ?? {}).map(Number));
  const future = Object.keys(years.forecasts ?? {}).map(Number);
  const most = Math.max(1, ...outlines.map(([, n]) => n));
  const observed = [...outlines.map(([year]) => year), ...others];
  return {
    span: spanOf([...observed, ...future], years.now ?? new Date().getUTCFullYear()),
    ticks: outlines.map(([year, n]) => ({ year, share: 0.35 + (0.65 * Math.log1p(n)) / Math.log1p(most) })),
    scenes: [],
    observed: observed.length ? [Math.min(...observed), Math.max(...observed) + 1] : null,
    forecast: future.length ? [Math.min(...future), Math.max(...future) + 1] : null,
  };
}

/** What the page itself says of the years: {timeline, latest, now}; `years` as the years resource gives them. */
export function beginningOf(years) {
  const outlineYears = Object.keys(years.outlines ?? {}).map(Number);
  const latest = outlineYears.length ? Math.max(...outlineYears) : null;
  return { timeline: timelineOf(years), latest, now: years.now ?? new Date().getUTCFullYear() };
}

/** Everything that exists: the same with what networks predicted, and the areas of interest: {aois, timeline, latest, now}. */
export async function worldOf(api, years) {
  const [aois, predicted, forecasts] = await Promise.all([
    api.aois(),
    orElse(api.predictedYears(), {}),
    orElse(api.allForecasts(), []),
  ]);
  const forecast = new Set(forecasts.map(({ aoi }) => aoi.id));
  return { aois: aois.map((aoi) => ({ ...aoi, has_forecast: forecast.has(aoi.id) })), ...beginningOf({ ...years, ...predicted }) };
}
