// The panel of a glacier, or of an area of interest that has a forecast of its own.

import { h } from "./dom.js";
import { spanOf, yearOf } from "./dates.js";
import { orElse } from "./glacier.js";
import { areaSection } from "./panel/area.js";
import { downloadList, sourceList } from "./panel/downloads.js";
import { heading, notes } from "./panel/heading.js";
import { outlineList, predictedList } from "./panel/outlines.js";
import { sceneList } from "./panel/scenes.js";
import { empty, failure, fill, section, skeleton } from "./panel/section.js";
import { createPlayer } from "./player.js";

function shell(element, { onClose, onZoom }) {
  const head = h("header", { class: "panel-head" }, skeleton(3));
  const close = h("button", { type: "button", class: "quiet-button", "aria-label": "Close the panel", title: "Close (Escape)", on: { click: onClose } }, "✕");
  const zoom = h("button", { type: "button", class: "small", on: { click: onZoom } }, "Zoom to it");
  const grip = h("button", { type: "button", class: "grip", "aria-label": "Pull the panel up", "aria-expanded": "false" });
  const body = h("div", { class: "panel-body" });
  element.replaceChildren(grip, h("div", { class: "panel-bar" }, zoom, close), head, body);
  return { head, body, grip };
}

/** On a phone the panel is a sheet with three heights; the grip goes through them, a drag chooses one. */
function makeSheet(element, grip, onResize) {
  const heights = ["peek", "half", "full"];
  let start = null;
  const set = (height) => {
    element.dataset.height = height;
    grip.setAttribute("aria-expanded", String(height !== "peek"));
    grip.setAttribute("aria-label", height === "full" ? "Push the panel down" : "Pull the panel up");
    onResize();
  };
  const step = (by) => set(heights[Math.min(2, Math.max(0, heights.indexOf(element.dataset.height) + by))]);
  grip.addEventListener("pointerdown", (event) => {
    start = event.clientY;
    grip.setPointerCapture(event.pointerId);
  });
  grip.addEventListener("pointerup", (event) => {
    const moved = event.clientY - start;
    start = null;
    if (Math.abs(moved) > 24) step(moved < 0 ? 1 : -1);
  });
  grip.addEventListener("click", () => (element.dataset.height === "full" ? set("peek") : step(1)));
  set(element.dataset.height ?? "peek");
}

async function fillHead(head, data, retry) {
  try {
    const glacier = await data.glacier;
    head.replaceChildren(...heading(glacier, null).filter(Boolean));
    const summary = await orElse(data.summary, null);
    head.replaceChildren(...heading(glacier, summary).filter(Boolean));
  } catch (error) {
    head.replaceChildren(h("h2", { id: "panel-title", tabindex: "-1" }, "This glacier cannot be shown"), failure(error, retry));
  }
}

