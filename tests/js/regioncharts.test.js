import assert from "node:assert/strict";
import test from "node:test";

import { bars, decades, fitted } from "../../static/js/regioncharts.js";

test("the fit of a region goes through the weighted centre of its years with the slope given", () => {
  const points = [2000, 2005, 2020].map((year, k) => [year, Math.log(3) - 0.01 * (year - 2000), k + 1]);
  const [[first, begin], [last, end]] = fitted(points, -0.01);
  assert.deepEqual([first, last], [2000, 2020]);
  assert.ok(Math.abs(begin - 3) < 1e-12);
  assert.ok(Math.abs(end - 3 * Math.exp(-0.2)) < 1e-12);
});

test("bins without a glacier are bars of height zero, and bars stand in the middle of their bins", () => {
  const found = bars([[-1.3, 2], [-1, 1]]);
  assert.deepEqual(found.map(([x, n]) => [Number(x.toFixed(3)), n]), [[-1.25, 2], [-1.15, 0], [-1.05, 0], [-0.95, 1]]);
});

test("a logarithmic axis ends on 1, 2 or 5 times a power of ten around all areas", () => {
  assert.deepEqual(decades([0.34, 6.5]), { min: 0.2, max: 10 });
  assert.deepEqual(decades([3.3, 4.9]), { min: 2, max: 5 });
  assert.deepEqual(decades([1, 100]), { min: 1, max: 100 });
});
