// Which scene stands for a moment, and what to say where none does. Pure: no map, no page.

import { decimalYear, inMoment, momentLabel } from "./dates.js";

// Profiles whose scenes outlines and areas are made of; others (of single experiments) say nothing about the map.
const PROFILES = ["area", "outline"];

/**
 * The rules that refused a scene: [{profile, rule, value, limit}]. A scene that one of the two profiles takes is not
 * refused; one that was never judged is not either.
 */
export function refusals(scene) {
  const judged = PROFILES.filter((profile) => Array.isArray(scene.refusals?.[profile]));
  if (!judged.length || judged.some((profile) => !scene.refusals[profile].length)) return [];
  const [profile] = judged;
  return scene.refusals[profile].map((rule) => (typeof rule === "string" ? { profile, rule } : { profile, ...rule }));
}

/** Whether a style (true-colour, ndsi) of a scene can be drawn. */
export function drawable(scene, style) {
  return scene.state === "stored" && Boolean(scene.tiles?.[style]);
}

function told(value) {
  return typeof value === "number" ? String(Number(value.toPrecision(3))) : [value].flat().join(", ").replaceAll("_", " ");
}

/** A rule that refused a scene in words: `cloud 27.4 (limit < 10 %)`. */
export function ruleWords({ rule, value, limit }) {
  const name = rule.replaceAll("_", " ");
  if (value === undefined || value === null) return name;
  return `${name} ${told(value)}${limit === undefined || limit === null ? "" : ` (limit ${told(limit)})`}`;
}

function distanceFromLateSummer(scene, southern) {
  const fraction = decimalYear(scene.acquired) % 1;
  const away = Math.abs(fraction - (southern ? 0.15 : 0.67));
  return Math.min(away, 1 - away);
}

function rank(scene, southern) {
  const refused = refusals(scene).length ? 1 : 0;
  return refused * 10 + distanceFromLateSummer(scene, southern) * 4 + (scene.cloud_percent ?? 0) / 50;
}

/** The scene to show for a moment: one that passed the rules, near late summer, with little cloud; null for none. */
export function choose(scenes, time, step, style, southern = false) {
  const found = scenes.filter((scene) => drawable(scene, style) && inMoment(scene.acquired, time, step));
  return found.sort((a, b) => rank(a, southern) - rank(b, southern))[0] ?? null;
}

/** The drawable scene closest in time; null for none. */
export function nearest(scenes, time, step, style) {
  const middle = time + step / 2;
  const away = (scene) => Math.abs(decimalYear(scene.acquired) - middle);
  return scenes.filter((scene) => drawable(scene, style)).sort((a, b) => away(a) - away(b))[0] ?? null;
}

/** Why nothing can be shown: "no scene in 1992: 3 refused for cloud". */
export function absence(scenes, time, step) {
  const here = scenes.filter((scene) => inMoment(scene.acquired, time, step));
  const when = momentLabel(time, step);
  if (!here.length) return `no scene in ${when}`;
  const refused = here.filter((scene) => refusals(scene).length);
  if (!refused.length) return `${here.length} in ${when}, not read yet`;
  const rules = new Map();
  for (const scene of refused) {
    const { rule } = refusals(scene)[0];
    rules.set(rule, (rules.get(rule) ?? 0) + 1);
  }
  const reasons = [...rules].map(([rule, n]) => `${n} refused for ${rule.replaceAll("_", " ")}`);
  return `no scene in ${when}: ${reasons.join(", ")}`;
}
