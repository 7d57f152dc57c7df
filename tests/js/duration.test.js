import assert from "node:assert/strict";
import test from "node:test";

import { clock, timeLeft } from "../../static/js/duration.js";

test("what is left follows from the speed so far, and nothing is told before there is any", () => {
  const started = "2026-01-01T00:00:00Z";
  const now = Date.parse("2026-01-01T00:01:00Z");
  assert.match(timeLeft({ started, progress: 0.25 }, now), /^about 3\smin 00\ss left$/u);
  assert.equal(timeLeft({ started, progress: 0.001 }, now), "");
  assert.equal(timeLeft({ started: null, progress: 0 }, now), "");
});

test("an instant is shown to the second, and a missing one in words", () => {
  assert.equal(clock("2026-01-31T12:00:05.123Z"), "2026-01-31 12:00:05");
  assert.equal(clock(null), "not yet");
});
