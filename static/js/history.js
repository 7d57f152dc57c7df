// A glacier's outlines in time: which one holds at a moment, which belong together. Pure: no map, no page.

import { decimalYear, firstDay, inMoment, lastDay, yearOf } from "./dates.js";

const DAY_MS = 86_400_000;

function isoOfDays(days) {
  return new Date(days * DAY_MS).toISOString().slice(0, 10);
}

/** The preferred outline that holds on the last day of a moment; null before the first one. */
export function validAt(features, time, step) {
  const day = isoOfDays(lastDay(time, step));
  const holds = ({ properties: p }) => p.preferred && p.valid_from <= day && (!p.valid_to || p.valid_to >= day);
  const found = features.filter(holds).sort((a, b) => (a.properties.valid_from < b.properties.valid_from ? 1 : -1));
  return found[0] ?? null;
}

/** The predicted outline of a moment: of the scene that is asked for, else of the best one in late summer; null without. */
export function predictedAt(features, time, step, sceneId = null) {
  const asked = features.find(({ properties }) => sceneId && String(properties.scene?.id) === String(sceneId));
  if (asked) return asked;
  const here = features.filter(({ properties }) => inMoment(properties.date, time, step));
  const rank = ({ properties: p }) => (p.flags?.length ?? 0) * 10 + Math.abs((decimalYear(p.date) % 1) - 0.67);
  return here.sort((a, b) => rank(a) - rank(b))[0] ?? null;
}

/** Outlines of one date side by side: [{date, analyses: [feature, ...]}], newest first, the preferred one first. */
export function byDate(features) {
  const dates = new Map();
  for (const feature of features) {
    const { src_date: date } = feature.properties;
    dates.set(date, [...(dates.get(date) ?? []), feature]);
  }
  const preferredFirst = (a, b) => Number(b.properties.preferred) - Number(a.properties.preferred);
  return [...dates]
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .map(([date, analyses]) => ({ date, analyses: analyses.sort(preferredFirst) }));
}

/** The years that have an outline, oldest first. */
export function outlineYears(features) {
  return [...new Set(features.map(({ properties }) => yearOf(properties.src_date)))].sort((a, b) => a - b);
}

/** Years in which something of the glacier is dated. */
export function yearsOf(outlines, scenes = [], predicted = []) {
  return [
    ...outlines.map(({ properties }) => yearOf(properties.src_date)),
    ...scenes.map((scene) => yearOf(scene.acquired)),
    ...predicted.map(({ properties }) => yearOf(properties.date)),
  ];
}

/** The forecast frame of a moment: the one that holds its first day (`end` is the day after), else one that starts in it. */
export function frameAt(frames, time, step) {
  const first = firstDay(time, step);
  return frames.find((frame) => frame.start <= first && first < frame.end)
    ?? frames.find((frame) => inMoment(frame.start, time, step)) ?? null;
}

/** The displacement field of a moment: the asked one, else the one over the moment whose middle is nearest; null without. */
export function flowAt(fields, time, step, asked = null) {
  const found = asked && fields.find(({ id }) => String(id) === String(asked));
  if (found) return found;
  const span = ({ first, second }) => [decimalYear(first.acquired), decimalYear(second.acquired)];
  const away = (field) => Math.abs((span(field)[0] + span(field)[1]) / 2 - (time + step / 2));
  const over = fields.filter((field) => span(field)[0] < time + step && span(field)[1] >= time);
  return over.sort((a, b) => away(a) - away(b))[0] ?? null;
}
