import assert from "node:assert/strict";
import test from "node:test";

import {
  createAxis, daysSinceEpoch, decimalYear, firstDay, inMoment, labelledYears, lastDay, momentLabel, momentOf,
  nextWithData, QUARTER, spanOf, YEAR, yearOfDays,
} from "../../static/js/dates.js";

test("days since 1970 agree with the calendar, before it too", () => {
  assert.equal(daysSinceEpoch(1970, 1, 1), 0);
  assert.equal(daysSinceEpoch(2016, 8, 31), 17044);
  assert.equal(daysSinceEpoch(1850, 1, 1), -43829);
  assert.equal(yearOfDays(daysSinceEpoch(1850, 12, 31)), 1850);
});

test("the last day of a year and of each quarter", () => {
  assert.equal(lastDay(2016, YEAR), daysSinceEpoch(2016, 12, 31));
  const ends = [0, 0.25, 0.5, 0.75].map((part) => lastDay(2016 + part, QUARTER));
  assert.deepEqual(ends, [[3, 31], [6, 30], [9, 30], [12, 31]].map(([month, day]) => daysSinceEpoch(2016, month, day)));
});

test("a decimal year grows with the day and is whole on 1 January", () => {
  assert.equal(decimalYear("2016-01-01"), 2016);
  assert.equal(decimalYear("2016-01-01T23:59:59Z"), 2016);
  assert.equal(decimalYear("2015-07-02"), 2015 + 182 / 365);
  assert.ok(decimalYear("2016-12-31") < 2017);
});

test("a date lies in its year and in exactly one of its quarters", () => {
  for (const date of ["2016-01-01", "2016-03-31", "2016-04-01", "2016-08-31", "2016-12-31"]) {
    assert.ok(inMoment(date, 2016, YEAR));
    assert.ok(!inMoment(date, 2015, YEAR));
    const quarters = [0, 0.25, 0.5, 0.75].filter((part) => inMoment(date, 2016 + part, QUARTER));
    assert.equal(quarters.length, 1, date);
  }
});

test("the first day of a quarter lies in that quarter by the calendar", () => {
  assert.deepEqual([0, 0.25, 0.5, 0.75].map((part) => firstDay(2025 + part, QUARTER)), ["2025-01-01", "2025-04-01", "2025-07-01", "2025-10-01"]);
  for (const part of [0, 0.25, 0.5, 0.75]) assert.ok(inMoment(firstDay(2025 + part, QUARTER), 2025 + part, QUARTER));
});

test("labels name years and quarters", () => {
  assert.equal(momentLabel(2016, YEAR), "2016");
  assert.equal(momentLabel(2016.75, QUARTER), "2016 Q4");
});

test("positions of the range input and moments are each other's inverse", () => {
  for (const step of [YEAR, QUARTER]) {
    const axis = createAxis([1985, 2025], step, 900);
    assert.equal(axis.count, 41 / step);
    for (let index = 0; index < axis.count; index += 1) assert.equal(axis.indexOf(axis.timeAt(index)), index);
    assert.equal(axis.indexOf(1800), 0);
    assert.equal(axis.indexOf(2100), axis.count - 1);
  }
});

test("the axis shows its first and its last year to their ends", () => {
  const axis = createAxis([1985, 2024], YEAR, 800);
  assert.equal(axis.x(1985), 0);
  assert.equal(axis.x(2025), 800);
  assert.equal(axis.cell, 20);
  assert.equal(axis.decimal(axis.x(2003.25)), 2003.25);
});

test("a moment is rounded down to its step", () => {
  assert.equal(momentOf(2016.66, YEAR), 2016);
  assert.equal(momentOf(2016.66, QUARTER), 2016.5);
});

test("stepping to the next year with data skips the empty ones and ends at the ends", () => {
  const years = [2003, 1985, 2016, 2003];
  assert.equal(nextWithData(years, 2003, 1), 2016);
  assert.equal(nextWithData(years, 2003, -1), 1985);
  assert.equal(nextWithData(years, 2016, 1), null);
  assert.equal(nextWithData(years, 1985, -1), null);
});

test("labels under the axis keep their distance", () => {
  for (const width of [320, 600, 1200]) {
    const years = labelledYears([1850, 2025], width);
    const axis = createAxis([1850, 2025], YEAR, width);
    for (let index = 1; index < years.length; index += 1) assert.ok(axis.x(years[index]) - axis.x(years[index - 1]) >= 56);
    assert.ok(years.length >= 2);
  }
});

test("a span without dates is the last forty years", () => {
  assert.deepEqual(spanOf([], 2024), [1984, 2024]);
  assert.deepEqual(spanOf([2003, 1985.7, Number.NaN], 2024), [1985, 2003]);
});
