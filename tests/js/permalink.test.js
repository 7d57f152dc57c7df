import assert from "node:assert/strict";
import test from "node:test";

import { QUARTER, YEAR } from "../../static/js/dates.js";
import { decode, encode } from "../../static/js/permalink.js";

const FULL = {
  place: { zoom: 11.5, lat: 46.01234, lon: -30.02 },
  time: 2025.5,
  step: QUARTER,
  glacier: "G330012E46010N",
  scene: "17",
  outline: "0190c0de-0000-7000-8000-000000000001",
  forecast: "3",
  compare: "1985",
  layers: { outlines: 1, "true-colour": 0.8, forecast: 0 },
  list: true,
};

test("a view that goes into the address comes back unchanged", () => {
  assert.deepEqual(decode(`#${encode(FULL)}`), FULL);
});

test("a thousand random views come back unchanged", () => {
  let seed = 7;
  const next = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let round = 0; round < 1000; round += 1) {
    const step = next() < 0.5 ? YEAR : QUARTER;
    const view = {
      place: { zoom: Math.round(next() * 68) / 4, lat: Number((next() * 170 - 85).toFixed(5)), lon: Number((next() * 360 - 180).toFixed(5)) },
      time: 1600 + Math.floor(next() * 500) + (step === QUARTER ? Math.floor(next() * 4) / 4 : 0),
      step,
      layers: { outlines: Math.round(next() * 100) / 100, ndsi: Math.round(next() * 100) / 100 },
    };
    assert.deepEqual(decode(encode(view)), view);
  }
});

test("an address of a later version is not guessed at", () => {
  assert.deepEqual(decode("#v=2&t=2016"), {});
  assert.deepEqual(decode(""), {});
});

test("what is malformed is left out and the rest is kept", () => {
  const view = decode("#v=1&map=99/100/0&t=16&g=G1&on=outlines:2,__proto__:1,ndsi:0.5,basemap");
  assert.deepEqual(view, { glacier: "G1", layers: { ndsi: 0.5 } });
});

test("slashes, colons and commas stay readable in the address", () => {
  assert.match(encode(FULL), /map=11\.5\/46\.01234\/-30\.02000&t=2025q3/);
});

test("a text that is too long for an identifier is refused", () => {
  assert.equal(decode(`#v=1&g=${"G".repeat(81)}`).glacier, undefined);
});
