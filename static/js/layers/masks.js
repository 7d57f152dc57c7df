// Probability of ice of the scene that is shown: one hue, one layer. A scene's masks are asked for when they are wanted.

/** Adds the layer. `update(scene, values)` shows; `onShown(mask)` is told what is drawn (null for none). */
export function addMasks(map, { api, onShown }) {
  let layer = null;
  let key = "";

  function clear() {
    layer?.remove();
    layer = null;
    onShown(null);
  }

  async function draw(scene, opacity, mine) {
    const masks = await api.masks(scene.id).catch(() => []);
    const mask = masks.find(({ product }) => product === "ice") ?? masks[0];
    if (key !== mine || !mask) return;
    layer = map.tiles({ pane: "mask", url: mask.tiles, bbox: scene.bbox, opacity, className: "pixels" });
    onShown(mask);
  }

  return {
    update(scene, { layers }) {
      const next = scene && "mask" in layers ? String(scene.id) : "";
      if (next === key) {
        layer?.setOpacity(layers.mask ?? 1);
        return;
      }
      key = next;
      clear();
      if (next) draw(scene, layers.mask, next);
    },
  };
}
