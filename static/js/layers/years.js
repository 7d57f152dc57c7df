// The chosen glacier: its outlines of all years on a ramp from pale to dark, the moment's in the accent, white-cased.

import { stepColour } from "../colours.js";
import { comparedWith } from "../compare.js";
import { yearOf } from "../dates.js";
import { cssValue } from "../dom.js";
import { areaWithInterval, dateAsKnown } from "../format.js";
import { outlineYears, predictedAt, validAt } from "../history.js";

const DOTS = "0.1 4.5";

function tip({ properties: p }) {
  const size = areaWithInterval(p.area_km2, p.area_lo_km2, p.area_hi_km2);
  const when = p.src_date ? dateAsKnown(p.src_date, p.src_date_precision, p.src_date_end) : p.date;
  const word = p.kind === "predicted" ? "predicted, " : "";
  return `${when}: ${size} (${word}${p.simulated ? "simulated" : (p.source?.name ?? p.version?.architecture ?? "")})`;
}

function lines(feature, colour, weight) {
  const { simulated } = feature.properties;
  return { color: colour, weight, fill: false, dashArray: simulated ? DOTS : null, lineCap: "round", opacity: 1 };
}

function casing(weight) {
  return { color: cssValue("--casing"), weight, fill: false, opacity: 0.95 };
}

function chosenStyle(feature) {
  const hatch = feature.properties.simulated ? { fill: true, fillColor: "url(#hatch-simulated)", fillOpacity: 1 } : {};
  return { ...lines(feature, cssValue("--accent-line"), 3), ...hatch };
}

function predictedStyle(feature) {
  const weight = feature.properties.simulated ? 2 : 2.5;
  return { color: cssValue("--predicted"), weight, dashArray: "7 5", fill: false, opacity: 1 };
}

function addPair(map, pane, style) {
  const under = map.shapes({ pane, style: () => casing(6), interactive: false });
  const over = map.shapes({ pane, style, interactive: false });
  return (features) => (under.setData(features), over.setData(features));
}

function addCased(map, pane, style, hearing) {
  const under = map.shapes({ pane, style: () => ({ ...casing(3), opacity: 0.6 }), interactive: false });
  const over = map.shapes({ pane, style, tip, ...hearing });
  return (features) => (under.setData(features), over.setData(features));
}

/** Adds the layer. `setGlacier({outlines, predicted})`, `update(values)`, `light(id)` for a row of the list. */
export function addYears(map, { onChoose }) {
  let data = { outlines: [], predicted: [], years: [] };
  const colourOf = (feature) => stepColour(yearOf(feature.properties.src_date), data.years);
  const all = addCased(map, "years", (feature) => lines(feature, colourOf(feature), 2), { onClick: onChoose });
  const predicted = addCased(map, "predicted", predictedStyle, { onClick: onChoose });
  const chosen = addPair(map, "chosen", chosenStyle);
  const compared = addPair(map, "chosen-left", chosenStyle);
  const lit = addPair(map, "chosen", (feature) => ({ ...lines(feature, cssValue("--lit"), 4), dashArray: null }));
  const known = (id) => [...data.outlines, ...data.predicted].filter((feature) => feature.properties.id === id);

  function update({ time, step, compare, layers, outline, scene }) {
    const drawn = "outlines" in layers;
    for (const pane of ["years", "chosen", "chosen-left"]) map.setPaneOpacity(pane, layers.outlines ?? 1);
    map.setPaneOpacity("predicted", layers.predicted ?? 1);
    const { year, network: besideNetwork, outline: other } = comparedWith(compare);
    const asked = outline ? known(outline)[0] : null;
    const now = asked ?? validAt(data.outlines, time, step);
    const then = besideNetwork ? now : other ? known(other)[0] : compare ? validAt(data.outlines, year, 1) : null;
    // While two are compared they stand alone.
    all(drawn && !compare ? data.outlines.filter((feature) => feature !== now) : []);
    chosen(drawn && now && !besideNetwork ? [now] : []);
    compared(drawn && then ? [then] : []);
    const ice = data.predicted.filter(({ properties }) => properties.product !== "snow_ice");
    const network = "predicted" in layers || besideNetwork ? predictedAt(ice, time, step, scene) : null;
    predicted(network ? [network] : []);
    return { now, network };
  }

  return {
    update,
    light: (id) => lit(id ? known(id) : []),
    setGlacier: ({ outlines, predicted }) => (data = { outlines, predicted, years: outlineYears(outlines) }),
  };
}
