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

/** The polygons of a land topology, and once more a world to the west and a world to the east. */
export function threeWorlds(geometry) {
  const polygons = geometry.type === "MultiPolygon" ? geometry.coordinates : [geometry.coordinates];
  const whole = polygons.map((rings) => rings.map(unwrapped));
  const moved = (by) => whole.map((rings) => rings.map((ring) => ring.map(([lon, lat]) => [lon + by, lat])));
  return { type: "MultiPolygon", coordinates: [...moved(-360), ...whole, ...moved(360)] };
}
