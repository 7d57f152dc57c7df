// The moment's scene under the outlines: true colour, NDSI, or radar backscatter or coherence; another one on the left while dates are compared.

import { comparedWith } from "../compare.js";
import { YEAR } from "../dates.js";
import { choose } from "../scenes.js";

export const STYLES = ["true-colour", "ndsi", "backscatter", "coherence"];

function layerOf(map, pane, onState) {
  let layer = null;
  let url = "";
  return (scene, style, opacity) => {
    const next = scene ? scene.tiles[style] : "";
    if (next !== url) {
      layer?.remove();
      layer = next ? map.tiles({ pane, url: next, bbox: scene.bbox, className: "pixels", onState }) : null;
      url = next;
    }
    layer?.setOpacity(opacity);
  };
}

/** The scene that a state shows: the one that was asked for by id, else the best of the moment. */
export function sceneOf(scenes, { scene, time, step, layers }) {
  const style = STYLES.find((name) => name in layers);
  if (!style) return { style: null, scene: null };
  const asked = scene ? scenes.find(({ id }) => String(id) === scene) : null;
  return { style, scene: asked?.tiles?.[style] ? asked : choose(scenes, time, step, style) };
}

/** The layers with the one way in which a scene can be drawn, where the way that is on cannot draw it (radar, optical). */
export function layersFor(scene, layers) {
  const on = STYLES.filter((style) => style in layers);
  const able = STYLES.find((style) => scene.tiles?.[style]);
  if (!on.length || !able || on.some((style) => scene.tiles[style])) return layers;
  const others = Object.entries(layers).filter(([name]) => !STYLES.includes(name));
  return { ...Object.fromEntries(others), [able]: layers[on[0]] };
}

/** Adds the layer. `update(scenes, values)` returns what is shown: {scene, style}. */
export function addScenes(map, { onState }) {
  const right = layerOf(map, "scene", onState);
  const left = layerOf(map, "scene-left", () => {});
  return {
    update(scenes, values) {
      const shown = sceneOf(scenes, values);
      const opacity = values.layers[shown.style] ?? 1;
      right(shown.scene, shown.style, opacity);
      const { year } = comparedWith(values.compare);
      const beside = year === undefined ? shown.scene : choose(scenes, year, YEAR, shown.style);
      const then = values.compare && shown.style ? beside : null;
      left(then, shown.style, opacity);
      return shown;
    },
  };
}
