// How many outlines agree on a place: a count on a grid in the map's own projection. Pure: no map, no page.

const MOST_CELLS = 512;

function mercator([lon, lat]) {
  return [lon, (Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) * 180) / Math.PI];
}

function polygonsOf({ geometry }) {
  return geometry.type === "MultiPolygon" ? geometry.coordinates : [geometry.coordinates];
}

function ringsOf(feature) {
  return polygonsOf(feature).flat().map((ring) => ring.map(mercator));
}

/** A grid around rings: its corners in degrees, its size in cells of equal sides in the projection. */
function gridAround(rings) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of rings.flat()) {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  }
  const [west, south, east, north] = box;
  const cell = Math.max(east - west, north - south, 1e-9) / MOST_CELLS;
  return { west, north, cell, width: Math.max(1, Math.ceil((east - west) / cell)), height: Math.max(1, Math.ceil((north - south) / cell)) };
}

/** Where rings cross the middle of each row of cells, in cells from the west. */
function crossingsOf(rings, { west, north, cell, height }) {
  const rows = Array.from({ length: height }, () => []);
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i += 1) {
      const [[x0, y0], [x1, y1]] = [ring[i - 1], ring[i]].map(([x, y]) => [(x - west) / cell, (north - y) / cell]);
      const [top, bottom] = y0 < y1 ? [y0, y1] : [y1, y0];
      for (let row = Math.max(0, Math.ceil(top - 0.5)); row < Math.min(height, bottom - 0.5); row += 1) {
        rows[row].push(x0 + ((row + 0.5 - y0) / (y1 - y0)) * (x1 - x0));
      }
    }
  }
  return rows;
}

function addTo(counts, rings, grid) {
  crossingsOf(rings, grid).forEach((found, row) => {
    found.sort((a, b) => a - b);
    for (let i = 0; i + 1 < found.length; i += 2) {
      const last = Math.min(grid.width, Math.ceil(found[i + 1] - 0.5));
      for (let column = Math.max(0, Math.ceil(found[i] - 0.5)); column < last; column += 1) counts[row * grid.width + column] += 1;
    }
  });
}

/**
 * The share of outlines that hold each cell: {shares (Float32Array, row by row from the north), width, height,
 * bbox: [west, south, east, north] in degrees}. Holes count as outside. Null without outlines.
 */
export function agreementOf(features) {
  const all = features.map(ringsOf);
  if (!all.flat(2).length) return null;
  const grid = gridAround(all.flat());
  const counts = new Float32Array(grid.width * grid.height);
  for (const rings of all) addTo(counts, rings, grid);
  const latitude = (y) => (Math.atan(Math.exp((y * Math.PI) / 180)) * 360) / Math.PI - 90;
  const [east, south] = [grid.west + grid.width * grid.cell, grid.north - grid.height * grid.cell];
  return {
    shares: counts.map((count) => count / all.length),
    width: grid.width,
    height: grid.height,
    bbox: [grid.west, latitude(south), east, latitude(grid.north)],
  };
}
