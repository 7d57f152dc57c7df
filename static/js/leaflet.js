/* global L */
// The only file that knows Leaflet. Everything else draws through the map that this returns.

import { h } from "./dom.js";

const PANES = [
  ["land", 200, false],
  ["online", 210, false],
  ["hillshade", 250, false],
  ["scene-left", 300, false],
  ["scene", 310, false],
  ["mask", 320, false],
  ["flow", 325, false],
  ["forecast", 330, false],
  ["agreement", 340, false],
  ["inventory", 400, false],
  ["areas", 410, true],
  ["years", 430, true],
  ["chosen-left", 450, false],
  ["chosen", 460, false],
  ["predicted", 470, true],
];
const OPTIONS = {
  // Beyond the Mercator limit the GL layer and Leaflet part ways; below zoom 2 the world is smaller than the window.
  maxBounds: [
    [-85.06, -Infinity],
    [85.06, Infinity],
  ],
  maxBoundsViscosity: 1,
  minZoom: 2,
  maxZoom: 17,
  zoomControl: false,
  worldCopyJump: true,
  zoomSnap: 0.25,
  zoomAnimation: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
  wheelPxPerZoomLevel: 120,
};

function toBounds([west, south, east, north]) {
  return L.latLngBounds([south, west], [north, east]);
}

function addPanes(map) {
  for (const [name, z, interactive] of PANES) {
    const pane = map.createPane(name);
    pane.style.zIndex = z;
    if (!interactive) pane.style.pointerEvents = "none";
  }
}

function addControls(map) {
  map.attributionControl.setPrefix('<a href="https://leafletjs.com">Leaflet</a>');
  L.control.zoom({ position: "topright" }).addTo(map);
  L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
}

/** The place that the user chose: near the poles Leaflet moves the centre by itself, which must not be saved. */
function followIntention(map, element, start) {
  let intended = start;
  let acted = false;
  for (const kind of ["pointerdown", "wheel", "keydown", "touchstart"]) {
    element.addEventListener(kind, () => (acted = true), { passive: true, capture: true });
  }
  const now = () => ({ zoom: map.getZoom(), lat: map.getCenter().lat, lon: map.getCenter().lng });
  let programmed = false;
  map.on("moveend", () => {
    if (acted || programmed) intended = now();
  });
  // Told before and after: whoever hears of the end of the move already reads the new place.
  const byProgram = (move, place = null) => {
    [acted, programmed] = [false, true];
    move();
    programmed = false;
    intended = place ?? now();
  };
  return { intended: () => intended, byProgram };
}

function addTiles(map, { pane, url, bbox, opacity = 1, className = "", minZoom = 0, maxNativeZoom = 15, onState = () => {} }) {
  const bounds = bbox ? toBounds(bbox) : undefined;
  const layer = L.tileLayer(url, { pane, bounds, opacity, className, minZoom, maxNativeZoom, maxZoom: 17, keepBuffer: 1 });
  let failed = 0;
  // One pixel more than its cell: at fractions of a zoom the browser would leave seams. Only where tiles are opaque.
  if (className === "pixels") layer.on("tileloadstart", ({ tile }) => (tile.style.width = tile.style.height = "257px"));
  layer.on("loading", () => onState("loading", (failed = 0)));
  layer.on("tileerror", () => (failed += 1));
  layer.on("load", () => onState(failed ? "failed" : "ready"));
  layer.addTo(map);
  return {
    setOpacity: (value) => layer.setOpacity(value),
    remove: () => layer.remove(),
  };
}

function bindFeature(layer, feature, { onClick, onHover, tip }) {
  if (tip) layer.bindTooltip(() => h("span", {}, tip(feature)), { sticky: true, direction: "top", opacity: 1 });
  if (onClick) layer.on("click", (event) => (L.DomEvent.stop(event), onClick(feature, event.latlng)));
  if (onHover) layer.on({ mouseover: () => onHover(feature), mouseout: () => onHover(null) });
}

function addShapes(map, { pane, style, interactive = true, ...hearing }) {
  const layer = L.geoJSON(null, {
    pane,
    style,
    interactive,
    bubblingMouseEvents: false,
    onEachFeature: (feature, shape) => interactive && bindFeature(shape, feature, hearing),
  }).addTo(map);
  return {
    setData(features) {
      layer.clearLayers();
      if (features.length) layer.addData({ type: "FeatureCollection", features });
    },
    restyle: () => layer.setStyle(style),
    remove: () => layer.remove(),
  };
}

/** A canvas that is drawn by the processor: where a driver draws in software, paths through it cost far more. */
const PlainCanvas = L.Canvas.extend({
  _initContainer() {
    this._container = document.createElement("canvas");
    this._ctx = this._container.getContext("2d", { willReadFrequently: true });
  },
});

function addLand(map, geojson, style) {
  const renderer = new PlainCanvas({ pane: "land", padding: 0.25 });
  const layer = L.geoJSON(geojson, { pane: "land", renderer, interactive: false, style }).addTo(map);
  return {
    restyle: () => layer.setStyle(style),
    setOpacity: (value) => (map.getPane("land").style.opacity = value),
    remove: () => layer.remove(),
  };
}

