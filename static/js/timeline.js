// The time bar: a native range input over an axis of years, with outlines as ticks and scenes as a strip below.

import { createAxis, decimalYear, labelledYears, momentLabel, momentOf, monthsLabel, nextWithData, QUARTER, YEAR } from "./dates.js";
import { h, perFrame, svg } from "./dom.js";
import { refusals } from "./scenes.js";

const SPEEDS = [[0.5, "½×"], [1, "1×"], [2, "2×"], [4, "4×"]];
const BASE_MS = { [YEAR]: 500, [QUARTER]: 350 };
const HEIGHT = { tick: [2, 14], line: 21, scene: [30, 40], label: 53 };

function select(label, options, hear) {
  const choices = options.map(([value, text]) => h("option", { value: String(value) }, text));
  const element = h("select", { "aria-label": label, title: label }, choices);
  element.addEventListener("change", () => hear(Number(element.value)));
  return element;
}

function sceneShade(scene) {
  const cloud = Math.min(100, Math.max(0, scene.cloud_percent ?? 0));
  return (1 - (cloud / 100) * 0.75).toFixed(2);
}

/** Where a scene stands on the axis: in the middle of its interval, where only that is known. */
function middleOf({ acquired, acquired_end: end }) {
  return end ? (decimalYear(acquired) + decimalYear(end)) / 2 : decimalYear(acquired);
}

function sceneMark(scene, axis, onScene) {
  const refused = refusals(scene).length > 0 || scene.state === "failed";
  const [top, bottom] = HEIGHT.scene;
  const width = Math.max(1.5, Math.min(5, axis.cell * 0.16));
  const title = `${scene.acquired.slice(0, 10)} ${scene.sensor ?? ""}${refused ? ", refused" : ""}`;
  const mark = svg("rect", {
    class: refused ? "scene refused" : "scene",
    x: axis.x(middleOf(scene)) - width / 2,
    y: top,
    width,
    height: bottom - top,
    "fill-opacity": refused ? 0 : sceneShade(scene),
  }, svg("title", {}, title));
  mark.addEventListener("click", () => onScene(scene));
  return mark;
}

function outlineTick({ year, share, predicted }, axis) {
  const [top, bottom] = HEIGHT.tick;
  const x = axis.x(year + 0.5);
  const y1 = bottom - (bottom - top) * share;
  return svg("line", { class: predicted ? "tick predicted" : "tick", x1: x, x2: x, y1, y2: bottom });
}

function spans(axis, { observed, forecast }) {
  const bar = (span, className) =>
    span && svg("rect", { class: className, x: axis.x(span[0]), width: Math.max(1, axis.x(span[1]) - axis.x(span[0])), y: HEIGHT.line - 2, height: 4 });
  const now = forecast && svg("line", { class: "now", x1: axis.x(forecast[0]), x2: axis.x(forecast[0]), y1: 2, y2: 42 });
  return [bar(observed, "observed"), bar(forecast, "forecast"), now].filter(Boolean);
}

function yearLabels(axis, span, width) {
  return labelledYears(span, width).map((year) =>
    svg("text", { class: "year", x: Math.min(width - 14, Math.max(14, axis.x(year + 0.5))), y: HEIGHT.label, "text-anchor": "middle" }, String(year)),
  );
}

/** Moves the state's moment along; owns the timer of playing. */
function createPlayer(state, bounds, button) {
  let timer = null;
  let speed = 1;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.setAttribute("aria-pressed", "false");
    button.querySelector(".word").textContent = "Play";
    button.classList.remove("playing");
  };
  const tick = () => {
    const { time, step } = state.values;
    const [first, last] = bounds();
    const next = time + step;
    state.set({ time: next > last + 1 - step + 1e-6 ? first : next, scene: null, outline: null });
  };
  const start = () => {
    timer = setInterval(tick, BASE_MS[state.values.step] / speed);
    button.setAttribute("aria-pressed", "true");
    button.querySelector(".word").textContent = "Pause";
    button.classList.add("playing");
  };
  return {
    toggle: () => (timer ? stop() : start()),
    stop,
    setSpeed(value) {
      speed = value;
      if (timer) (stop(), start());
    },
  };
}

