// Entry of the map page: reads the page's settings, creates the parts and lets them hear each other.

import { createApi } from "./api.js";
import { comparable, sidesOf } from "./compare.js";
import { momentOfDate, YEAR } from "./dates.js";
import { deferred, h, patience, settled } from "./dom.js";
import { validAt } from "./history.js";
import { addAgreement } from "./layers/agreement.js";
import { addAreas } from "./layers/areas.js";
import { addLand, addOnline } from "./layers/basemap.js";
import { addFlow } from "./layers/flow.js";
import { addFutures } from "./layers/futures.js";
import { addMasks } from "./layers/masks.js";
import { addOutlines } from "./layers/outlines.js";
import { STYLES, addScenes, layersFor } from "./layers/scenes.js";
import { addTerrain } from "./layers/terrain.js";
import { addYears } from "./layers/years.js";
import { createLayerControl } from "./layercontrol.js";
import { createMap } from "./leaflet.js";
import { createList } from "./list.js";
import { createKeyboard } from "./keyboard.js";
import { createMapLegend } from "./maplegend.js";
import { createNotices } from "./notices.js";
import { createPanel } from "./panel.js";
import { absence } from "./scenes.js";
import { createSearch } from "./search.js";
import { createSelection, timelineOf } from "./selection.js";
import { createState } from "./state.js";
import { createStatus } from "./status.js";
import { createSwipe } from "./swipe.js";
import { createTimeline } from "./timeline.js";
import { DEFAULTS, keepAddress, viewOfAddress } from "./view.js";
import { beginningOf, worldOf } from "./world.js";

const NEAR_ZOOM = 9;
const FIRST_VIEW_MS = 1500;
const find = (id) => document.getElementById(id);
const settings = find("map").dataset;
const basemaps = JSON.parse(find("basemaps")?.textContent || "{}") ?? {};
const api = createApi(settings.api);
const address = viewOfAddress();
const first = JSON.parse(find("first-view").textContent);
const beginning = beginningOf(first.years);
const state = createState({ ...DEFAULTS, ...(beginning.latest && { time: beginning.latest }), ...address.values });
// The page says where to begin, so the first tiles wait for no answer; only the box of an asked glacier is not in it.
const asked = address.values.glacier;
const box = asked && !address.place ? await Promise.race([api.glacier(asked).then(({ bbox }) => bbox), patience(FIRST_VIEW_MS)]).catch(() => null) : first.bbox;
const map = createMap(find("map"), address.place ?? { zoom: 3, lat: 46, lon: -20 }, address.place ? null : box, asked ? 15 : 12);
const notices = createNotices(find("notices"));
let drawn = {};
let shownMask = null;
let simulatedInView = false;
let everything = beginning.timeline;
const rested = deferred();

// Layers, from the ground up.
const online = addOnline(map, basemaps);
const scenes = addScenes(map, { onState: notices.tiles("scene") });
const masks = addMasks(map, { api, onShown: (mask) => ((shownMask = mask), tellLegend()) });
const futures = addFutures(map, { onState: notices.tiles("forecast") });
const flow = addFlow(map, { onState: notices.tiles("flow") });
const colourMaps = api.colourMaps();
const agreement = addAgreement(map, colourMaps);
const areas = addAreas(map);
const years = addYears(map, { onChoose: (feature) => actions.showOutline(feature) });
const inventory = addOutlines(map, {
  tiles: settings.tiles,
  span: observedSpan(everything),
  values: state.values,
  onChoose: ({ glac_id: id }) => choose(id),
  onMiss: (latlng) => chooseArea(areas.at(latlng)),
  tipElsewhere: (latlng) => (areas.at(latlng)?.has_forecast ? `${areas.at(latlng).name}: forecast of snow and ice` : ""),
  onReady: (failed) => {
    find("map").dataset.ready = "1";
    rested.resolve();
    notices.tiles("outlines")(failed ? "failed" : "ready");
  },
});
const land = addLand(map, api, rested.promise);
const terrain = addTerrain(map, api, rested.promise);
let world = worldOf(api, first.years);

// What stands around the map.
const legend = createMapLegend(find("legend"), colourMaps);
const selection = createSelection(api, { onData: show });
const timeline = createTimeline(find("timebar"), state, { onScene: (scene) => actions.showScene(scene) });
// The layers in which the scene of an outline or an area can be seen: a radar scene is not drawn in true colour.
function layersOf(scene) {
  const known = scene && selection.data().scenes.find(({ id }) => id === scene.id);
  return known ? layersFor(known, state.values.layers) : state.values.layers;
}

