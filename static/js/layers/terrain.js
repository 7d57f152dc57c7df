// Hillshade where there is an elevation model.

/** Adds hillshade of every elevation model. Returns `update(values)`. */
export function addTerrain(map, api) {
  let found = [];
  let layers = [];
  const ready = api.terrain().then((scenes) => (found = scenes.filter((scene) => scene.tiles?.hillshade)));
  return {
    async update({ layers: on }) {
      await ready.catch(() => []);
      const wanted = "hillshade" in on;
      if (wanted && !layers.length) {
        layers = found.map((scene) => map.tiles({ pane: "hillshade", url: scene.tiles.hillshade, bbox: scene.bbox }));
      }
      for (const layer of layers) layer.setOpacity(wanted ? on.hillshade : 0);
    },
  };
}
