// The two figures of a region: all its glaciers through time with their geometric mean, and the spread of their slopes.

import { regionChart } from "./chart.js";
import { cssValue } from "./dom.js";

const BIN = 0.1; // per cent a year

/** The line of `slope` (ln a year) through the weighted centre of [year, mean ln km², glaciers], as [year, km²] ends. */
export function fitted(points, slope) {
  const weight = points.reduce((sum, [, , n]) => sum + n, 0);
  const centre = points.reduce((sum, [year, , n]) => sum + n * year, 0) / weight;
  const log = points.reduce((sum, [, mean, n]) => sum + n * mean, 0) / weight;
  return [points[0][0], points.at(-1)[0]].map((year) => [year, Math.exp(log + slope * (year - centre))]);
}

/** Bars as [middle of the bin, glaciers], bins without a glacier included. */
export function bars(histogram) {
  const counts = new Map(histogram.map(([edge, n]) => [Math.round(edge / BIN), n]));
  const places = [...counts.keys()];
  const [first, last] = [Math.min(...places), Math.max(...places)];
  return Array.from({ length: last - first + 1 }, (_, k) => [(first + k + 0.5) * BIN, counts.get(first + k) ?? 0]);
}

/** Ends of a logarithmic axis on 1, 2 or 5 times a power of ten around all values. */
export function decades(values) {
  const end = (value, steps, fits) => {
    const power = 10 ** Math.floor(Math.log10(value));
    return Number((power * steps.find((step) => fits(step * power, value))).toPrecision(1));
  };
  return {
    min: end(Math.min(...values), [5, 2, 1], (tick, value) => tick <= value),
    max: end(Math.max(...values), [1, 2, 5, 10], (tick, value) => tick >= value),
  };
}

function line(name, data, colour, width, extra = {}) {
  return { type: "line", name, data, showSymbol: false, lineStyle: { color: colour, width }, itemStyle: { color: colour }, ...extra };
}

function upright(x, colour, type) {
  return { xAxis: x, lineStyle: { color: colour, width: 2, type } };
}

/** Every glacier's annual means (grey), their geometric mean and its fit, on a logarithmic axis. */
export function areasChart(element, { glaciers, geometric_mean: points, method_2: { paper } }) {
  const mean = points.map(([year, log]) => [year, Math.exp(log)]);
  const thin = { silent: true, z: 1, lineStyle: { color: cssValue("--ink-2"), width: 1, opacity: 0.45 } };
  const areas = glaciers.map(({ annual }) => annual.filter(([, km2]) => km2 > 0));
  const series = glaciers.map(({ name, glac_id: id }, k) => line(name || id, areas[k], cssValue("--ink-2"), 1, thin));
  series.push(line("Geometric mean", mean, cssValue("--ink"), 2, { z: 3 }));
  if (paper) series.push(line("Fit", fitted(points, paper.slope_per_year), cssValue("--accent-line"), 2, { z: 4 }));
  return regionChart(element, { range: [points[0][0], Math.max(points.at(-1)[0], points[0][0] + 1)], unit: "km²", series, yAxis: { type: "log", ...decades(areas.flat().map(([, km2]) => km2)) } });
}

/** How many glaciers changed at which rate; their weighted mean and twice its standard error. */
export function slopesChart(element, { histogram, method_1: { slope_per_year: slope, se } }) {
  const found = bars(histogram);
  const colour = cssValue("--warn");
  const ends = se === null ? [] : [slope - 2 * se, slope + 2 * se].map((one) => upright(100 * one, colour, "dashed"));
  const markLine = { silent: true, symbol: "none", animation: false, label: { show: false }, data: [upright(100 * slope, colour, "solid"), ...ends] };
  const series = [{ type: "bar", name: "Glaciers", data: found, barWidth: "90%", itemStyle: { color: cssValue("--series-network"), opacity: 0.45 }, markLine }];
  const marks = [found[0][0] - BIN, found.at(-1)[0] + BIN, ...markLine.data.map(({ xAxis }) => xAxis)];
  const range = [Math.floor(10 * Math.min(...marks)) / 10, Math.ceil(10 * Math.max(...marks)) / 10];
  return regionChart(element, { range, unit: "glaciers", series, xAxis: { minInterval: 0, axisLabel: { formatter: (value) => `${Number(value.toFixed(2))}`.replace("-", "−") } }, yAxis: { scale: false, minInterval: 1 } });
}