const actions = {
  close: () => state.set({ glacier: null, aoi: null, scene: null, outline: null, forecast: null, flow: null, compare: null }),
  zoom: zoomToChosen,
  reopen: (id) => (api.forget(), selection.forget(), state.set({ glacier: null }), choose(id)),
  resized: map.resized,
  light: (id) => years.light(id),
  showOutline({ properties: p }) {
    const date = p.src_date ?? p.date;
    state.set({ time: momentOfDate(date, YEAR), step: YEAR, outline: p.kind === "predicted" ? null : p.id, scene: p.scene ? String(p.scene.id) : null, layers: layersOf(p.scene) });
  },
  showScene(scene) {
    const { step, layers } = state.values;
    state.set({ time: momentOfDate(scene.acquired, step), scene: String(scene.id), outline: null, layers: layersFor(scene, layers) });
  },
  showPoint({ date, scene, outline, outline_kind: kind }) {
    const { step } = state.values;
    const own = scene ? null : outline;
    state.set({ layers: layersOf(scene), time: momentOfDate(date, step), scene: scene ? String(scene.id) : null, outline: kind === "predicted" ? null : own });
  },
};
const panel = createPanel(find("panel"), { state, api, actions });
const search = createSearch(find("search"), find("found"), { api, onPick: (glacier) => choose(glacier.glac_id, glacier) });
const list = createList({
  element: find("list"), button: find("list-button"), state, api, map,
  onPick: (glacier) => choose(glacier.glac_id, glacier),
  onFound: (glaciers) => (inventory.setPoints(glaciers), (simulatedInView = glaciers.some(({ simulated }) => simulated)), redraw()),
});
const swipe = createSwipe(find("stage"), map, state, {
  sides: (values) => sidesOf(selection.data(), values),
  middle: () => map.shareOf(selection.data().outlines.at(-1)?.geometry.coordinates.flat(2)),
});
const layerControl = createLayerControl(find("layers-button"), find("layers"), state, basemaps);

function choose(id, glacier = null) {
  state.set({ glacier: id, aoi: null, scene: null, outline: null, forecast: null, flow: null, compare: null });
  const far = map.zoom() < NEAR_ZOOM;
  if (glacier?.bbox && (far || !map.holds(glacier.bbox))) map.fit(glacier.bbox);
  else if (far) zoomToChosen().catch(() => {});
}

function chooseArea(area) {
  if (!area) return;
  if (area.glac_id) choose(area.glac_id);
  else state.set({ aoi: String(area.id), glacier: null, scene: null, outline: null, forecast: null, flow: null, compare: null });
}

async function zoomToChosen() {
  const { glacier, aoi } = state.values;
  const known = await world;
  const box = glacier ? (await api.glacier(glacier)).bbox : known.aois.find(({ id }) => String(id) === aoi)?.bbox;
  if (box) map.fit(box);
}

/** What hangs on the chosen glacier's data: the layers of its years, the axis of the time bar. */
function show(data, part) {
  const chosen = state.values.glacier || state.values.aoi;
  const bar = chosen && part !== "nothing" ? withMoment(timelineOf(data, beginning.now)) : everything;
  if (!chosen || bar.observed || bar.forecast) timeline.show(bar);
  years.setGlacier(data);
  redraw();
}

/** First and last year of what was observed; of everything where nothing was. */
function observedSpan({ observed, span: all }) {
  return observed ? [observed[0], observed[1] - 1] : all;
}

/** The bar also reaches to the moment that is shown: the last outline holds on after its own year. */
function withMoment(bar) {
  const year = Math.floor(state.values.time);
  return { ...bar, span: [Math.min(bar.span[0], year), Math.max(bar.span[1], year)] };
}

function forecastShown({ forecasts }) {
  return forecasts.find(({ id }) => String(id) === state.values.forecast) ?? null;
}

function messageOf(data, scene) {
  const { values } = state;
  if (!values.glacier) return null;
  if (data.outlines.length && !validAt(data.outlines, values.time, values.step)) return `No outline before ${data.outlines[0].properties.src_date.slice(0, 4)}.`;
  const wanted = STYLES.some((style) => style in values.layers);
  if (wanted && !scene && data.scenes.length) return `Layer scene: ${absence(data.scenes, values.time, values.step)}.`;
  return null;
}

