// The trend of a region on its page, by both methods, with how many glaciers and observations stand behind it.

import { createApi } from "./api.js";
import { h } from "./dom.js";
import { count, signedPercent } from "./format.js";
import { areasChart, slopesChart } from "./regioncharts.js";
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

/** The figures of a region with a trend, drawn once they stand on the page; the tables hold what they show. */
async function figures(trend) {
  const areas = h("div", { class: "chart", role: "img", "aria-label": "Area of every glacier by year on a logarithmic axis, their geometric mean and its fit" });
  const slopes = h("div", { class: "chart", role: "img", "aria-label": "Number of glaciers by area change per year, with the weighted mean and twice its standard error" });
  element.append(
    h("h2", {}, "Glaciers through time"), h("p", { class: "quiet" }, "Grey: annual means of each glacier. Dark: geometric mean of those seen in a year. Blue: its fit."), areas,
    h("h2", {}, "How fast they change"), h("p", { class: "quiet" }, "Glaciers by area change in per cent per year. Upright: mean weighted by observations; dashed: twice its standard error."), slopes,
    table("Every glacier", [
      { label: "Glacier", text: ({ name, glac_id: id }) => name || id },
      { label: "Observations", numeric: true, text: ({ n }) => String(n) },
      { label: "Per year", numeric: true, text: ({ slope_percent_per_year: slope }) => signedPercent(slope) },
    ], trend.glaciers),
  );
  await Promise.all([areasChart(areas, trend), slopesChart(slopes, trend)]);
}

async function show() {
  element.replaceChildren(skeleton(4));
  try {
    const trend = await createApi(base).regionTrend(region);
    element.replaceChildren(...content(trend).filter(Boolean));
    if (trend.method_1) await figures(trend);
  } catch (error) {
    element.replaceChildren(failure(error, show));
  }
}

show();
