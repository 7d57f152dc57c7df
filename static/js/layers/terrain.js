// Hillshade where there is an elevation model.

/** Adds hillshade of every elevation model. Returns `update(values)`. */
export function addTerrain(map, api, tiles) {
  let found = [];
  let layers = [];
  const ready = api.terrain().then((scenes) => (found = scenes.filter(({ state }) => state === "stored")));
  return {
    async update({ layers: on }) {
      await ready.catch(() => []);
      const wanted = "hillshade" in on;
      if (wanted && !layers.length) {
        const url = (scene) => scene.tiles?.hillshade ?? `${tiles}hillshade/${scene.id}/{z}/{x}/{y}.png`;
        layers = found.map((scene) => map.tiles({ pane: "hillshade", url: url(scene), bbox: scene.bbox }));
      }
      for (const layer of layers) layer.setOpacity(wanted ? on.hillshade : 0);
    },
  };
}
