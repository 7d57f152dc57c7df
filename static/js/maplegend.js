// The legend at the foot of the map: only what is drawn right now.

import { outlineLegend, rasterLegend } from "./legends.js";
import { h } from "./dom.js";
import { count, dateAsKnown } from "./format.js";
import { inColour, isTransfer } from "./forecasts.js";
import { outlineYears } from "./history.js";
import { refusals } from "./scenes.js";

const TITLES = { ndsi: "NDSI of the scene", backscatter: "Radar backscatter of the scene (dB)", coherence: "Coherence of the scene (0 to 1)", mask: "Probability of ice" };

// Where outlines are drawn at all, and where none is small enough any more to be drawn as a square.
const [OUTLINES_FROM, WHOLE_FROM] = [8, 13];

function sceneWords(scene) {
  const refused = refusals(scene)[0];
  const why = refused ? `, refused by the ${refused.profile} profile (${refused.rule.replaceAll("_", " ")})` : "";
  return `Scene of ${dateAsKnown(scene.acquired, scene.date_precision)}${scene.simulated ? ", simulated" : ""}${why}`;
}

function flowWords({ nature, first, second, simulated }) {
  return `${nature}, ${first.acquired.slice(0, 10)} to ${second.acquired.slice(0, 10)}${simulated ? ", simulated" : ""}`;
}

function agreementWords({ n, from, to }) {
  return `share of ${count(n, "outline")} of ${from === to ? from : `${from}–${to}`} that covers a place`;
}

/** Creates the legend. `show(what)` with {span, values, scene, style, mask, forecast, frame, simulated, message}. */
export function createMapLegend(element, colourMaps) {
  const body = element.querySelector(".legend-body");
  element.open = !window.matchMedia("(max-width: 700px)").matches;
  return {
    async show({ span, values, scene, style, mask, forecast, frame, simulated, message, flow, agreement, zoom, data }) {
      const maps = (await colourMaps.catch(() => null)) ?? {};
      const { layers } = values;
      const entries = [];
      if ("outlines" in layers || "predicted" in layers) {
        entries.push(outlineLegend(span, { years: outlineYears(data.outlines), simulated, predicted: "predicted" in layers && !(values.glacier && !data.predicted.length), chosen: Boolean(values.glacier), small: zoom >= OUTLINES_FROM && zoom < WHOLE_FROM }));
      }
      if (scene && TITLES[style] && maps[style]) entries.push(rasterLegend(maps[style], TITLES[style]));
      if (mask && maps.probability) entries.push(rasterLegend(maps.probability, TITLES.mask));
      if (frame && forecast.legend) {
        entries.push(rasterLegend({ ...forecast.legend, useful: inColour(forecast), label: inColour(forecast) ? forecast.legend.label : "not useful: not better than its baselines" }, isTransfer(forecast) ? "NDSI, spatial transfer" : "NDSI forecast"));
      }
      if (flow && maps.speed) entries.push(rasterLegend({ ...maps.speed, label: flowWords(flow) }, "Speed (m a year)"));
      if (agreement && maps.probability) entries.push(rasterLegend({ ...maps.probability, threshold: null, label: agreementWords(agreement) }, "Agreement of outlines"));
      const scenery = scene ? h("p", { class: "quiet" }, sceneWords(scene)) : null;
      const said = message ? h("p", { class: "quiet" }, message) : null;
      body.replaceChildren(...[...entries, scenery, said].filter(Boolean));
      element.hidden = !body.childElementCount;
    },
  };
}