/** The GL map inside Leaflet. */
function addGl(map, pane, style) {
  const layer = L.maplibreGL({ pane, style, interactive: false, padding: 0.05, fadeDuration: 0, validateStyle: false }).addTo(map);
  const gl = layer.getMaplibreMap();
  // MapLibre skips the first change of its container's size, which is a real one when a panel opens at the start.
  map.on("resize", () => L.Util.requestAnimFrame(() => gl.resize()));
  gl.once("load", () => gl.resize());
  return gl;
}

/** Clips panes at a share of the map's width, so that one date shows left of it and another right. */
function clipPanes(map, left, right, share) {
  const size = map.getSize();
  const top = map.containerPointToLayerPoint([0, 0]);
  const middle = map.containerPointToLayerPoint([size.x * share, 0]).x;
  const bottom = top.y + size.y;
  const box = (x0, x1) =>
    `polygon(${x0}px ${top.y}px, ${x1}px ${top.y}px, ${x1}px ${bottom}px, ${x0}px ${bottom}px)`;
  for (const name of left) map.getPane(name).style.clipPath = share === null ? "" : box(top.x, middle);
  for (const name of right) map.getPane(name).style.clipPath = share === null ? "" : box(middle, top.x + size.x);
}

function reading(map) {
  return {
    zoom: () => map.getZoom(),
    /** [west, south, east, north] in degrees; west is larger than east across the antimeridian. */
    bbox() {
      const bounds = map.getBounds();
      const whole = bounds.getEast() - bounds.getWest() >= 360;
      const wrap = (lon) => Number((lon - 360 * Math.floor((lon + 180) / 360)).toFixed(5));
      const clip = (lat) => Number(Math.max(-90, Math.min(90, lat)).toFixed(5));
      const [west, east] = whole ? [-180, 180] : [wrap(bounds.getWest()), wrap(bounds.getEast())];
      return [west, clip(bounds.getSouth()), east, clip(bounds.getNorth())];
    },
    /** Where the middle of some [lon, lat] lies in the window, as a share of its width; one half beside it, null without. */
    shareOf(places) {
      if (!places?.length) return null;
      const middle = L.latLngBounds(places.map(([lon, lat]) => [lat, lon])).getCenter();
      const share = map.latLngToContainerPoint(middle).x / map.getSize().x;
      return share > 0.05 && share < 0.95 ? share : 0.5;
    },
    holds: (bbox) => map.getBounds().intersects(toBounds(bbox)),
  };
}

/** Creates the map in an element at a place {zoom, lat, lon}, or around a box where one is given. */
export function createMap(element, start, bbox = null, maxZoom = 15) {
  const map = L.map(element, OPTIONS);
  const intention = followIntention(map, element, start);
  addPanes(map);
  addControls(map);
  // Room at the top for the buttons that lie on the map.
  const around = (box, most) => map.fitBounds(toBounds(box), { maxZoom: most, paddingTopLeft: [36, 60], paddingBottomRight: [36, 36], animate: false });
  const to = ({ lat, lon, zoom }) => map.setView([lat, lon], zoom, { animate: false });
  intention.byProgram(() => (bbox ? around(bbox, maxZoom) : to(start)), bbox ? null : start);
  const resized = () => map.invalidateSize({ animate: false, pan: true });
  new ResizeObserver(resized).observe(element);
  const fit = (box, most = 15) => {
    resized();
    intention.byProgram(() => around(box, most));
  };
  return {
    ...reading(map),
    place: intention.intended,
    fit,
    go: (place) => intention.byProgram(() => to(place), place),
    on: (kind, hear) => map.on(kind, hear),
    resized,
    mark: (className, on) => element.classList.toggle(className, on),
    setCursor: (name) => (element.style.cursor = name),
    attribute: (text) => map.attributionControl.addAttribution(text),
    tiles: (options) => addTiles(map, options),
    image: ({ pane, url, bbox }) => L.imageOverlay(url, toBounds(bbox), { pane, className: "pixels" }).addTo(map),
    shapes: (options) => addShapes(map, options),
    land: (geojson, style) => addLand(map, geojson, style),
    gl: (pane, style) => addGl(map, pane, style),
    setPaneOpacity: (name, value) => (map.getPane(name).style.opacity = value),
    setPaneClass: (name, className, on) => map.getPane(name).classList.toggle(className, on),
    clip: (left, right, share) => clipPanes(map, left, right, share),
    tip: L.tooltip({ direction: "top", opacity: 1, offset: [0, -6] }),
    showTip(tip, latlng, text) {
      tip.setLatLng(latlng).setContent(h("span", {}, text)).addTo(map);
    },
    hideTip: (tip) => tip.remove(),
    /** A name that stays on the map while it is near enough to be read. */
    label: (latlng, text) =>
      L.tooltip({ permanent: true, direction: "right", opacity: 1, className: "area-label", offset: [-6, -14] })
        .setLatLng(latlng).setContent(h("span", {}, text)).addTo(map),
  };
}
