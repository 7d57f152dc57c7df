// Areas of interest that have a forecast or are simulated: a thin frame with a name that can be clicked, since not
// every one lies on one glacier.

import { cssValue } from "../dom.js";

function style() {
  return { color: cssValue("--ink-2"), weight: 1, dashArray: "2 3", fill: false, opacity: 0.9 };
}

function holds([west, south, east, north], { lat, lng }) {
  return lat >= south && lat <= north && lng >= west && lng <= east;
}

/** Adds the frames. Returns `setAreas(aois)`, `at(latlng)`: the area there or null, and `restyle()`. */
export function addAreas(map) {
  // Not interactive: a shape that catches the pointer would hide the outlines inside it.
  const shapes = map.shapes({ pane: "areas", style, interactive: false });
  let areas = [];
  let labels = [];
  return {
    setAreas(aois) {
      areas = aois.filter(({ has_forecast: has, simulated, polygon, bbox }) => (has || simulated) && polygon && bbox);
      for (const label of labels) label.remove();
      labels = areas.map(({ name, simulated, bbox: [west, , , north] }) => {
        const word = simulated && !/simulated/i.test(name) ? " (simulated)" : "";
        return map.label([north, west], `${name}${word}`);
      });
      shapes.setData(areas.map(({ polygon, ...properties }) => ({ type: "Feature", geometry: polygon, properties })));
    },
    at: (latlng) => areas.find(({ bbox }) => holds(bbox, latlng)) ?? null,
    restyle: () => shapes.restyle(),
  };
}