function buildParts(state) {
  const play = h("button", { type: "button", class: "play", "aria-pressed": "false", title: "Play (space)" },
    svg("svg", { viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" },
      svg("path", { class: "icon-play", d: "M3 1.5v13l11-6.5z" }), svg("path", { class: "icon-pause", d: "M3 2h4v12H3zM9 2h4v12H9z" })),
    h("span", { class: "word" }, "Play"));
  const back = h("button", { type: "button", class: "step", "aria-label": "Back to the previous year with data", title: "Previous year with data" }, "‹");
  const forward = h("button", { type: "button", class: "step", "aria-label": "On to the next year with data", title: "Next year with data" }, "›");
  const year = h("output", { class: "moment", for: "moment" });
  const months = h("span", { class: "months" });
  const input = h("input", { type: "range", id: "moment", class: "thumb", min: 0, step: 1, "aria-label": "Year shown on the map" });
  const chart = svg("svg", { class: "axis", "aria-hidden": "true" });
  const steps = select("Step", [[YEAR, "years"], [QUARTER, "quarters"]], (step) => {
    state.set({ step, time: momentOf(state.values.time, step) });
  });
  return { play, back, forward, year, months, input, chart, steps };
}

function assemble(element, parts, speeds) {
  const track = h("div", { class: "track" }, parts.chart, parts.input);
  element.append(
    h("div", { class: "now-shown" }, parts.play, parts.back, h("div", { class: "when" }, parts.year, parts.months), parts.forward),
    track,
    h("div", { class: "pace" }, parts.steps, speeds),
  );
  return track;
}

function writeMoment(parts, axis, { time, step }) {
  parts.input.max = String(axis.count - 1);
  parts.input.value = String(axis.indexOf(time));
  const label = momentLabel(time, step);
  parts.input.setAttribute("aria-valuetext", label);
  parts.year.textContent = label;
  parts.months.textContent = monthsLabel(time, step);
  parts.steps.value = String(step);
}

function drawAxis(chart, axis, data, width, onScene) {
  const years = createAxis(data.span, YEAR, width);
  chart.setAttribute("viewBox", `0 0 ${width} 56`);
  chart.replaceChildren(
    ...spans(axis, data),
    ...data.ticks.map((tick) => outlineTick(tick, axis)),
    ...data.scenes.map((scene) => sceneMark(scene, years, onScene)),
    ...yearLabels(axis, data.span, width),
  );
}

/** Builds the time bar in an element. `show(data)` draws what is known; the state's time and step drive the thumb. */
export function createTimeline(element, state, { onScene }) {
  const parts = buildParts(state);
  let data = { span: [1985, 2025], ticks: [], scenes: [], observed: null, forecast: null };
  let axis = createAxis(data.span, YEAR, 600);
  const player = createPlayer(state, () => data.span, parts.play);
  const speeds = select("Speed", SPEEDS, player.setSpeed);
  speeds.value = "1";
  const track = assemble(element, parts, speeds);
  const moveThumb = () => writeMoment(parts, axis, state.values);

  const draw = perFrame(() => {
    const width = track.clientWidth;
    if (!width) return;
    axis = createAxis(data.span, state.values.step, width);
    track.style.setProperty("--cell", `${axis.cell}px`);
    drawAxis(parts.chart, axis, data, width, onScene);
    moveThumb();
  });

  const jump = (direction) => {
    const years = [...data.ticks.map(({ year }) => year), ...data.scenes.map(({ acquired }) => Number(acquired.slice(0, 4)))];
    const next = nextWithData(years, state.values.time, direction);
    if (next !== null) state.set({ time: next, scene: null, outline: null });
  };
  parts.input.addEventListener("input", () => state.set({ time: axis.timeAt(Number(parts.input.value)), scene: null, outline: null }));
  parts.play.addEventListener("click", player.toggle);
  parts.back.addEventListener("click", () => jump(-1));
  parts.forward.addEventListener("click", () => jump(1));
  state.on(["time"], moveThumb);
  state.on(["step"], draw);
  new ResizeObserver(draw).observe(track);

  return {
    show(next) {
      data = { ...data, ...next };
      draw();
    },
    toggle: player.toggle,
    move(direction) {
      const { time, step } = state.values;
      const next = axis.timeAt(axis.indexOf(time) + direction);
      const [first, last] = data.span;
      if (next >= first && next < last + 1 - 1e-6) state.set({ time: next, step, scene: null, outline: null });
    },
    span: () => data.span,
  };
}
