// The view in the address: `#v=1&map=10.5/46.01/-30.02&t=2016&g=G330000E46000N&on=outlines:1,true-colour:0.8`.
// Encoding and decoding are each other's inverse; what is malformed is left out, a newer version is not guessed at.

import { QUARTER, YEAR } from "./dates.js";

const VERSION = "1";
const TEXT_KEYS = { g: "glacier", aoi: "aoi", s: "scene", o: "outline", f: "forecast", fl: "flow", cmp: "compare", q: "search" };
const MAX_TEXT = 80;

function encodeLayers(layers) {
  return Object.entries(layers)
    .map(([name, opacity]) => `${name}:${Number(opacity.toFixed(2))}`)
    .join(",");
}

function decodeLayers(text) {
  const layers = {};
  for (const part of text.split(",")) {
    const [name, opacity] = part.split(":");
    const value = Number(opacity);
    if (/^[a-z-]{1,30}$/.test(name) && opacity && value >= 0 && value <= 1) layers[name] = value;
  }
  return layers;
}

function decodePlace(text) {
  const [zoom, lat, lon] = text.split("/").map(Number);
  const good = zoom >= 0 && zoom <= 22 && Math.abs(lat) <= 90 && Math.abs(lon) <= 540;
  return good ? { zoom, lat, lon } : null;
}

function decodeTime(text) {
  const found = /^(\d{4})(?:q([1-4]))?$/.exec(text);
  if (!found) return {};
  const quarter = found[2] ? (Number(found[2]) - 1) * QUARTER : 0;
  return { time: Number(found[1]) + quarter, step: found[2] ? QUARTER : YEAR };
}

function encodeTime(time, step) {
  const year = Math.floor(time);
  return step === QUARTER ? `${year}q${Math.round((time - year) / QUARTER) + 1}` : String(year);
}

/** The view as text for the hash, without `#`. Keys without a value are left out. */
export function encode(view) {
  const fields = new URLSearchParams({ v: VERSION });
  if (view.place) {
    const { zoom, lat, lon } = view.place;
    fields.set("map", `${Number(zoom.toFixed(2))}/${lat.toFixed(5)}/${lon.toFixed(5)}`);
  }
  if (Number.isFinite(view.time)) fields.set("t", encodeTime(view.time, view.step));
  for (const [key, name] of Object.entries(TEXT_KEYS)) {
    if (view[name] !== null && view[name] !== undefined && view[name] !== "") fields.set(key, String(view[name]));
  }
  if (view.layers) fields.set("on", encodeLayers(view.layers));
  if (view.list) fields.set("list", "1");
  return fields.toString().replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%2C", ",");
}

/** The view of a hash; an empty object where there is none or where a later version wrote it. */
export function decode(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  if (fields.get("v") !== VERSION) return {};
  const view = { ...decodeTime(fields.get("t") ?? "") };
  const place = fields.has("map") ? decodePlace(fields.get("map")) : null;
  if (place) view.place = place;
  for (const [key, name] of Object.entries(TEXT_KEYS)) {
    const text = fields.get(key);
    if (text && text.length <= MAX_TEXT) view[name] = text;
  }
  if (fields.has("on")) view.layers = decodeLayers(fields.get("on"));
  if (fields.get("list") === "1") view.list = true;
  return view;
}
