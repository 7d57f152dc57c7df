// A forecast on the map: one tile layer a frame, kept so that playing does not fetch twice; grey where it is not useful.

import { inColour } from "../forecasts.js";
import { frameAt } from "../history.js";

const KEPT = 16;

/** Adds the layer. `update(forecast, values)` returns the frame that is shown, or null. */
export function addFutures(map, { onState }) {
  const layers = new Map();
  let owner = null;

  function clear() {
    for (const layer of layers.values()) layer.remove();
    layers.clear();
  }

  function layerOf(forecast, frame) {
    if (!layers.has(frame.start)) {
      if (layers.size >= KEPT) {
        const [oldest, layer] = layers.entries().next().value;
        layer.remove();
        layers.delete(oldest);
      }
      const options = { pane: "forecast", url: frame.tiles, bbox: forecast.aoi.bbox, opacity: 0, className: "pixels", onState };
      layers.set(frame.start, map.tiles(options));
    }
    return layers.get(frame.start);
  }

  return {
    update(forecast, { time, step, layers: on }) {
      if (forecast?.id !== owner) clear();
      owner = forecast?.id;
      const frame = forecast && "forecast" in on ? frameAt(forecast.frames, time, step) : null;
      map.setPaneClass("forecast", "not-useful", Boolean(forecast && !inColour(forecast)));
      const shown = frame ? layerOf(forecast, frame) : null;
      for (const layer of layers.values()) layer.setOpacity(layer === shown ? on.forecast : 0);
      return frame;
    },
  };
}
