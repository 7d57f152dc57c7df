// The sections of the panel, each filled on its own when its data arrive.

import { isTransfer } from "../forecasts.js";
import { askedAgain, orElse } from "../glacier.js";
import { createPlayer } from "../player.js";
import { areaSection } from "./area.js";
import { downloadList, sourceList } from "./downloads.js";
import { flowList } from "./flow.js";
import { notes } from "./heading.js";
import { outlineList, predictedList } from "./outlines.js";
import { sceneList } from "./scenes.js";
import { empty, fill, section } from "./section.js";

function many(n) {
  return n ? String(n) : "none";
}

/** Forecasts of a place; `load` is asked again on "Try again". */
export function forecastPart({ state, api }, load) {
  const part = section("forecast", "Forecast of snow and ice", { lines: 6 });
  let player = null;
  fill(part, load, (forecasts) => {
    player?.dispose();
    player = createPlayer(forecasts, { state, csv: api.framesCsv });
    part.aside(!forecasts.length ? "none" : isTransfer(forecasts[0]) ? "spatial transfer" : `issued ${forecasts[0].issued}`);
    return player.elements;
  });
  return { part, setMoment: (values) => player?.setMoment(values), dispose: () => player?.dispose() };
}

function outlinePart(data, { api, actions }) {
  const part = section("outlines", "Outlines by year");
  fill(part, () => api.outlines(data.id), ({ features }) => {
    part.aside(many(features.length));
    return outlineList(features, { onShow: actions.showOutline, onLight: actions.light });
  });
  return part;
}

function predictedPart(data, { api, actions }) {
  const part = section("predicted", "Predicted outlines", { open: false });
  const again = () => api.predictedOutlines(data.id).then(({ features }) => features);
  fill(part, askedAgain(data.predicted, again), (features) => {
    part.aside(many(features.length));
    return predictedList(features, { onShow: actions.showOutline, onLight: actions.light });
  });
  return part;
}

function scenesPart(data, { state, api, actions }) {
  const part = section("scenes", "Scenes", { open: false });
  let scenes = null;
  let shown = null;
  const list = () => sceneList(scenes, state.values, { onScene: actions.showScene, shown });
  const draw = () => scenes && part.body.replaceChildren(...list().filter(Boolean));
  fill(part, askedAgain(data.scenes, () => api.scenes(data.id)), (found) => {
    scenes = found;
    part.aside(many(found.length));
    return list();
  });
  return { part, draw, setShown: (scene) => ((shown = scene), draw()) };
}

function flowPart(data, { state, api }) {
  const part = section("flow", "Flow", { open: false });
  let fields = null;
  const draw = () => fields && part.body.replaceChildren(...flowList(fields, state));
  fill(part, askedAgain(data.flows, () => api.flows(data.id)), (found) => {
    fields = found;
    part.aside(many(found.length));
    return flowList(found, state);
  });
  return { part, dispose: state.on(["flow", "layers"], draw) };
}

function sourcesPart(data, { api }) {
  const part = section("sources", "Sources and citation", { open: false });
  fill(part, () => api.outlines(data.id), ({ features }) => sourceList(features));
  return part;
}

function downloadsPart(data, { api }, csv) {
  const part = section("downloads", "Downloads", { open: false });
  fill(part, () => api.glacier(data.id), (glacier) => downloadList(glacier, csv));
  return part;
}

function notesPart(data) {
  const part = section("notes", "What the data cannot support");
  const load = async () => {
    const [glacier, summary, areas] = await Promise.all([data.glacier, orElse(data.summary, {}), orElse(data.areas, { series: [] })]);
    return [...(glacier.notes ?? []), ...(summary.notes ?? []), ...areas.series.flatMap((series) => series.notes ?? [])];
  };
  fill(part, load, (texts) => {
    part.aside(many(new Set(texts).size));
    return notes(texts) ?? empty("Nothing to note.");
  });
  return part;
}

/** All sections of a glacier: {elements, setMoment(values), setScene(scene), dispose()}. */
export function glacierContents(data, context) {
  const { state, api, actions } = context;
  const csv = api.areasCsv(data.id);
  const area = areaSection({ state, csv, name: data.id, onPoint: actions.showPoint });
  fill(area.part, () => api.areas(data.id), area.build);
  const forecast = forecastPart(context, askedAgain(data.forecasts, () => api.forecasts(data.id)));
  const scenes = scenesPart(data, context);
  const flow = flowPart(data, context);
  const parts = [
    area.part, outlinePart(data, context), predictedPart(data, context), forecast.part, flow.part, scenes.part,
    sourcesPart(data, context), downloadsPart(data, context, csv), notesPart(data),
  ];
  return {
    elements: parts.map((part) => part.element),
    setMoment: (values) => (area.setMoment(values), forecast.setMoment(values), scenes.draw()),
    setScene: scenes.setShown,
    dispose: () => (area.dispose(), forecast.dispose(), flow.dispose()),
  };
}

/** The one section of an area of interest. */
export function areaContents(context, load) {
  const forecast = forecastPart(context, load);
  return { elements: [forecast.part.element], setMoment: forecast.setMoment, setScene() {}, dispose: forecast.dispose };
}
