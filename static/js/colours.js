// Colours that carry meaning. Outline years: matplotlib's magma (perceptually uniform, CC0), pale = old, dark = new.

const MAGMA = ["#fdebac", "#febd82", "#fc8c63", "#ef5d5e", "#cf4070", "#a5317e", "#7c2382", "#54137d", "#331067"];

function mix(a, b, share) {
  const part = (text, at) => Number.parseInt(text.slice(at, at + 2), 16);
  const channel = (at) => Math.round(part(a, at) + (part(b, at) - part(a, at)) * share);
  return `#${[1, 3, 5].map((at) => channel(at).toString(16).padStart(2, "0")).join("")}`;
}

/** Colour of a year on the ramp over [first, last]. */
export function yearColour(year, [first, last]) {
  const share = last > first ? Math.min(1, Math.max(0, (year - first) / (last - first))) : 1;
  const at = share * (MAGMA.length - 1);
  const index = Math.min(MAGMA.length - 2, Math.floor(at));
  return mix(MAGMA[index], MAGMA[index + 1], at - index);
}

/** Colour of a year among the years of one glacier: equal steps, since outlines lie decades apart and then months. */
export function stepColour(year, years) {
  return yearColour(years.indexOf(year), [0, years.length - 1]);
}

/** CSS gradient of equal steps, one a year. */
export function steps(years) {
  const part = (index) => `${((index / years.length) * 100).toFixed(1)}%`;
  return `linear-gradient(to right, ${years.map((year, index) => `${stepColour(year, years)} ${part(index)} ${part(index + 1)}`).join(", ")})`;
}

/** The ramp as [share, colour] pairs, for legends and for the map's expressions. */
export function yearRamp() {
  return MAGMA.map((colour, index) => [index / (MAGMA.length - 1), colour]);
}

/** CSS gradient through [value, colour] stops. */
export function gradient(stops, vmin, vmax) {
  const at = (value) => `${(((value - vmin) / (vmax - vmin)) * 100).toFixed(1)}%`;
  return `linear-gradient(to right, ${stops.map(([value, colour]) => `${colour} ${at(value)}`).join(", ")})`;
}

/** Colour of a value on [value, colour] stops, as [red, green, blue]. */
export function colourAt(stops, value) {
  const above = Math.max(1, stops.findIndex(([place]) => place >= value));
  const [[low, from], [high, to]] = [stops[above - 1], stops[above]];
  const text = mix(from, to, Math.min(1, Math.max(0, (value - low) / (high - low))));
  return [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16));
}
