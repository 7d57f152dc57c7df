// The page of one run: while it lives, its state is asked for every two seconds; it stops when the run has ended.

import { lossChart } from "./chart.js";
import { h } from "./dom.js";
import { number } from "./format.js";
import { table } from "./tables.js";
import { clock, timeLeft } from "./duration.js";

const EVERY_MS = 2000;
const root = document.getElementById("run");
const part = (name) => document.querySelector(`[data-part="${name}"]`);
let chart = null;

async function drawCurves(curves) {
  part("curves").hidden = !curves.length;
  if (!curves.length) return;
  const columns = [
    { label: "Epoch", text: ({ epoch }) => String(epoch) },
    { label: "Training", numeric: true, text: ({ train }) => number(train, 5) },
    { label: "Validation", numeric: true, text: ({ validation }) => number(validation, 5) },
  ];
  part("table").replaceChildren(table("Losses by epoch", columns, curves));
  if (chart) chart.update(curves);
  else chart = await lossChart(part("chart"), curves);
}

function drawLog(lines) {
  const list = part("log");
  const following = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
  list.replaceChildren(...(lines.length ? lines.map((line) => h("li", {}, line)) : [h("li", { class: "empty" }, "Nothing was said yet.")]));
  if (following) list.scrollTop = list.scrollHeight;
}

function drawState(run) {
  part("state").textContent = run.state;
  part("step").textContent = run.step;
  part("progress").value = run.progress;
  part("percent").textContent = `${Math.round(100 * run.progress)} %`;
  part("left").textContent = run.state === "running" ? timeLeft(run, Date.now()) : "";
  part("error").hidden = !run.error;
  part("error").textContent = run.error;
  part("started").textContent = clock(run.started);
  part("finished").textContent = clock(run.finished);
  part("attempt").textContent = `${run.attempt} of at most 3`;
}

async function look() {
  const response = await fetch(root.dataset.url, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  const run = await response.json();
  drawState(run);
  drawLog(run.log);
  await drawCurves(run.curves);
  return run.state === "queued" || run.state === "running";
}

async function follow() {
  try {
    if (await look()) setTimeout(follow, EVERY_MS);
    else if (root.dataset.live === "1") location.reload(); // shows what the run made
  } catch (error) {
    part("step").textContent = `${error.message} Trying again.`;
    setTimeout(follow, 5 * EVERY_MS);
  }
}

follow();
