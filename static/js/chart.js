// The only file that knows ECharts; it is fetched when the first chart is asked for. Every chart has a table twin
// beside it (tables.js), so the canvas itself is hidden from screen readers.

import { cssValue } from "./dom.js";
import { number } from "./format.js";

const ECHARTS = new URL("../npm/echarts/dist/echarts.esm.min.mjs", import.meta.url);
const SYMBOLS = { outlines: "diamond", network: "circle", radar: "roundRect", "snow_ice": "circle", "expert label": "triangle", published: "rect" };
let library = null;

function load() {
  library ??= import(ECHARTS.href);
  return library;
}

function colourOf(source) {
  return cssValue(`--series-${source.replaceAll(/[ _]/g, "-")}`) || cssValue("--ink");
}

/** An observation that the trend does not use: an outlier, or a scene that saw only a part of the glacier. */
function leftOut({ outlier, flags = [] }) {
  return outlier || flags.includes("partial_coverage");
}

function whisker(api, x, low, high, colour) {
  const [px, bottom] = api.coord([x, low]);
  const top = api.coord([x, high])[1];
  const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: colour, lineWidth: 1, opacity: 0.35 } });
  return { type: "group", children: [line(px, bottom, px, top), line(px - 2, bottom, px + 2, bottom), line(px - 2, top, px + 2, top)] };
}

function intervals(series, colour) {
  const known = series.observations.filter((one) => Number.isFinite(one.lo) && Number.isFinite(one.hi) && !leftOut(one));
  return {
    type: "custom",
    name: `${series.label} intervals`,
    silent: true,
    z: 1,
    data: known.map(({ decimal_year: x, lo, hi }) => [x, lo, hi]),
    clip: true,
    renderItem: (_, api) => whisker(api, api.value(0), api.value(1), api.value(2), colour),
    encode: { x: 0, y: [1, 2] },
  };
}

function points(series, colour) {
  const plain = series.source === "network" || series.source === "snow_ice";
  return {
    type: "scatter",
    name: series.label,
    z: 4,
    symbol: SYMBOLS[series.source] ?? "circle",
    symbolSize: plain ? 6 : 10,
    data: series.observations.map((observation) => ({
      value: [observation.decimal_year, observation.km2],
      observation,
      itemStyle: leftOut(observation) ? { color: "transparent", borderColor: colour, borderWidth: 1, opacity: 0.5 } : { color: colour },
    })),
    itemStyle: { color: colour, borderColor: cssValue("--surface"), borderWidth: 0.5 },
    emphasis: { scale: 1.6 },
  };
}

function annual(series, colour) {
  return {
    type: "line",
    name: `${series.label}, annual means`,
    z: 2,
    silent: true,
    showSymbol: false,
    data: series.annual.map(({ year, km2 }) => [year + 0.5, km2]),
    lineStyle: { color: colour, width: 1, opacity: 0.8 },
  };
}

function band(line, colour, name) {
  return {
    type: "custom",
    name: `${name} band`,
    silent: true,
    z: 0,
    data: [[line[0][0], line[0][1]]],
    renderItem: (_, api) => ({
      type: "polygon",
      shape: { points: [...line.map(([x, , lo]) => api.coord([x, lo])), ...[...line].reverse().map(([x, , , hi]) => api.coord([x, hi]))] },
      style: { fill: colour, opacity: 0.16 },
    }),
    clip: true,
  };
}

function trend(series, colour) {
  const { line } = series.trend;
  return [
    {
      type: "line",
      name: `${series.label}, trend`,
      z: 3,
      silent: true,
      showSymbol: false,
      data: line.map(([x, y]) => [x, y]),
      lineStyle: { color: colour, width: 2 },
    },
    band(line, colour, series.label),
  ];
}

function seriesOf(series) {
  const colour = colourOf(series.source);
  const drawn = [points(series, colour), intervals(series, colour)];
  if (series.annual?.length > 1) drawn.push(annual(series, colour));
  if (series.trend?.line?.length > 1) drawn.push(...trend(series, colour));
  return drawn;
}

function verticals(changes) {
  const ink = cssValue("--ink-2");
  return {
    type: "scatter",
    name: "sensor changes",
    data: [],
    silent: true,
    markLine: {
      silent: true,
      symbol: "none",
      animation: false,
      label: { show: true, formatter: ({ name }) => name, color: ink, fontSize: 10, position: "insideEndTop", rotate: 90, distance: [4, -4], opacity: 1 },
      lineStyle: { color: ink, width: 1, opacity: 0.35, type: "dotted" },
      data: changes.map(({ decimal, label }) => ({ xAxis: decimal, name: label })),
    },
  };
}

