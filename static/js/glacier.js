// Everything that is known about one glacier, asked for at once, each part arriving on its own.

/**
 * Promises of all parts. Nothing is awaited here: every section of the panel waits for its own. What is looked at first
 * is asked for first; the long lists follow, so that they do not slow it down.
 */
export function loadGlacier(api, id) {
  const [outlines, areas] = [api.outlines(id).then(({ features }) => features), api.areas(id)];
  const first = Promise.allSettled([outlines, areas]);
  return {
    id,
    glacier: api.glacier(id),
    summary: api.summary(id),
    outlines,
    areas,
    predicted: first.then(() => api.predictedOutlines(id)).then(({ features }) => features),
    scenes: first.then(() => api.scenes(id)),
    forecasts: first.then(() => api.forecasts(id)),
    flows: first.then(() => api.flows(id)),
  };
}

/** What gives a promise when it is called first, and asks again afterwards. */
export function askedAgain(promise, again) {
  let given = false;
  return () => {
    if (given) return again();
    given = true;
    return promise;
  };
}

/** The value of a promise, or what stands for it when it failed. */
export function orElse(promise, fallback) {
  return promise.catch(() => fallback);
}
