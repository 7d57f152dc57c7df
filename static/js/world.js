// What exists at all: areas of interest, years that have data, and the box around everything; the first view fits it.

import { spanOf } from "./dates.js";
import { orElse } from "./glacier.js";

function joined(boxes) {
  if (!boxes.length) return null;
  const edge = (index, pick) => pick(...boxes.map((box) => box[index]));
  return [edge(0, Math.min), edge(1, Math.min), edge(2, Math.max), edge(3, Math.max)];
}

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

/** Asks for it once. Resolves to {aois, bbox, timeline, latest, now}. */
export async function worldOf(api) {
  const [aois, observed, predicted, forecasts, some] = await Promise.all([
    api.aois(),
    orElse(api.years(), { outlines: {} }),
    orElse(api.predictedYears(), {}),
    orElse(api.allForecasts(), []),
    orElse(api.inView([-180, -90, 180, 90]), { results: [] }),
  ]);
  const years = { ...observed, ...predicted };
  const forecast = new Set(forecasts.map(({ aoi }) => aoi.id));
  const boxes = [...aois, ...some.results].map(({ bbox }) => bbox).filter(Boolean);
  const timeline = timelineOf(years);
  const outlineYears = Object.keys(years.outlines ?? {}).map(Number);
  return { aois: aois.map((aoi) => ({ ...aoi, has_forecast: forecast.has(aoi.id) })), bbox: joined(boxes), timeline, latest: outlineYears.length ? Math.max(...outlineYears) : null, now: years.now ?? new Date().getUTCFullYear() };
}
