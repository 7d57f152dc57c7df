// Rings of polygons on a map that goes round the world. Pure.

/** A ring whose longitudes never jump; one around a pole, which cannot be closed that way, stays as it is. */
export function unwrapped(ring) {
  let shift = 0;
  const found = ring.map(([lon, lat], index) => {
    const before = index ? ring[index - 1][0] : lon;
    if (lon - before > 180) shift -= 360;
    if (lon - before < -180) shift += 360;
    return [lon + shift, lat];
  });
  return shift === 0 ? found : ring;
}

function reaches(rings, [west, east]) {
  const longitudes = rings[0].map(([lon]) => lon);
  return Math.max(...longitudes) >= west && Math.min(...longitudes) <= east;
}

/**
 * The polygons of a land topology, once more a world to the west and a world to the east, as far as they reach between
 * two longitudes (all of them without).
 */
export function threeWorlds(geometry, between = [-540, 540]) {
  const polygons = geometry.type === "MultiPolygon" ? geometry.coordinates : [geometry.coordinates];
  const whole = polygons.map((rings) => rings.map(unwrapped));
  const moved = (by) => whole.map((rings) => rings.map((ring) => ring.map(([lon, lat]) => [lon + by, lat])));
  const found = [...moved(-360), ...whole, ...moved(360)].filter((rings) => reaches(rings, between));
  return { type: "MultiPolygon", coordinates: found };
}
