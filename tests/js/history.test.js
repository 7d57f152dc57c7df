import assert from "node:assert/strict";
import test from "node:test";

import { QUARTER, YEAR } from "../../static/js/dates.js";
import { byDate, frameAt, predictedAt, validAt } from "../../static/js/history.js";
import { absence, choose, nearest } from "../../static/js/scenes.js";
import { timelineOf } from "../../static/js/selection.js";
import { moved } from "../../static/js/swipe.js";

function outline(id, from, to, preferred = true) {
  return { properties: { id, src_date: from, valid_from: preferred ? from : null, valid_to: to, preferred } };
}

const OUTLINES = [
  outline("a", "1985-08-31", "2003-09-12"),
  outline("b", "2003-09-13", "2016-08-30"),
  outline("c", "2016-08-31", null),
  outline("d", "2016-08-31", null, false),
];

function scene(id, acquired, { cloud = 0, refused = null, state = "stored" } = {}) {
  return { id, acquired, state, cloud_percent: cloud, refusals: { area: refused ? [{ rule: refused }] : [] }, tiles: { ndsi: "/t" } };
}

test("the outline of a year is the one that holds on its 31 December", () => {
  assert.equal(validAt(OUTLINES, 1984, YEAR), null);
  assert.equal(validAt(OUTLINES, 1985, YEAR).properties.id, "a");
  assert.equal(validAt(OUTLINES, 2003, YEAR).properties.id, "b");
  assert.equal(validAt(OUTLINES, 2024, YEAR).properties.id, "c");
});

test("within a year the quarter decides", () => {
  assert.equal(validAt(OUTLINES, 2016.25, QUARTER).properties.id, "b");
  assert.equal(validAt(OUTLINES, 2016.5, QUARTER).properties.id, "c");
});

test("two analyses of one date stand together, the preferred one first", () => {
  const [newest, ...others] = byDate([...OUTLINES].reverse());
  assert.equal(newest.date, "2016-08-31");
  assert.deepEqual(newest.analyses.map(({ properties }) => properties.id), ["c", "d"]);
  assert.equal(others.length, 2);
});

test("a predicted outline without flags is shown before a flagged one", () => {
  const features = [
    { properties: { id: 1, date: "2016-08-30", flags: ["cut"] } },
    { properties: { id: 2, date: "2016-10-30", flags: [] } },
  ];
  assert.equal(predictedAt(features, 2016, YEAR).properties.id, 2);
  assert.equal(predictedAt(features, 2015, YEAR), null);
});

test("the frame of a quarter is the one that holds its first day", () => {
  const frames = [{ start: "2024-10-01", end: "2025-01-01" }, { start: "2025-01-01", end: "2025-04-01" }];
  assert.equal(frameAt(frames, 2025, QUARTER), frames[1]);
  assert.equal(frameAt(frames, 2024.75, QUARTER), frames[0]);
  assert.equal(frameAt(frames, 2026, QUARTER), null);
});

test("the scene of a year passed the rules and lies near late summer", () => {
  const scenes = [scene(1, "2016-02-10"), scene(2, "2016-08-20", { refused: "cloud" }), scene(3, "2016-09-05"), scene(4, "2015-08-20")];
  assert.equal(choose(scenes, 2016, YEAR, "ndsi").id, 3);
  assert.equal(choose(scenes, 2016, YEAR, "true-colour"), null);
  assert.equal(choose(scenes, 2014, YEAR, "ndsi"), null);
  assert.equal(nearest(scenes, 2014, YEAR, "ndsi").id, 4);
});

test("on the southern hemisphere late summer is in February", () => {
  const scenes = [scene(1, "2016-02-20"), scene(2, "2016-08-20")];
  assert.equal(choose(scenes, 2016, YEAR, "ndsi", true).id, 1);
});

test("where no scene can be shown the reason is named", () => {
  const scenes = [scene(1, "1992-07-01", { refused: "cloud" }), scene(2, "1992-08-01", { refused: "cloud" })];
  assert.equal(absence(scenes, 1992, YEAR), "no scene in 1992: 2 refused for cloud");
  assert.equal(absence(scenes, 1993, YEAR), "no scene in 1993");
});

test("the time bar of a glacier reaches from its first outline to the end of its forecast", () => {
  const forecasts = [{ frames: [{ start: "2025-01-01", end: "2025-12-31", observed: false }] }];
  const bar = timelineOf({ outlines: OUTLINES, predicted: [], scenes: [scene(1, "2024-08-01")], forecasts }, 2026);
  assert.deepEqual(bar.span, [1985, 2025]);
  assert.deepEqual(bar.observed, [1985, 2025]);
  assert.deepEqual(bar.ticks.map(({ year }) => year), [1985, 2003, 2016]);
});

test("the divider moves by its keys and stays on the map", () => {
  assert.equal(moved(0.5, "ArrowRight"), 0.52);
  assert.equal(moved(0.01, "PageDown"), 0);
  assert.equal(moved(0.5, "End"), 1);
  assert.equal(moved(0.5, "x"), null);
});
