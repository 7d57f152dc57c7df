// The forecast player: frames over the map on the same time bar, issue date and lead in words, skill beside baselines.

import { forecastChart } from "./chart.js";
import { decimalYear, momentOfDate, QUARTER } from "./dates.js";
import { h } from "./dom.js";
import { inColour, isTransfer, leadWords, networkName } from "./forecasts.js";
import { frameAt } from "./history.js";
import { rasterLegend } from "./legends.js";
import { frameTable, skillTable } from "./tables.js";
import { empty } from "./panel/section.js";
import { notes, simulatedBadge } from "./panel/heading.js";

function chooser(forecasts, chosen, hear) {
  if (forecasts.length < 2) return null;
  const choices = forecasts.map((forecast) =>
    h("option", { value: String(forecast.id), selected: forecast === chosen }, `${networkName(forecast)}, issued ${forecast.issued}`));
  const select = h("select", { id: "forecast-choice" }, choices);
  select.addEventListener("change", () => hear(select.value));
  return h("p", {}, h("label", { for: "forecast-choice" }, "Forecast by "), select);
}

function opacitySlider(state) {
  const value = state.values.layers.forecast ?? 0.85;
  const input = h("input", { type: "range", min: 0, max: 1, step: 0.05, value: String(value), "aria-label": "Opacity of the forecast" });
  input.addEventListener("input", () => state.set({ layers: { ...state.values.layers, forecast: Number(input.value) } }));
  return h("label", { class: "opacity" }, "Opacity ", input);
}

function showButton(state, forecast) {
  const on = () => "forecast" in state.values.layers && state.values.forecast === String(forecast.id);
  const button = h("button", { type: "button", class: "primary", "aria-pressed": String(on()) }, on() ? "Hide on the map" : "Show on the map");
  button.addEventListener("click", () => {
    const others = { ...state.values.layers };
    delete others.forecast;
    if (on()) state.set({ layers: others, forecast: null });
    else {
      const first = forecast.frames.find(({ observed }) => !observed) ?? forecast.frames[0];
      state.set({ layers: { ...others, forecast: 0.85 }, forecast: String(forecast.id), step: QUARTER, time: momentOfDate(first.start, QUARTER) });
    }
    button.setAttribute("aria-pressed", String(on()));
    button.textContent = on() ? "Hide on the map" : "Show on the map";
  });
  return button;
}

function frameStepper(state, forecast) {
  const move = (direction) => {
    const now = frameAt(forecast.frames, state.values.time, QUARTER);
    const index = now ? forecast.frames.indexOf(now) + direction : 0;
    const frame = forecast.frames[Math.min(forecast.frames.length - 1, Math.max(0, index))];
    state.set({ step: QUARTER, time: momentOfDate(frame.start, QUARTER) });
  };
  const button = (text, label, direction) => h("button", { type: "button", class: "small", "aria-label": label, on: { click: () => move(direction) } }, text);
  return h("span", { class: "stepper" }, button("‹ frame", "Previous frame", -1), button("frame ›", "Next frame", 1));
}

function verdict(forecast) {
  const good = inColour(forecast);
  const text = forecast.sentence || (good ? "" : "Not better than its baselines in the hindcast.");
  const word = isTransfer(forecast) ? "Not better than its baselines. " : "Not useful. ";
  return h("p", { class: good ? "skill" : "skill not-useful" }, good ? null : h("strong", {}, word), text);
}

function evidence(forecast) {
  const version = forecast.version && h("a", { href: `/models/${forecast.version.id}/` }, `version ${forecast.version.id}`);
  const run = forecast.run && h("a", { href: `/runs/${forecast.run}/` }, "its run");
  return h("p", { class: "quiet" }, "By ", networkName(forecast), version && [": ", version], run && [", ", run], ".");
}

function twins(forecast, csv) {
  const tables = h("div", { class: "twin", hidden: true }, frameTable(forecast.frames));
  const button = h("button", { type: "button", class: "small", "aria-pressed": "false" }, "Table");
  button.addEventListener("click", () => {
    tables.hidden = !tables.hidden;
    button.setAttribute("aria-pressed", String(!tables.hidden));
  });
  return [h("div", { class: "tools" }, button, h("a", { class: "button small", href: csv(forecast.id), download: "" }, "CSV")), tables];
}

/** Content of the forecast section; `csv(id)` is the address of its series. Returns {elements, setMoment(values), dispose()}. */
export function createPlayer(forecasts, { state, csv }) {
  if (!forecasts.length) return { elements: [empty("No forecast for this place yet. It needs a regular series of quarters.")], setMoment() {}, dispose() {} };
  let chart = null;
  let forecast = forecasts.find(({ id }) => String(id) === state.values.forecast) ?? forecasts[0];
  const box = h("div", { class: "player" });
  const words = h("p", { class: "lead", "aria-live": "polite" });

  const setMoment = ({ time, step }) => {
    words.textContent = leadWords(forecast, frameAt(forecast.frames, time, step));
    chart?.setMoment(time + step / 2);
  };
  const drawChart = async (canvas) => {
    const frames = forecast.frames.map((frame) => ({ ...frame, decimal: decimalYear(frame.start) + forecast.step_months / 24 }));
    chart = await forecastChart(canvas, { frames, moment: state.values.time + state.values.step / 2 });
  };
  const build = () => {
    chart?.dispose();
    chart = null;
    const canvas = h("div", { class: "chart small", role: "img", "aria-label": "Snow-and-ice area by quarter; the table holds the figures" });
    const label = `${isTransfer(forecast) ? "Spatial transfer" : "Forecast"} of NDSI: snow and ice, not glacier`;
    box.replaceChildren(...[
      chooser(forecasts, forecast, choose), verdict(forecast), words,
      h("div", { class: "tools" }, showButton(state, forecast), frameStepper(state, forecast)), opacitySlider(state),
      forecast.legend && rasterLegend({ ...forecast.legend, useful: inColour(forecast), label: null }, label),
      canvas, twins(forecast, csv), skillTable(forecast.skill ?? []), notes(forecast.notes ?? []), evidence(forecast),
      forecast.simulated && h("p", {}, simulatedBadge()),
    ].flat().filter(Boolean));
    setMoment(state.values);
    requestAnimationFrame(() => drawChart(canvas).catch(() => canvas.replaceChildren(empty("The chart could not be drawn; the table holds the figures."))));
  };
  const choose = (id) => {
    forecast = forecasts.find((one) => String(one.id) === id);
    if (state.values.forecast) state.set({ forecast: id });
    build();
  };
  build();
  return { elements: [box], setMoment, dispose: () => chart?.dispose() };
}
