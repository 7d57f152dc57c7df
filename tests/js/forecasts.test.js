import assert from "node:assert/strict";
import test from "node:test";

import { inColour, leadWords, networkName } from "../../static/js/forecasts.js";

const FRAMES = [
  { start: "2019-01-01", end: "2019-04-01", lead: 0, observed: true },
  { start: "2019-04-01", end: "2019-07-01", lead: 0, observed: true },
  { start: "2019-07-01", end: "2019-10-01", lead: 1, observed: false },
];

function forecast(values) {
  return { nature: "forecast", useful: true, issued: "2019-07-01", step_months: 3, frames: FRAMES, skill: [], ...values };
}

test("a forecast is drawn in colour only where the hindcast found it useful", () => {
  assert.equal(inColour(forecast({ useful: true })), true);
  assert.equal(inColour(forecast({ useful: false, skill: [{ lead: 0, lo: 0.1 }] })), false);
});

test("a spatial transfer is drawn in colour only where it surely beats every baseline", () => {
  const transfer = (...lows) => forecast({ nature: "spatial transfer", useful: false, skill: lows.map((lo) => ({ lead: 0, lo })) });
  assert.equal(inColour(transfer(0.8, 0.4)), true);
  assert.equal(inColour(transfer(0.8, -0.1)), false);
  assert.equal(inColour(transfer(0.8, null)), false);
  assert.equal(inColour(transfer()), false);
});

test("the lead is told in months, and what was observed is not called a forecast", () => {
  assert.equal(leadWords(forecast(), FRAMES[2]), "Forecast for 2019 Q3: 3 months ahead (lead 1), issued 2019-07-01.");
  assert.match(leadWords(forecast(), FRAMES[0]), /^2019 Q1: observed/);
  assert.match(leadWords(forecast(), null), /No frame at the chosen time/);
});

test("a spatial transfer says where it comes from and that it is no forecast", () => {
  const words = leadWords(forecast({ nature: "spatial transfer" }), FRAMES[2]);
  assert.equal(words, "Spatial transfer for 2019 Q3 from 2019 Q1 to 2019 Q2: not a forecast.");
});

test("networks have their names", () => {
  assert.equal(networkName({ version: { architecture: "conv_lstm", preset: "small" } }), "ConvLSTM (small)");
  assert.equal(networkName({ version: null }), "network");
});