function redraw() {
  const { values } = state;
  const data = selection.data();
  inventory.update(values);
  years.update(values);
  const { scene, style } = scenes.update(data.scenes, values);
  masks.update(scene, values);
  const forecast = forecastShown(data);
  const frame = futures.update(forecast, values);
  panel.setScene(scene);
  terrain.update(values);
  land.then((shown) => shown.setOpacity(values.layers.basemap ?? 0)).catch(() => {});
  online.show(values.online, 1);
  drawn = { scene, style, forecast, frame, flow: flow.update(data, values), agreement: agreement.update(data, values), message: messageOf(data, scene) };
  swipe.show();
  listComparable(data);
  tellLegend();
}

function tellLegend() {
  legend.show({ ...drawn, span: observedSpan(everything), data: selection.data(), zoom: map.zoom(), values: state.values, mask: shownMask, simulated: simulatedInView });
}

function choiceChanged(values) {
  const promises = selection.choose(values);
  document.body.classList.toggle("with-panel", Boolean(values.glacier || values.aoi));
  actions.resized();
  if (!values.glacier && !values.aoi) panel.close();
  if (!promises) return;
  if (values.glacier) panel.open(promises);
  else world.then(({ aois }) => panel.openArea(aois.find(({ id }) => String(id) === values.aoi) ?? { name: `Area ${values.aoi}` }, () => api.aoiForecasts(values.aoi))).catch(() => {});
  panel.focus();
}

function toggleCompare() {
  const { compare, time, glacier } = state.values;
  const { outlines } = selection.data();
  if (compare) state.set({ compare: null });
  else if (glacier) {
    const before = validAt(outlines, time - 10, YEAR) ?? outlines[0];
    state.set({ compare: before ? before.properties.src_date.slice(0, 4) : String(Math.max(timeline.span()[0], Math.floor(time) - 10)) });
  } else notices.say("Choose a glacier first, then compare two of its dates or sources.");
}

/** What can stand left of the divider, beside the button while two are compared. */
function listComparable(data) {
  const { compare } = state.values;
  find("compare-with").hidden = !compare;
  if (!compare) return;
  const select = find("compare-left");
  const found = comparable(data, state.values);
  const words = JSON.stringify(found);
  if (select.dataset.words !== words) select.replaceChildren(...found.map(([value, text]) => h("option", { value }, text)));
  select.dataset.words = words;
  select.value = compare;
}

function escape() {
  if (state.values.list) list.toggle(false);
  else if (state.values.compare) state.set({ compare: null });
  else if (state.values.glacier || state.values.aoi) actions.close();
}

state.on(["glacier", "aoi"], choiceChanged);
state.on(["time", "step", "layers", "scene", "outline", "forecast", "flow", "compare", "online"], redraw);

createKeyboard(find("help"), find("help-button"), {
  search: search.focus,
  step: timeline.move,
  play: timeline.toggle,
  neighbour: (direction) => {
    const glacier = list.neighbour(direction);
    if (glacier) choose(glacier.glac_id, glacier);
  },
  twin: panel.toggleTwin,
  list: () => list.toggle(),
  layers: () => layerControl.toggle(),
  compare: toggleCompare,
  escape,
});
find("compare-button").addEventListener("click", toggleCompare);
find("compare-left").addEventListener("change", ({ target }) => state.set({ compare: target.value }));
state.on(["compare"], ({ compare }) => find("compare-button").setAttribute("aria-pressed", String(Boolean(compare))));
createStatus(find("status"), {
  api,
  onNews: settled(() => {
    if (!first.bbox) window.location.reload();
    api.forget();
    world = api.years().then((now) => worldOf(api, now));
    world.then(worldCame).catch(() => {});
    inventory.refresh();
    list.look();
    selection.forget();
    if (state.values.glacier || state.values.aoi) choiceChanged(state.values);
  }, 300),
});
notices.followPointer(map, find("coordinates"));
map.on("zoomend", tellLegend);

function worldCame({ aois, timeline: all }) {
  everything = all;
  areas.setAreas(aois);
  inventory.setSpan(observedSpan(all));
  if (!state.values.glacier && !state.values.aoi) show(selection.data(), "nothing");
}

timeline.show(everything);
keepAddress(state, map);
choiceChanged(state.values);
redraw();
if (!address.place && (state.values.aoi || (asked && !box))) zoomToChosen().catch(() => {});
world.then(worldCame).catch((error) => notices.say(error.message, { retry: () => window.location.reload() }));
