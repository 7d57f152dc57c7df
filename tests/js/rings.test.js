import assert from "node:assert/strict";
import test from "node:test";

import { threeWorlds, unwrapped } from "../../static/js/rings.js";

test("a ring across the antimeridian gets longitudes that do not jump", () => {
  const chukotka = [[170, 60], [179, 65], [-175, 66], [179, 70], [170, 60]];
  assert.deepEqual(unwrapped(chukotka), [[170, 60], [179, 65], [185, 66], [179, 70], [170, 60]]);
});

test("a ring around the pole and one that crosses nothing stay as they are", () => {
  const antarctica = [[-180, -90], [-180, -80], [-60, -75], [60, -75], [180, -80], [180, -90], [-180, -90]];
  assert.deepEqual(unwrapped(antarctica), antarctica);
  const plain = [[0, 0], [1, 0], [1, 1], [0, 0]];
  assert.deepEqual(unwrapped(plain), plain);
});

test("land stands in three worlds side by side", () => {
  const { coordinates } = threeWorlds({ type: "Polygon", coordinates: [[[0, 0], [1, 0], [1, 1], [0, 0]]] });
  assert.deepEqual(coordinates.map(([[first]]) => first[0]), [-360, 0, 360]);
});

test("land that is only seen near is repeated no further than the eye reaches", () => {
  const far = { type: "Polygon", coordinates: [[[100, 0], [110, 0], [110, 1], [100, 0]]] };
  const edge = { type: "Polygon", coordinates: [[[170, 0], [179, 0], [179, 1], [170, 0]]] };
  const firsts = (geometry) => threeWorlds(geometry, [-210, 210]).coordinates.map(([[first]]) => first[0]);
  assert.deepEqual(firsts(far), [100]);
  assert.deepEqual(firsts(edge), [-190, 170]);
});
