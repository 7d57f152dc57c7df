// The scenes of the chosen moment: what was seen, what was refused and by which rule.

import { decimalYear, inMoment, momentLabel } from "../dates.js";
import { h } from "../dom.js";
import { count, dateAsKnown, number } from "../format.js";
import { absence, nearest, refusals, ruleWords } from "../scenes.js";
import { STYLES } from "../layers/scenes.js";
import { empty } from "./section.js";

const MOST = 24;

function sceneRow(scene, { onScene, shown }) {
  const refused = refusals(scene);
  const why = scene.state === "failed" ? scene.reason : refused.map(ruleWords).join("; ");
  const cloud = scene.cloud_percent === null || scene.cloud_percent === undefined ? "" : `${number(scene.cloud_percent, 0)}\u2009% cloud`;
  const facts = [scene.sensor || scene.collection, cloud, scene.state === "stored" ? "" : scene.state].filter(Boolean).join(", ");
  const current = shown && shown.id === scene.id;
  return h("li", {},
    h("button", { type: "button", class: "row", "aria-pressed": String(Boolean(current)), disabled: scene.state !== "stored", on: { click: () => onScene(scene) } },
      h("span", { class: "date" }, dateAsKnown(scene.acquired, scene.date_precision, scene.acquired_end)), h("span", { class: "by" }, facts)),
    scene.page && h("a", { class: "evidence", href: scene.page, "aria-label": `Page of the scene of ${scene.acquired.slice(0, 10)}` }, "details"),
    why && h("p", { class: "quiet" }, scene.state === "failed" ? `not read: ${why}` : `refused by the ${refused[0].profile} profile: ${why}`));
}

/** The scenes of a moment, else why there is none and the nearest one. */
export function sceneList(scenes, values, { onScene, shown }) {
  if (!scenes.length) return [empty("No scene covers this glacier yet.")];
  const { time, step } = values;
  const here = scenes.filter((scene) => inMoment(scene.acquired, time, step)).sort((a, b) => decimalYear(a.acquired) - decimalYear(b.acquired));
  if (!here.length) {
    const near = STYLES.map((style) => nearest(scenes, time, step, style)).find(Boolean);
    const text = absence(scenes, time, step);
    const go = near && h("button", { type: "button", class: "small", on: { click: () => onScene(near) } }, `Nearest: ${near.acquired.slice(0, 10)}`);
    return [empty(`${text[0].toUpperCase()}${text.slice(1)}.`, go)];
  }
  const rest = here.length - MOST;
  return [
    h("p", { class: "quiet" }, `${count(here.length, "scene")} in ${momentLabel(time, step)}, ${scenes.length} in all`),
    h("ul", { class: "rows" }, here.slice(0, MOST).map((scene) => sceneRow(scene, { onScene, shown }))),
    rest > 0 && h("p", { class: "quiet" }, `and ${rest} more: choose quarters in the time bar`),
  ];
}
