// Land polygons (Natural Earth) that need no network, and the online basemaps that an operator may offer.

import feature from "../../npm/topojson-client/src/feature.js";
import { cssValue, whenIdle } from "../dom.js";
import { threeWorlds } from "../rings.js";

const LAND = new URL("../../npm/world-atlas/land-50m.json", import.meta.url);
const COARSE_LAND = new URL("../../npm/world-atlas/land-110m.json", import.meta.url);
// Below this zoom a pixel is wider than what the finer polygons add.
const FINE_FROM_ZOOM = 4;
const CREDIT = 'Land: <a href="https://www.naturalearthdata.com">Natural Earth</a>';

function landStyle() {
  return { fillColor: cssValue("--land"), fillOpacity: 1, color: cssValue("--coast"), weight: 0.8 };
}

/**
 * Draws land: the coarse one at once, the finer one when the page is at rest and near enough to tell them apart.
 * `rested` is a promise. Returns `setOpacity`, `restyle`.
 */
export async function addLand(map, api, rested) {
  const draw = async (url, between) => {
    const { features } = feature(await api.asset(url.href), "land");
    return map.land(features.map((land) => ({ type: "Feature", properties: {}, geometry: threeWorlds(land.geometry, between) })), landStyle);
  };
  let land = await draw(COARSE_LAND);
  let finest = false;
  map.attribute(CREDIT);
  const refine = async () => {
    if (finest || map.zoom() < FINE_FROM_ZOOM) return;
    finest = true;
    const finer = await draw(LAND, [-210, 210]);
    land.remove();
    land = finer;
  };
  const later = () => whenIdle(() => refine().catch(() => (finest = false)));
  rested.then(() => (later(), map.on("zoomend", later)));
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
