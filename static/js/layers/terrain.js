// Hillshade where there is an elevation model.

// Farther away relief is finer than a pixel, and every model would ask for tiles of a few pixels.
const FROM_ZOOM = 8;

/** Adds hillshade of every elevation model once the page is at rest (`rested`, a promise). Returns `update(values)`. */
export function addTerrain(map, api, rested) {
  let found = [];
  let layers = [];
  const ready = rested.then(() => api.terrain()).then((scenes) => (found = scenes.filter((scene) => scene.tiles?.hillshade)));
  return {
    async update({ layers: on }) {
      await ready.catch(() => []);
      const wanted = "hillshade" in on;
      if (wanted && !layers.length) {
        layers = found.map((scene) => map.tiles({ pane: "hillshade", url: scene.tiles.hillshade, bbox: scene.bbox, minZoom: FROM_ZOOM }));
      }
      for (const layer of layers) layer.setOpacity(wanted ? on.hillshade : 0);
    },
  };
}
