// Probability of ice of the scene that is shown: one hue, one layer.

/** Adds the layer. `update(scene, values)` returns the mask that is shown, or null. */
export function addMasks(map) {
  let layer = null;
  let url = "";
  return {
    update(scene, { layers }) {
      const mask = "mask" in layers ? (scene?.masks?.find(({ product }) => product === "ice") ?? scene?.masks?.[0]) : null;
      const next = mask?.tiles ?? "";
      if (next !== url) {
        layer?.remove();
        layer = next ? map.tiles({ pane: "mask", url: next, bbox: scene.bbox, className: "pixels" }) : null;
        url = next;
      }
      layer?.setOpacity(layers.mask ?? 1);
      return mask ?? null;
    },
  };
}
