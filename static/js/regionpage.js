// The trend of a region on its page, by both methods, with how many glaciers and observations stand behind it.

import { createApi } from "./api.js";
import { h } from "./dom.js";
import { count, signedPercent } from "./format.js";
import { table } from "./tables.js";
import { notes, simulatedBadge } from "./panel/heading.js";
import { empty, failure, skeleton } from "./panel/section.js";

const element = document.getElementById("trend");
const { api: base, region } = element.dataset;

function rows({ method_1: first, method_2: second }) {
  return [
    ["Mean of the glaciers' slopes, weighted by their observations", first],
    ["Geometric mean of area, the same glaciers each year", second?.balanced],
    ["Geometric mean of area, as published", second?.paper],
  ].filter(([, slope]) => slope);
}

function content(trend) {
  const found = rows(trend);
  if (!found.length) return [empty("No trend yet: no glacier of this region has enough observations by the active network."), notes(trend.notes ?? [])];
  const share = (value) => signedPercent(value === null || value === undefined ? null : value * 100);
  return [
    h("p", { class: "result" }, `${count(trend.n_glaciers, "glacier")}, ${count(trend.n_observations, "observation")}`, " ", trend.simulated && simulatedBadge()),
    table("Area change per year", [
      { label: "Method", text: ([name]) => name },
      { label: "Per year", numeric: true, text: ([, slope]) => share(slope.slope_per_year) },
      { label: "95 % from", numeric: true, text: ([, slope]) => share(slope.lo) },
      { label: "to", numeric: true, text: ([, slope]) => share(slope.hi) },
    ], found),
    notes(trend.notes ?? []),
  ];
}

async function show() {
  element.replaceChildren(skeleton(4));
  try {
    element.replaceChildren(...content(await createApi(base).regionTrend(region)).filter(Boolean));
  } catch (error) {
    element.replaceChildren(failure(error, show));
  }
}

show();
