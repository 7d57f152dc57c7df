/* global maplibregl */
// The tiled inventory as a GL layer inside Leaflet: one request a tile, and every year by a filter without another.
// The only file that knows MapLibre.

import { yearRamp } from "../colours.js";
import { daysSinceEpoch, lastDay } from "../dates.js";
import { cssValue } from "../dom.js";
import { area } from "../format.js";

const WORKER = new URL("../../npm/maplibre-gl/dist/maplibre-gl-csp-worker.js", import.meta.url);
const FADED_AFTER_DAYS = 20 * 365.25;
// Zooms of MapLibre, which are one less than Leaflet's. Below the first an outline is smaller than its line.
const OUTLINES_FROM_ZOOM = 6;
const POINTS_BELOW_ZOOM = 8;
const SIMULATED = ["==", ["get", "simulated"], 1];
const SHAPE_LAYERS = ["outline-fill", "outline-line", "outline-dots", "outline-hatch", "outline-casing"];
const PREDICTED_LAYERS = ["predicted-line"];

function vector(url, name) {
  return { type: "vector", tiles: [new URL(`${url}${name}/`, window.location.href).href + "{z}/{x}/{y}.mvt"], maxzoom: 14 };
}

function colourByYear([first, last]) {
  const from = daysSinceEpoch(first, 1, 1);
  const to = daysSinceEpoch(Math.max(last, first + 1), 1, 1);
  const stops = yearRamp().flatMap(([share, colour]) => [from + share * (to - from), colour]);
  return ["interpolate", ["linear"], ["get", "from"], ...stops];
}

function lineLayer(id, source, paint, layout = {}) {
  return { id, type: "line", source, "source-layer": source, minzoom: OUTLINES_FROM_ZOOM, layout: { "line-join": "round", ...layout }, paint };
}

/** A colour as an expression of the feature: layers whose paint has the same form share one compiled shader. */
function everywhere(colour) {
  return ["case", ["has", "from"], colour, colour];
}

function outlineLayers(colour) {
  const width = ["interpolate", ["linear"], ["zoom"], 6, 0.8, 12, 2];
  const fill = { id: "outline-fill", type: "fill", source: "outlines", "source-layer": "outlines", minzoom: OUTLINES_FROM_ZOOM };
  return [
    { ...fill, paint: { "fill-color": colour, "fill-antialias": false } },
    { ...fill, id: "outline-hatch", paint: { "fill-pattern": "hatch" } },
    lineLayer("outline-casing", "outlines", { "line-color": everywhere(cssValue("--casing")), "line-width": 4 }),
    lineLayer("outline-line", "outlines", { "line-color": colour, "line-width": width }),
    lineLayer("outline-dots", "outlines", { "line-color": colour, "line-width": 2, "line-dasharray": [0.1, 1.6] }, { "line-cap": "round" }),
  ];
}

function pointLayer() {
  return {
    id: "points",
    type: "circle",
    source: "points",
    maxzoom: POINTS_BELOW_ZOOM,
    paint: {
      "circle-radius": ["interpolate", ["linear"], ["zoom"], 2, 4, POINTS_BELOW_ZOOM, 6],
      // What is simulated is hollow.
      "circle-color": ["case", SIMULATED, cssValue("--casing"), cssValue("--accent")],
      "circle-stroke-color": ["case", SIMULATED, cssValue("--accent"), cssValue("--casing")],
      "circle-stroke-width": 1.5,
    },
  };
}

/** The style as it is at a moment: what is filtered from the start need not be laid out twice. */
function styleOf(tiles, span, values) {
  const colour = colourByYear(span);
  const dashes = { "line-color": everywhere(cssValue("--predicted")), "line-width": 2, "line-dasharray": [3, 2] };
  const layers = [...outlineLayers(colour), lineLayer("predicted-line", "predicted", dashes)];
  const { filters, opacities, shown } = appearance(values);
  for (const layer of layers) {
    layer.filter = filters[layer.id];
    Object.assign(layer.paint, opacities[layer.id]);
    layer.layout = { ...layer.layout, visibility: shown[layer.id] };
  }
  return {
    version: 8,
    sources: {
      outlines: vector(tiles, "outlines"),
      predicted: vector(tiles, "predicted-outlines"),
      points: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
    },
    layers: [...layers, pointLayer()],
  };
}

/** Diagonal strokes: what is simulated is hatched wherever it is drawn. Written by hand: reading a canvas back is slow. */
function hatchImage(size = 10) {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(cssValue("--hatch").slice(at, at + 2), 16));
  const data = new Uint8ClampedArray(size * size * 4);
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) data.set([red, green, blue, (x + y) % size === size - 1 ? 150 : 30], (y * size + x) * 4);
  }
  return { width: size, height: size, data };
}

function validOn(day, apart) {
  const valid = ["all", ["<=", ["get", "from"], day], [">=", ["get", "to"], day]];
  return apart ? [...valid, ["!=", ["get", "glac_id"], apart]] : valid;
}

