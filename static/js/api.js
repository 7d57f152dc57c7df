// The only file that fetches. A failure is an ApiError that says what failed in the words of the server.

/** A request that did not end well: status 0 = no answer at all. */
export class ApiError extends Error {
  constructor(message, status, problem = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.problem = problem;
  }
}

async function problemOf(response) {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

async function request(url, { signal, method = "GET" } = {}) {
  let response;
  try {
    response = await fetch(url, { signal, method, headers: { Accept: "application/json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(navigator.onLine ? "The server does not answer." : "There is no connection.", 0);
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    const said = problem?.detail || problem?.title || `The server answered ${response.status}.`;
    throw new ApiError(said, response.status, problem);
  }
  return response.json();
}

function withQuery(path, query) {
  const known = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return known.length ? `${path}?${new URLSearchParams(known)}` : path;
}

/** The REST interface below `base` (usually /api/v1/). Answers about one glacier are kept until `forget`. */
export function createApi(base) {
  const kept = new Map();

  function get(path, query = {}, options = {}) {
    return request(withQuery(base + path, query), options);
  }

  function keep(path, query = {}) {
    const url = withQuery(base + path, query);
    if (!kept.has(url)) {
      const answer = request(url);
      kept.set(url, answer);
      answer.catch(() => kept.delete(url));
    }
    return kept.get(url);
  }

  async function all(path, query = {}) {
    const first = await keep(path, query);
    const results = [...(first.results ?? [])];
    let { next } = first;
    for (let pages = 1; next && pages < 20; pages += 1) {
      const page = await request(next);
      results.push(...page.results);
      next = page.next;
    }
    return results;
  }

  const one = (id) => `glaciers/${encodeURIComponent(id)}/`;
  return {
    forget: () => kept.clear(),
    asset: (url) => request(url),
    status: () => get("status/"),
    years: () => keep("years/"),
    predictedYears: () => keep("predicted-years/"),
    allForecasts: () => all("forecasts/", { limit: 200 }),
    scene: (id) => keep(`scenes/${encodeURIComponent(id)}/`),
    masks: (id) => all("masks/", { scene: id, limit: 20 }),
    regionTrend: (code) => get(`regions/${encodeURIComponent(code)}/trend/`),
    aois: () => all("aois/", { limit: 500 }),
    colourMaps: () => keep("colour-maps/"),
    terrain: () => all("scenes/", { kind: "dem", limit: 200 }),
    search: (q, signal) => get("glaciers/", { q, limit: 12 }, { signal }),
    inView: (bbox, signal) => get("glaciers/", { bbox: bbox.join(","), limit: 1000 }, { signal }),
    glacier: (id) => keep(one(id)),
    summary: (id) => keep(`${one(id)}summary/`),
    outlines: (id) => keep(`${one(id)}outlines/`, { limit: 1000 }),
    predictedOutlines: (id) => keep(`${one(id)}predicted-outlines/`, { limit: 10000 }),
    areas: (id) => keep(`${one(id)}areas/`),
    areasCsv: (id) => `${base}${one(id)}areas/?format=csv`,
    framesCsv: (id) => `${base}forecasts/${id}/frames/?format=csv`,
    scenes: (id) => all(`${one(id)}scenes/`, { limit: 1000 }),
    forecasts: (id) => all(`${one(id)}forecasts/`, { limit: 100 }),
    flows: (id) => all(`${one(id)}flow/`, { limit: 100 }),
    aoiForecasts: (id) => all(`aois/${encodeURIComponent(id)}/forecasts/`, { limit: 100 }),
    outlinesIn: (bbox, year) => get("outlines/", { bbox: bbox.join(","), year, limit: 2000 }),
  };
}
