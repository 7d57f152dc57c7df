// Where the outlines of a span agree: the share of them that covers a place, in one hue.

import { agreementOf } from "../agreement.js";
import { colourAt } from "../colours.js";
import { comparedWith } from "../compare.js";
import { yearOf } from "../dates.js";

const ALPHA = 215;

function dateOf({ properties: p }) {
  return p.src_date ?? p.date;
}

/** What is asked about: outlines of the layers that are on, between the two compared years, else of all years. */
function asked({ outlines, predicted }, { time, compare, layers }) {
  const { year } = comparedWith(compare);
  const [from, to] = year === undefined ? [-Infinity, Infinity] : [Math.min(year, time), Math.max(year, time) + 1];
  const whole = predicted.filter(({ properties: p }) => p.product !== "snow_ice" && !(p.flags ?? []).includes("partial_coverage"));
  const all = [...("outlines" in layers ? outlines : []), ...("predicted" in layers ? whole : [])];
  return all.filter((feature) => yearOf(dateOf(feature)) >= from && yearOf(dateOf(feature)) < to);
}

function painted({ shares, width, height }, stops) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const image = context.createImageData(width, height);
  const ramp = Array.from({ length: 256 }, (_, index) => colourAt(stops, index / 255));
  shares.forEach((share, index) => share > 0 && image.data.set([...ramp[Math.round(share * 255)], ALPHA], index * 4));
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

/** Adds the layer. `update(data, values)` returns what is drawn: {n, from, to} (years), or null; colours as a promise. */
export function addAgreement(map, colourMaps) {
  let layer = null;
  let key = "";

  async function draw(features, mine) {
    const { probability } = await colourMaps;
    const found = agreementOf(features);
    if (key !== mine || !found) return;
    layer = map.image({ pane: "agreement", url: painted(found, probability.stops), bbox: found.bbox });
    layer.setOpacity(opacity);
  }

  let opacity = 1;
  return {
    update(data, values) {
      const features = "agreement" in values.layers ? asked(data, values) : [];
      opacity = values.layers.agreement ?? 1;
      const next = features.map(({ properties }) => properties.id).join();
      if (next !== key) {
        layer?.remove();
        layer = null;
        key = next;
        if (next) draw(features, next).catch(() => {});
      }
      layer?.setOpacity(opacity);
      const dated = features.map((feature) => yearOf(dateOf(feature)));
      return features.length ? { n: features.length, from: Math.min(...dated), to: Math.max(...dated) } : null;
    },
  };
}