/** Creates the panel. `open(data)` shows a glacier's promises, `openArea(aoi, promise)` an area's, `close()` hides it. */
export function createPanel(element, context) {
  const { state, api, actions } = context;
  let live = { setMoment() {}, setScene() {}, dispose() {} };

  function begin() {
    live.dispose();
    element.hidden = false;
    const parts = shell(element, { onClose: actions.close, onZoom: actions.zoom });
    makeSheet(element, parts.grip, actions.resized);
    return parts;
  }

  function forecastSection(promise) {
    const part = section("forecast", "Forecast of snow and ice", { lines: 6 });
    let player = null;
    fill(part, () => promise(), (forecasts) => {
      player?.dispose();
      player = createPlayer(forecasts, state);
      part.aside(forecasts.length ? `issued ${forecasts[0].issued}` : "none");
      return player.elements;
    });
    return { part, setMoment: (values) => player?.setMoment(values), dispose: () => player?.dispose() };
  }

  function outlineSection(data) {
    const part = section("outlines", "Outlines by year");
    const hearing = { onShow: actions.showOutline, onLight: actions.light };
    fill(part, () => api.outlines(data.id), ({ features }) => {
      part.aside(features.length ? String(features.length) : "none");
      const years = features.map(({ properties }) => yearOf(properties.src_date));
      return outlineList(features, { ...hearing, span: spanOf(years, new Date().getFullYear()) });
    });
    const predicted = section("predicted", "Predicted outlines", { open: false });
    fill(predicted, () => api.predictedOutlines(data.id), ({ features }) => {
      predicted.aside(features.length ? String(features.length) : "none");
      return predictedList(features, hearing);
    });
    return [part, predicted];
  }

  function scenesSection(data) {
    const part = section("scenes", "Scenes", { open: false });
    let scenes = null;
    let shown = null;
    const draw = () => scenes && part.body.replaceChildren(...sceneList(scenes, state.values, { onScene: actions.showScene, shown }).filter(Boolean));
    fill(part, () => api.scenes(data.id), (found) => {
      scenes = found;
      part.aside(found.length ? String(found.length) : "none");
      return sceneList(scenes, state.values, { onScene: actions.showScene, shown });
    });
    return { part, draw, setShown: (scene) => ((shown = scene), draw()) };
  }

  function notesSection(data) {
    const part = section("notes", "What the data cannot support");
    const load = async () => {
      const [glacier, summary, areas] = await Promise.all([data.glacier, orElse(data.summary, {}), orElse(data.areas, { series: [] })]);
      return [...(glacier.notes ?? []), ...(summary.notes ?? []), ...areas.series.flatMap((series) => series.notes ?? [])];
    };
    fill(part, load, (texts) => {
      part.aside(String(new Set(texts).size));
      return notes(texts) ?? empty("Nothing to note.");
    });
    return part;
  }

  function open(data) {
    const { head, body } = begin();
    const csv = api.areasCsv(data.id);
    fillHead(head, data, () => actions.reopen(data.id));
    const area = areaSection({ state, csv, name: data.id, onPoint: actions.showPoint });
    fill(area.part, () => api.areas(data.id), area.build);
    const outlines = outlineSection(data);
    const forecast = forecastSection(() => api.forecasts(data.id));
    const scenes = scenesSection(data);
    const sources = section("sources", "Sources and citation", { open: false });
    fill(sources, () => api.outlines(data.id), ({ features }) => sourceList(features));
    const downloads = section("downloads", "Downloads", { open: false });
    fill(downloads, () => api.glacier(data.id), (glacier) => downloadList(glacier, csv));
    const parts = [area.part, ...outlines, forecast.part, scenes.part, sources, downloads, notesSection(data)];
    body.replaceChildren(...parts.map((part) => part.element));
    live = {
      setMoment: (values) => (area.setMoment(values), forecast.setMoment(values), scenes.draw()),
      setScene: scenes.setShown,
      dispose: () => (area.dispose(), forecast.dispose()),
    };
  }

  function openArea(aoi, forecasts) {
    const { head, body } = begin();
    head.replaceChildren(h("h2", { id: "panel-title", tabindex: "-1" }, aoi.name), h("p", { class: "where" }, "Area of interest", aoi.simulated ? ", simulated" : ""));
    const forecast = forecastSection(forecasts);
    body.replaceChildren(forecast.part.element);
    live = { setMoment: forecast.setMoment, setScene() {}, dispose: forecast.dispose };
  }

  state.on(["time", "step"], (values) => live.setMoment(values));
  return {
    open,
    openArea,
    close: () => (live.dispose(), (element.hidden = true), element.replaceChildren()),
    setScene: (scene) => live.setScene(scene),
    toggleTwin: () => element.querySelector('[data-twin="area"]')?.click(),
    focus: () => element.querySelector("#panel-title")?.focus({ preventScroll: true }),
    setHeight(height) {
      element.dataset.height = height;
      actions.resized();
    },
  };
}
