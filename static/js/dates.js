// Time as the time bar knows it: a year or a quarter, and where it lies on an axis of decimal years.

const DAY_MS = 86_400_000;
export const YEAR = 1;
export const QUARTER = 0.25;
const QUARTER_NAMES = ["Jan–Mar", "Apr–Jun", "Jul–Sep", "Oct–Dec"];

/** Days since 1970-01-01 of a calendar date (month 1 to 12), as the vector tiles count them. */
export function daysSinceEpoch(year, month, day) {
  return Math.round(Date.UTC(year, month - 1, day) / DAY_MS);
}

/** Year of a number of days since 1970-01-01. */
export function yearOfDays(days) {
  return new Date(days * DAY_MS).getUTCFullYear();
}

/** Decimal year of an ISO date or date-time: 2016-07-01 is 2016.4973. */
export function decimalYear(iso) {
  const [year, month = 1, day = 1] = iso.slice(0, 10).split("-").map(Number);
  const start = Date.UTC(year, 0, 1);
  const length = Date.UTC(year + 1, 0, 1) - start;
  return year + (Date.UTC(year, month - 1, day) - start) / length;
}

export function yearOf(iso) {
  return Number(iso.slice(0, 4));
}

/** First day of a moment as ISO date; a moment is a year (step 1) or the start of a quarter (step 0.25). */
export function firstDay(time, step) {
  const year = Math.floor(time);
  const month = step === QUARTER ? Math.floor((time - year) * 4) * 3 + 1 : 1;
  return `${year}-${String(month).padStart(2, "0")}-01`;
}

/** Last day of a moment, in days since 1970-01-01: the day on which the map shows what is valid. */
export function lastDay(time, step) {
  const year = Math.floor(time);
  const months = step === QUARTER ? (Math.floor((time - year) * 4) + 1) * 3 : 12;
  return daysSinceEpoch(year, months + 1, 0);
}

/** `2016` for a year, `2016 Q3` for a quarter. */
export function momentLabel(time, step) {
  const year = Math.floor(time);
  return step === QUARTER ? `${year} Q${Math.floor((time - year) * 4) + 1}` : String(year);
}

/** The months of a quarter in words, nothing for a whole year. */
export function monthsLabel(time, step) {
  return step === QUARTER ? QUARTER_NAMES[Math.floor((time - Math.floor(time)) * 4)] : "";
}

/** Rounds a decimal year down to the moment that holds it. */
export function momentOf(decimal, step) {
  return Math.floor(decimal / step + 1e-6) * step;
}

/** The moment that holds an ISO date, by the calendar: quarters begin on the first of a month, not at 0.25 years. */
export function momentOfDate(iso, step) {
  const quarter = Math.floor((Number(iso.slice(5, 7) || 1) - 1) / 3);
  return yearOf(iso) + (step === QUARTER ? quarter * QUARTER : 0);
}

/** Whether an ISO date lies in a moment. */
export function inMoment(iso, time, step) {
  return momentOfDate(iso, step) === time;
}

/** First and last year (whole, inclusive) that hold all dates; a span without dates is the last forty years. */
export function spanOf(years, now) {
  const known = years.filter(Number.isFinite);
  if (!known.length) return [now - 40, now];
  return [Math.floor(Math.min(...known)), Math.floor(Math.max(...known))];
}

/** The nearest year with data before (-1) or after (+1) a moment; null where there is none. */
export function nextWithData(years, time, direction) {
  const sorted = [...new Set(years)].sort((a, b) => a - b);
  if (direction > 0) return sorted.find((year) => year > time) ?? null;
  return sorted.filter((year) => year < Math.floor(time + 1e-6)).pop() ?? null;
}

/**
 * The axis of the time bar: decimal years on pixels, and moments on the whole numbers of a range input.
 * span = [first year, last year], both whole and both shown to their end; width in px.
 */
export function createAxis(span, step, width) {
  const [first, last] = span;
  const years = last + 1 - first;
  const count = Math.max(1, Math.round(years / step));
  const cell = width / count;
  return {
    count,
    cell,
    x: (decimal) => ((decimal - first) / years) * width,
    decimal: (x) => first + (x / width) * years,
    indexOf: (time) => Math.min(count - 1, Math.max(0, Math.floor((time - first) / step + 1e-6))),
    timeAt: (index) => first + index * step,
  };
}

/** Years to write under an axis: every 1, 2, 5, 10, 20, 50 years so that labels stay apart by at least `gap` px. */
export function labelledYears(span, width, gap = 56) {
  const [first, last] = span;
  const perYear = width / (last + 1 - first);
  const every = [1, 2, 5, 10, 20, 50, 100].find((step) => step * perYear >= gap) ?? 200;
  const years = [];
  for (let year = Math.ceil(first / every) * every; year <= last; year += every) years.push(year);
  return years;
}
