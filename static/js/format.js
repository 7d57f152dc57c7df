// Numbers, units and dates as a reader of the field expects them: a thin space before the unit, a true minus sign.

const THIN = "\u2009";

/** A number with a fixed count of decimals and a true minus sign; an en dash where there is none. */
export function number(value, decimals = 2) {
  if (value === null || value === undefined || !Number.isFinite(Number(value))) return "–";
  const text = Number(value).toFixed(decimals);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** Decimals for an area: three significant figures, at least two decimals below 10 km². */
export function areaDecimals(km2) {
  if (Math.abs(km2) < 1) return 3;
  if (Math.abs(km2) < 100) return 2;
  return 1;
}

/** `2.41 km²` */
export function area(km2) {
  return km2 === null || km2 === undefined ? "–" : `${number(km2, areaDecimals(km2))}${THIN}km²`;
}

/** `2.41 ± 0.08 km²`, or `2.41 (2.30 to 2.55) km²` where the interval is not symmetric within a tenth of itself. */
export function areaWithInterval(km2, lo, hi) {
  if (lo === null || lo === undefined || hi === null || hi === undefined) return area(km2);
  const decimals = areaDecimals(km2);
  const below = km2 - lo;
  const above = hi - km2;
  if (Math.abs(above - below) <= 0.1 * (hi - lo)) {
    return `${number(km2, decimals)} ± ${number((hi - lo) / 2, decimals)}${THIN}km²`;
  }
  return `${number(km2, decimals)} (${number(lo, decimals)} to ${number(hi, decimals)})${THIN}km²`;
}

/** `38 %` of a fraction. */
export function percent(fraction, decimals = 0) {
  return fraction === null || fraction === undefined ? "–" : `${number(fraction * 100, decimals)}${THIN}%`;
}

/** A value that is a percentage already, with its sign: `−0.90 %`. */
export function signedPercent(value, decimals = 2) {
  if (value === null || value === undefined) return "–";
  return `${value > 0 ? "+" : ""}${number(value, decimals)}${THIN}%`;
}

/** The ISO date of an ISO date-time. */
export function day(iso) {
  return iso ? iso.slice(0, 10) : "–";
}

/** A date as far as it is known: `2016-08-31`, `2016-08`, `2016`, or an interval. */
export function dateAsKnown(iso, precision, end) {
  if (!iso) return "no date";
  if (precision === "year") return iso.slice(0, 4);
  if (precision === "month") return iso.slice(0, 7);
  if (precision === "quarter") return `${iso.slice(0, 4)} Q${Math.floor((Number(iso.slice(5, 7)) - 1) / 3) + 1}`;
  if (precision === "interval" && end) return `${day(iso)} to ${day(end)}`;
  return day(iso);
}

/** `46.0123° N 30.0456° W` */
export function coordinates(lat, lon, decimals = 4) {
  const wrapped = ((((lon + 180) % 360) + 360) % 360) - 180;
  const ns = lat < 0 ? "S" : "N";
  const ew = wrapped < 0 ? "W" : "E";
  return `${Math.abs(lat).toFixed(decimals)}°${THIN}${ns} ${Math.abs(wrapped).toFixed(decimals)}°${THIN}${ew}`;
}

/** `1 scene`, `3 scenes` */
export function count(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}

/** `45 s`, `3 min 20 s`, `1 h 05 min` */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}${THIN}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}${THIN}min ${String(whole % 60).padStart(2, "0")}${THIN}s`;
  return `${Math.floor(whole / 3600)}${THIN}h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")}${THIN}min`;
}
