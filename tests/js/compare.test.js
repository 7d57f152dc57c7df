import assert from "node:assert/strict";
import test from "node:test";

import { agreementOf } from "../../static/js/agreement.js";
import { colourAt, stepColour, steps } from "../../static/js/colours.js";
import { comparable, comparedWith, sidesOf } from "../../static/js/compare.js";
import { YEAR } from "../../static/js/dates.js";
import { flowAt } from "../../static/js/history.js";

const box = (west, south, east, north) => [[west, south], [east, south], [east, north], [west, north], [west, south]];
const outline = (rings) => ({ geometry: { type: "MultiPolygon", coordinates: [rings] }, properties: {} });
const at = ({ shares, width, height, bbox: [west, south, east, north] }, lon, lat) => {
  const y = (degrees) => Math.log(Math.tan(Math.PI / 4 + (degrees * Math.PI) / 360));
  const column = Math.floor(((lon - west) / (east - west)) * width);
  const row = Math.floor(((y(north) - y(lat)) / (y(north) - y(south))) * height);
  return shares[row * width + column];
};

test("the share of outlines that cover a place is counted, and a hole is outside", () => {
  const found = agreementOf([outline([box(10, 46, 12, 48)]), outline([box(10, 46, 11, 48), box(10.2, 46.5, 10.6, 47.5)])]);
  assert.equal(at(found, 11.5, 47), 0.5);
  assert.equal(at(found, 10.8, 47), 1);
  assert.equal(at(found, 10.4, 47), 0.5);
});

test("the agreement of one outline has its area, to the cells at its edge", () => {
  const turn = Array.from({ length: 721 }, (_, i) => (i * Math.PI) / 360);
  const found = agreementOf([outline([turn.map((t) => [20 + Math.cos(t), 1e-3 * Math.sin(t)])])]);
  const { shares, width, height } = found;
  const share = shares.reduce((sum, one) => sum + one, 0) / (width * height);
  assert.ok(height < width);
  const circle = agreementOf([outline([turn.map((t) => [20 + 1e-3 * Math.cos(t), 1e-3 * Math.sin(t)])])]);
  const part = circle.shares.reduce((sum, one) => sum + one, 0) / (circle.width * circle.height);
  assert.ok(Math.abs(part - Math.PI / 4) < 0.01, String(part));
  assert.ok(share > 0);
  assert.equal(agreementOf([]), null);
});

test("a colour between two stops is their mixture, and beyond the ends it stays", () => {
  const stops = [[0, "#000000"], [0.5, "#808080"], [1, "#ffffff"]];
  assert.deepEqual(colourAt(stops, 0.25), [64, 64, 64]);
  assert.deepEqual(colourAt(stops, 0), [0, 0, 0]);
  assert.deepEqual(colourAt(stops, 1), [255, 255, 255]);
});

const drawn = (id, date, more = {}) => ({ properties: { id, src_date: date, preferred: true, valid_from: date, valid_to: null, ...more } });
const OUTLINES = [
  drawn("a", "1969-09-01", { valid_to: "2016-08-26" }),
  drawn("b", "2016-08-27", { analyst: "One" }),
  drawn("c", "2016-08-27", { analyst: "Two", preferred: false, source: { name: "Inventory" } }),
];

test("a year, the network and another analysis can stand left of the divider", () => {
  assert.deepEqual(comparedWith("1969"), { year: 1969 });
  assert.deepEqual(comparedWith("network"), { network: true });
  assert.deepEqual(comparedWith("c"), { outline: "c" });
  assert.deepEqual(comparedWith(null), {});
  const values = { time: 2016, step: YEAR, compare: "1990" };
  const found = comparable({ outlines: OUTLINES, predicted: [{}] }, values).map(([value]) => value);
  assert.deepEqual(found, ["network", "c", "2016", "1969", "1990"]);
});

test("both sides of the divider are named", () => {
  const sides = (compare) => sidesOf({ outlines: OUTLINES }, { time: 2016, step: YEAR, compare });
  assert.deepEqual(sides("1969"), ["1969", "2016"]);
  assert.deepEqual(sides("network"), ["analysts, 2016", "network, 2016"]);
  assert.deepEqual(sides("c"), ["Two, Inventory", "One, 2016-08-27"]);
});

test("the displacement of a moment is the asked one, else the nearest that spans it", () => {
  const field = (id, from, to) => ({ id, first: { acquired: from }, second: { acquired: to } });
  const fields = [field(1, "2015-08-01", "2016-08-01"), field(2, "2016-02-01", "2016-11-01"), field(3, "2018-01-01", "2019-01-01")];
  assert.equal(flowAt(fields, 2016, YEAR).id, 2);
  assert.equal(flowAt(fields, 2015, YEAR).id, 1);
  assert.equal(flowAt(fields, 2016, YEAR, "3").id, 3);
  assert.equal(flowAt(fields, 2022, YEAR), null);
});

test("the years of a glacier take equal steps from pale to dark, however far apart they lie", () => {
  const years = [1850, 1998, 1999, 2016];
  const shown = years.map((year) => stepColour(year, years));
  assert.equal(new Set(shown).size, 4);
  assert.deepEqual([shown[0], shown[3]], ["#fdebac", "#331067"]);
  assert.match(steps(years), /^linear-gradient\(to right, #fdebac 0\.0% 25\.0%, .*#331067 75\.0% 100\.0%\)$/);
  assert.equal(stepColour(2016, [2016]), "#331067");
});
