// One line on what the workers do, above all while the first outlines and forecasts are being computed.

import { h } from "./dom.js";
import { percent } from "./format.js";

const BUSY_MS = 5000;
const CALM_MS = 30_000;
const WORDS = {
  find_scenes: "searching scenes",
  fetch_scene: "reading scenes",
  import_outlines: "importing outlines",
  segment: "tracing outlines",
  area_series: "measuring areas",
  forecast: "computing a forecast",
  train: "training a network",
  evaluate: "evaluating a network",
  flow: "measuring flow",
};

function grouped(runs) {
  const kinds = new Map();
  for (const run of runs) kinds.set(run.kind, [...(kinds.get(run.kind) ?? []), run]);
  return [...kinds];
}

function part([kind, runs]) {
  const running = runs.find(({ state }) => state === "running") ?? runs[0];
  const what = WORDS[kind] ?? kind.replaceAll("_", " ");
  const many = runs.length > 1 ? ` (${runs.length} runs)` : "";
  const far = running.state === "running" ? percent(running.progress ?? 0) : "waiting";
  return h("a", { href: `/runs/${running.id}/` }, `${what}${many}: ${far}`);
}

function opening(status) {
  if (!status.first_outlines) return "No predicted outline yet: the first ones are being computed.";
  if (!status.first_forecast) return "No forecast yet: the first one is being computed.";
  return "Now:";
}

/** Polls and writes the line; `onNews(status)` is called when first outlines or a first forecast have come. */
export function createStatus(element, { api, onNews }) {
  let before = null;

  function show(status) {
    const runs = status.runs_active ?? [];
    element.hidden = !runs.length;
    if (!runs.length) return;
    const parts = grouped(runs).slice(0, 3).flatMap((group, index) => [index ? "; " : " ", part(group)]);
    element.replaceChildren(opening(status), ...parts);
  }

  function fingerprint({ first_outlines: outlines, first_forecast: forecast, database = {} }) {
    return [outlines, forecast, database.glaciers, database.outlines, database.scenes_stored].join();
  }

  async function look() {
    let wait = CALM_MS;
    try {
      const status = await api.status();
      show(status);
      const now = fingerprint(status);
      if (before !== null && before !== now) onNews(status);
      before = now;
      if (status.runs_active?.length) wait = BUSY_MS;
    } catch {
      element.hidden = true;
    }
    setTimeout(look, wait);
  }

  look();
}
