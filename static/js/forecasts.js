// What may be said of a forecast, and how it is drawn. Pure: no map, no page.

import { momentLabel, momentOfDate, QUARTER } from "./dates.js";

const NAMES = {
  residual: "default forecaster",
  default: "default forecaster",
  "default-forecaster": "default forecaster",
  "residual-forecaster": "default forecaster",
  lstm: "LSTM",
  "conv-lstm": "ConvLSTM",
};

/** Whether it is a spatial transfer: taught on other places of the same dates, so it is no forecast. */
export function isTransfer({ nature }) {
  return nature === "spatial transfer";
}

/** Whether it is drawn in colour: a useful forecast, or a spatial transfer that surely beats each of its baselines. */
export function inColour(forecast) {
  const pooled = (forecast.skill ?? []).filter(({ lead }) => lead === 0);
  const beatsAll = pooled.length > 0 && pooled.every(({ lo }) => lo !== null && lo > 0);
  return isTransfer(forecast) ? beatsAll : forecast.useful;
}

/** The network in words. */
export function networkName({ version }) {
  const architecture = version?.architecture?.replaceAll("_", "-");
  const name = NAMES[architecture] ?? architecture ?? "network";
  return version?.preset && version.preset !== "default" ? `${name} (${version.preset})` : name;
}

function quarterOf(frame) {
  return momentLabel(momentOfDate(frame.start, QUARTER), QUARTER);
}

/** Lead time and issue date in words, for the frame that is shown (null for none). */
export function leadWords(forecast, frame) {
  const transfer = isTransfer(forecast);
  if (!frame) return `${transfer ? "Computed" : "Issued"} ${forecast.issued}. No frame at the chosen time: move the time bar into the hatched span.`;
  if (frame.observed) return `${quarterOf(frame)}: observed, before the forecast was issued on ${forecast.issued}.`;
  const seen = forecast.frames.filter(({ observed }) => observed);
  if (transfer) {
    const from = seen.length ? ` from ${quarterOf(seen[0])} to ${quarterOf(seen.at(-1))}` : "";
    return `Spatial transfer for ${quarterOf(frame)}${from}: not a forecast.`;
  }
  return `Forecast for ${quarterOf(frame)}: ${frame.lead * forecast.step_months} months ahead (lead ${frame.lead}), issued ${forecast.issued}.`;
}
