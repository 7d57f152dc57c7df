// How fast what is seen moved between two scenes: the field of the moment, or the one that was asked for.

import { flowAt } from "../history.js";

/** Adds the layer. `update(data, values)` returns the field that is drawn, or null. */
export function addFlow(map, { onState }) {
  let layer = null;
  let owner = null;
  return {
    update({ flows, scenes }, { time, step, flow, layers }) {
      const field = "flow" in layers ? flowAt(flows, time, step, flow) : null;
      if ((field?.id ?? null) !== owner) {
        layer?.remove();
        const bbox = scenes.find(({ id }) => id === field?.first.id)?.bbox;
        layer = field ? map.tiles({ pane: "flow", url: field.tiles, bbox, className: "pixels", onState }) : null;
        owner = field?.id ?? null;
      }
      layer?.setOpacity(layers.flow ?? 1);
      return field;
    },
  };
}