function cursor(moment) {
  const markLine = {
    silent: true,
    symbol: "none",
    animation: false,
    label: { show: false },
    lineStyle: { color: cssValue("--accent"), width: 2, type: "solid" },
    data: moment === null ? [] : [{ xAxis: moment }],
  };
  return { id: "cursor", type: "scatter", name: "cursor", data: [], silent: true, markLine };
}

function axes(unit, [low, high]) {
  const ink = cssValue("--ink-2");
  const rule = cssValue("--rule");
  const label = { color: ink, fontSize: 12, hideOverlap: true };
  return {
    xAxis: {
      type: "value",
      min: low,
      max: high,
      minInterval: 1,
      splitLine: { show: false },
      axisLine: { lineStyle: { color: rule } },
      axisLabel: { ...label, formatter: (value) => (Number.isInteger(value) ? String(value) : "") },
    },
    yAxis: {
      type: "value",
      scale: true,
      name: unit,
      nameTextStyle: { color: ink, fontSize: 12, align: "right" },
      splitLine: { lineStyle: { color: rule } },
      axisLabel: { ...label, formatter: (value) => String(Number(value.toFixed(6))).replace("-", "−") },
    },
  };
}

function describe({ data, seriesName }) {
  const { date, km2, lo, hi, sensor, flags = [], outlier } = data.observation;
  const interval = lo === null || lo === undefined ? "" : `\n95 %: ${number(lo)} to ${number(hi)} km²`;
  const more = [sensor, outlier && "outlier", leftOut(data.observation) && "not in the trend", ...flags.map((flag) => flag.replaceAll("_", " "))].filter(Boolean).join(", ");
  return `${date}\n${number(km2, 3)} km²${interval}\n${seriesName}${more ? `\n${more}` : ""}`;
}

function frame(range, unit) {
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 44, right: 12, top: 26, bottom: 24 },
    tooltip: {
      trigger: "item",
      // Rich text is drawn on the canvas; the HTML tooltip would need inline styles, which the page's policy forbids.
      renderMode: "richText",
      backgroundColor: cssValue("--surface"),
      borderColor: cssValue("--rule"),
      textStyle: { color: cssValue("--ink"), fontSize: 12 },
      confine: true,
    },
    ...axes(unit, range),
  };
}

/** Heights that show the points: intervals that are far wider than the spread of the points leave the frame. */
function heightsOf(series) {
  const known = series.flatMap(({ observations }) => observations);
  const kept = known.filter((one) => !leftOut(one));
  const all = kept.length ? kept : known;
  const middles = all.map(({ km2 }) => km2);
  const low = Math.min(...middles);
  const high = Math.max(...middles);
  const room = Math.max(0.6 * (high - low), 0.03 * high);
  const lows = all.map(({ km2, lo }) => lo ?? km2);
  const highs = all.map(({ km2, hi }) => hi ?? km2);
  return { min: Math.max(0, Math.min(low, Math.max(Math.min(...lows), low - room))), max: Math.min(Math.max(...highs), high + room) };
}

/** Ends and interval of an axis on round numbers: steps of 1, 2 or 5. */
function rounded({ min, max }) {
  const rough = Math.max(max - min, 1e-6) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const interval = power * ([1, 2, 5].find((step) => step * power >= rough) ?? 10);
  return { min: Math.floor(min / interval) * interval, max: Math.ceil(max / interval) * interval, interval };
}

function rangeOf(series) {
  const years = series.flatMap(({ observations }) => observations.map((observation) => observation.decimal_year));
  const low = Math.floor(Math.min(...years));
  const high = Math.ceil(Math.max(...years));
  return low === high ? [low - 1, high + 1] : [low, high];
}

