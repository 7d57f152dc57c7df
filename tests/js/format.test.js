import assert from "node:assert/strict";
import test from "node:test";

import { area, areaWithInterval, coordinates, count, dateAsKnown, duration, number, percent, signedPercent } from "../../static/js/format.js";

const THIN = "\u2009";

test("numbers have a true minus sign and none on zero", () => {
  assert.equal(number(-0.9, 1), "−0.9");
  assert.equal(number(-0.001, 2), "0.00");
  assert.equal(number(null), "–");
  assert.equal(number(Number.NaN), "–");
});

test("an area has its unit after a thin space and decimals by its size", () => {
  assert.equal(area(2.4123), `2.41${THIN}km²`);
  assert.equal(area(0.0834), `0.083${THIN}km²`);
  assert.equal(area(812.34), `812.3${THIN}km²`);
  assert.equal(area(null), "–");
});

test("a symmetric interval is written with ±, a skew one from and to", () => {
  assert.equal(areaWithInterval(2.41, 2.33, 2.49), `2.41 ± 0.08${THIN}km²`);
  assert.equal(areaWithInterval(2.4, 2.3, 2.7), `2.40 (2.30 to 2.70)${THIN}km²`);
  assert.equal(areaWithInterval(2.4, null, null), `2.40${THIN}km²`);
});

test("a share becomes a percentage and a change keeps its sign", () => {
  assert.equal(percent(0.384), `38${THIN}%`);
  assert.equal(signedPercent(0.5, 1), `+0.5${THIN}%`);
  assert.equal(signedPercent(-0.93), `−0.93${THIN}%`);
});

test("a date is written as far as it is known", () => {
  assert.equal(dateAsKnown("1966-01-01", "year"), "1966");
  assert.equal(dateAsKnown("2016-08-31", "day"), "2016-08-31");
  assert.equal(dateAsKnown("2016-08-01", "month"), "2016-08");
  assert.equal(dateAsKnown("2019-07-01", "quarter"), "2019 Q3");
  assert.equal(dateAsKnown("2003-01-01", "interval", "2004-12-31"), "2003-01-01 to 2004-12-31");
  assert.equal(dateAsKnown(null, "day"), "no date");
});

test("coordinates name their hemisphere and longitudes wrap", () => {
  assert.equal(coordinates(46.01, -30.02, 2), `46.01°${THIN}N 30.02°${THIN}W`);
  assert.equal(coordinates(-54.8, 330, 1), `54.8°${THIN}S 30.0°${THIN}W`);
});

test("counts agree in number and durations in unit", () => {
  assert.equal(count(1, "scene"), "1 scene");
  assert.equal(count(3, "analysis", "analyses"), "3 analyses");
  assert.equal(duration(45), `45${THIN}s`);
  assert.equal(duration(200), `3${THIN}min 20${THIN}s`);
  assert.equal(duration(3900), `1${THIN}h 05${THIN}min`);
});
