// The view's state in one place: who changes it says what, who shows it listens to the keys it shows.

/** Creates the state. `set` tells only about keys whose value really changed, once per call. */
export function createState(initial) {
  const values = { ...initial };
  const listeners = new Set();

  function set(patch, { history = "replace" } = {}) {
    const changed = Object.keys(patch).filter((key) => patch[key] !== values[key]);
    if (!changed.length) return;
    Object.assign(values, patch);
    for (const { keys, hear } of [...listeners]) {
      if (!keys || keys.some((key) => changed.includes(key))) hear(values, changed, history);
    }
  }

  /** Hears changes of some keys (all without any); returns what stops it. */
  function on(keys, hear) {
    const listener = { keys, hear };
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  return { values, set, on };
}
