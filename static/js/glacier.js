// Everything that is known about one glacier, asked for at once, each part arriving on its own.

/** Promises of all parts. Nothing is awaited here: every section of the panel waits for its own. */
export function loadGlacier(api, id) {
  return {
    id,
    glacier: api.glacier(id),
    summary: api.summary(id),
    outlines: api.outlines(id).then(({ features }) => features),
    predicted: api.predictedOutlines(id).then(({ features }) => features),
    areas: api.areas(id),
    scenes: api.scenes(id),
    forecasts: api.forecasts(id),
    flows: api.flows(id),
  };
}

/** The value of a promise, or what stands for it when it failed. */
export function orElse(promise, fallback) {
  return promise.catch(() => fallback);
}