/** What a state shows, by layer: {filters, opacities, shown}. */
function appearance({ time, step, glacier, layers }) {
  const day = lastDay(time, step);
  const valid = validOn(day, glacier);
  const age = ["-", day, ["get", "from"]];
  const fresh = (now, old) => ["case", [">", age, FADED_AFTER_DAYS], old, now];
  const visible = (ids, on) => ids.map((id) => [id, on ? "visible" : "none"]);
  const strong = layers.outlines ?? 1;
  const drawn = [...valid, ["!", SIMULATED]];
  const simulated = [...valid, SIMULATED];
  return {
    filters: {
      "outline-fill": drawn, "outline-hatch": simulated, "outline-casing": valid, "outline-line": drawn, "outline-dots": simulated,
      "predicted-line": [...valid, ["!=", ["get", "product"], "snow_ice"]],
    },
    opacities: {
      "outline-fill": { "fill-opacity": fresh(0.2 * strong, 0.06 * strong) },
      "outline-hatch": { "fill-opacity": strong },
      "outline-casing": { "line-opacity": everywhere(0.7 * strong) },
      "outline-line": { "line-opacity": fresh(strong, 0.4 * strong) },
      "outline-dots": { "line-opacity": strong },
      "predicted-line": { "line-opacity": layers.predicted ?? 1 },
    },
    shown: Object.fromEntries([...visible(SHAPE_LAYERS, "outlines" in layers), ...visible(PREDICTED_LAYERS, "predicted" in layers)]),
  };
}

function showState(gl, values) {
  const { filters, opacities, shown } = appearance(values);
  for (const [id, filter] of Object.entries(filters)) gl.setFilter(id, filter);
  for (const [id, paint] of Object.entries(opacities)) for (const [name, value] of Object.entries(paint)) gl.setPaintProperty(id, name, value);
  for (const [id, visibility] of Object.entries(shown)) gl.setLayoutProperty(id, "visibility", visibility);
}

function featureAt(gl, latlng) {
  const { x, y } = gl.project([latlng.lng, latlng.lat]);
  const near = [[x - 3, y - 3], [x + 3, y + 3]];
  const found = gl.queryRenderedFeatures(near, { layers: ["points", "outline-fill", "outline-hatch", "outline-line", "outline-dots"] });
  return found[0]?.properties ?? null;
}

function pointOf({ lon, lat, glac_id, name, simulated, newest_area_km2: area }) {
  return { type: "Feature", geometry: { type: "Point", coordinates: [lon, lat] }, properties: { glac_id, name, simulated: simulated ? 1 : 0, area } };
}

function tipText({ name, glac_id: id, area: km2, simulated }) {
  const size = km2 ? `, ${area(km2)}` : "";
  return `${name || id}${size}${Number(simulated) ? ", simulated" : ""}`;
}

function hearPointer(map, at, { onChoose, onMiss, tipElsewhere }) {
  const { tip } = map;
  map.on("click", ({ latlng }) => {
    const found = at(latlng);
    if (found) onChoose(found);
    else onMiss(latlng);
  });
  let waiting = false;
  map.on("mousemove", ({ latlng }) => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const found = at(latlng);
      const text = found ? tipText(found) : tipElsewhere(latlng);
      map.setCursor(text ? "pointer" : "");
      if (text) map.showTip(tip, latlng, text);
      else map.hideTip(tip);
    });
  });
  map.on("mouseout", () => map.hideTip(tip));
}

/** A map seen from straight above has no sky, yet its shader is compiled and drawn over the whole view in every frame. */
function withoutSky({ painter }) {
  if (painter?.drawFunctions?.sky) painter.drawFunctions = { ...painter.drawFunctions, sky() {} };
}

/** Adds the layer. Returns `update(values)`, `setPoints(glaciers)`, `setSpan(span)`, `refresh()` for new tiles. */
export function addOutlines(map, { tiles, span, values, onReady, ...hearing }) {
  maplibregl.setWorkerUrl(WORKER.href);
  const gl = map.gl("inventory", styleOf(tiles, span, values));
  withoutSky(gl);
  // Until the style is there, what is asked of it waits here; the latest wins.
  const waiting = new Map();
  let loaded = false;
  const when = (name, work) => (loaded ? work() : waiting.set(name, work));
  let points = null;
  let failed = false;
  const report = () => {
    if (!points && gl.getZoom() < POINTS_BELOW_ZOOM) return;
    onReady(failed);
    failed = false;
  };
  gl.on("styleimagemissing", ({ id }) => id === "hatch" && !gl.hasImage(id) && gl.addImage(id, hatchImage()));
  hearPointer(map, (latlng) => (loaded ? featureAt(gl, latlng) : null), hearing);
  gl.once("style.load", () => {
    loaded = true;
    for (const work of waiting.values()) work();
  });
  gl.on("error", () => (failed = true));
  gl.on("idle", report);
  return {
    setPoints(glaciers) {
      points = { type: "FeatureCollection", features: glaciers.map(pointOf) };
      when("points", () => gl.getSource("points").setData(points));
    },
    update: (now) => when("state", () => showState(gl, now)),
    setSpan: (next) => when("span", () => {
      gl.setPaintProperty("outline-fill", "fill-color", colourByYear(next));
      for (const id of ["outline-line", "outline-dots"]) gl.setPaintProperty(id, "line-color", colourByYear(next));
    }),
    refresh: () => when("refresh", () => {
      for (const [id, name] of [["outlines", "outlines"], ["predicted", "predicted-outlines"]]) {
        gl.getSource(id).setTiles([`${vector(tiles, name).tiles[0]}?v=${Date.now()}`]);
      }
    }),
  };
}
