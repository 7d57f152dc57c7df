// The picture of one scene on its page, in any style that can be drawn.

import { createApi } from "./api.js";
import { h } from "./dom.js";
import { createMap } from "./leaflet.js";

const NAMES = { "true-colour": "true colour", ndsi: "NDSI", hillshade: "hillshade", label: "label" };
const element = document.getElementById("scene-map");
const select = document.getElementById("style");

async function show() {
  const scene = await createApi(element.dataset.api).scene(element.dataset.scene);
  const [west, south, east, north] = scene.bbox;
  const map = createMap(element, { zoom: 9, lat: (south + north) / 2, lon: (west + east) / 2 });
  map.fit(scene.bbox, 14);
  let layer = null;
  const draw = () => {
    layer?.remove();
    layer = map.tiles({ pane: "scene", url: scene.tiles[select.value], bbox: scene.bbox, className: "pixels" });
  };
  select.replaceChildren(...Object.keys(scene.tiles).map((style) => h("option", { value: style }, NAMES[style] ?? style)));
  select.addEventListener("change", draw);
  if (select.value) draw();
}

show().catch((error) => element.replaceChildren(h("p", { class: "failure", role: "alert" }, error.message)));
