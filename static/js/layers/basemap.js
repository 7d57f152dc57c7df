// Land polygons (Natural Earth) that need no network, and the online basemaps that an operator may offer.

import feature from "../../npm/topojson-client/src/feature.js";
import { cssValue } from "../dom.js";
import { threeWorlds } from "../rings.js";

const LAND = new URL("../../npm/world-atlas/land-50m.json", import.meta.url);
const COARSE_LAND = new URL("../../npm/world-atlas/land-110m.json", import.meta.url);
const CREDIT = 'Land: <a href="https://www.naturalearthdata.com">Natural Earth</a>';

function landStyle() {
  return { fillColor: cssValue("--land"), fillOpacity: 1, color: cssValue("--coast"), weight: 0.8 };
}

/** Draws land; the coarse one at once, the finer one when the page is quiet. Returns `setOpacity`, `restyle`. */
export async function addLand(map, api) {
  const draw = async (url) => {
    const topology = await api.asset(url.href);
    const { features } = feature(topology, "land");
    return map.land(features.map((land) => ({ type: "Feature", properties: {}, geometry: threeWorlds(land.geometry) })), landStyle);
  };
  let land = await draw(COARSE_LAND);
  map.attribute(CREDIT);
  const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 1500));
  idle(async () => {
    const finer = await draw(LAND);
    land.remove();
    land = finer;
  });
  return { setOpacity: (value) => land.setOpacity(value), restyle: () => land.restyle() };
}

/** Online basemaps of the settings: {name: {url, attribution}}. One at a time, none by default. */
export function addOnline(map, basemaps) {
  let shown = null;
  let name = "";
  return {
    show(next, opacity) {
      if (next !== name) {
        shown?.remove();
        shown = next && basemaps[next] ? map.tiles({ pane: "online", url: basemaps[next].url }) : null;
        if (shown && basemaps[next].attribution) map.attribute(basemaps[next].attribution);
        name = next;
      }
      shown?.setOpacity(opacity);
    },
  };
}