function exporting(echarts, chart) {
  const save = (url, name) => Object.assign(document.createElement("a"), { href: url, download: name }).click();
  return {
    png: (name) => save(chart.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: cssValue("--surface") }), `${name}.png`),
    svg(name) {
      const still = echarts.init(null, null, { renderer: "svg", ssr: true, width: 800, height: 480 });
      still.setOption(chart.getOption());
      const text = still.renderToSVGString();
      still.dispose();
      save(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`, `${name}.svg`);
    },
  };
}

async function mount(element, option) {
  const echarts = await load();
  const chart = echarts.init(element, null, { renderer: "canvas" });
  chart.setOption(option);
  const observer = new ResizeObserver(() => chart.resize());
  observer.observe(element);
  const dispose = () => (observer.disconnect(), chart.dispose());
  return { echarts, chart, dispose };
}

/**
 * The area chart. series as the areas resource gives them; changes = [{decimal, label}]; `onPoint(observation)`.
 * Returns {setMoment(decimal year), dispose, png(name), svg(name)}.
 */
export async function areaChart(element, { series, changes, moment, onPoint }) {
  const range = rangeOf(series);
  const shown = changes.filter(({ decimal }) => decimal > range[0] && decimal < range[1]);
  const option = frame(range, "km²");
  option.tooltip.formatter = describe;
  Object.assign(option.yAxis, rounded(heightsOf(series)));
  option.dataZoom = [{ type: "inside", filterMode: "none", zoomOnMouseWheel: "ctrl" }];
  option.series = [...series.flatMap(seriesOf), verticals(shown), cursor(moment)];
  const { echarts, chart, dispose } = await mount(element, option);
  chart.on("click", ({ data }) => data?.observation && onPoint(data.observation));
  const setMoment = (decimal) => chart.setOption({ series: [cursor(decimal)] });
  return { setMoment, dispose, ...exporting(echarts, chart) };
}

/** Snow-and-ice area of a forecast: observed line, forecast line with its fan. frames as the forecasts resource gives. */
export async function forecastChart(element, { frames, moment }) {
  const colour = cssValue("--series-snow-ice");
  const line = frames.map(({ decimal, snow_ice_km2: km2, lo_km2: lo, hi_km2: hi }) => [decimal, km2, lo ?? km2, hi ?? km2]);
  const future = line.filter((_, index) => !frames[index].observed);
  const seen = line.filter((_, index) => frames[index].observed);
  const draw = (data, type) => ({ type: "line", data: data.map(([x, y]) => [x, y]), symbolSize: 5, lineStyle: { color: colour, width: 1.5, type }, itemStyle: { color: colour } });
  const option = frame([Math.floor(line[0][0]), Math.ceil(line.at(-1)[0])], "km²");
  option.tooltip.formatter = ({ value }) => `${number(value[0], 2)}: ${number(value[1], 2)} km²`;
  option.series = [draw(seen, "solid"), draw([...seen.slice(-1), ...future], "dashed"), cursor(moment)];
  if (future.length > 1) option.series.push(band(future, colour, "forecast"));
  const { chart, dispose } = await mount(element, option);
  return { setMoment: (decimal) => chart.setOption({ series: [cursor(decimal)] }), dispose };
}

/** A figure of a region (regioncharts.js makes its series): axes are those of all charts, changed as asked. */
export async function regionChart(element, { range, unit, series, xAxis = {}, yAxis = {} }) {
  const option = frame(range, unit);
  option.tooltip.formatter = ({ seriesName, value }) => `${seriesName}\n${number(value[0], 2)}: ${number(value[1], 2)} ${unit}`;
  Object.assign(option.xAxis, xAxis, { axisLabel: { ...option.xAxis.axisLabel, ...xAxis.axisLabel } });
  Object.assign(option.yAxis, yAxis);
  option.series = series;
  const { dispose } = await mount(element, option);
  return { dispose };
}

/** Loss curves of a training run: curves = [{epoch, train, validation}]. Returns {update(curves), dispose}. */
export async function lossChart(element, curves) {
  const option = (rows) => ({
    ...frame([0, Math.max(1, ...rows.map(({ epoch }) => epoch))], "loss"),
    legend: { top: 0, right: 0, textStyle: { color: cssValue("--ink-2") } },
    series: [["train", "--series-network"], ["validation", "--series-outlines"]].map(([name, colour]) => ({
      name,
      type: "line",
      showSymbol: rows.length < 20,
      data: rows.map((row) => [row.epoch, row[name]]),
      lineStyle: { color: cssValue(colour) },
      itemStyle: { color: cssValue(colour) },
    })),
  });
  const { chart, dispose } = await mount(element, option(curves));
  return { update: (rows) => chart.setOption(option(rows)), dispose };
}
