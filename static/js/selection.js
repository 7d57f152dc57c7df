// The chosen glacier (or area of interest): asked for once, shown by map, panel and time bar together.

import { decimalYear, spanOf, yearOf } from "./dates.js";
import { loadGlacier, orElse } from "./glacier.js";
import { yearsOf } from "./history.js";

function ticksOf(outlines) {
  const years = new Map();
  for (const { properties } of outlines) years.set(yearOf(properties.src_date), true);
  return [...years.keys()].map((year) => ({ year, share: 1 }));
}

function futureOf(forecasts) {
  const frames = forecasts.flatMap((forecast) => forecast.frames.filter(({ observed }) => !observed));
  if (!frames.length) return null;
  return [Math.min(...frames.map(({ start }) => decimalYear(start))), Math.max(...frames.map(({ end }) => decimalYear(end)))];
}

function observedOf(years) {
  const known = years.filter(Number.isFinite);
  return known.length ? [Math.min(...known), Math.max(...known) + 1] : null;
}

/** What the time bar shows of a glacier. The bar ends with the forecast, or with the last year that has anything. */
export function timelineOf({ outlines, predicted, scenes, forecasts }, now) {
  const seen = forecasts.flatMap(({ frames }) => frames.filter(({ observed }) => observed)).map(({ start }) => yearOf(start));
  const years = [...yearsOf(outlines, scenes, predicted), ...seen];
  const forecast = futureOf(forecasts);
  const span = spanOf([...years, ...(forecast ? [forecast[1] - 0.01] : [])], now);
  return { span, ticks: ticksOf(outlines), scenes, observed: observedOf(years), forecast };
}

const NOTHING = { outlines: [], predicted: [], scenes: [], forecasts: [], flows: [] };

/** Creates the selection: `choose(state values)` loads; `onData(data, part)` is called as the parts arrive. */
export function createSelection(api, { onData }) {
  let key = "";
  let data = { ...NOTHING };

  async function follow(promises, mine) {
    const arrive = async (name) => {
      const found = await orElse(promises[name], []);
      if (key !== mine) return;
      data = { ...data, [name]: found };
      onData(data, name);
    };
    await Promise.all(Object.keys(NOTHING).filter((name) => promises[name]).map(arrive));
  }

  return {
    data: () => data,
    /** Starts loading what is chosen; returns the promises for the panel, or null where nothing new is chosen. */
    choose({ glacier, aoi }) {
      const next = glacier ? `g:${glacier}` : aoi ? `a:${aoi}` : "";
      if (next === key) return null;
      key = next;
      data = { ...NOTHING };
      onData(data, "nothing");
      if (!next) return null;
      const promises = glacier ? loadGlacier(api, glacier) : { forecasts: api.aoiForecasts(aoi) };
      follow(promises, next);
      return promises;
    },
    forget: () => (key = ""),
  };
}
