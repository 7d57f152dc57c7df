// How long a run still takes, and the instants of its life.

import { duration } from "./format.js";

/** What is left of a run at its speed so far; nothing while that cannot be told. */
export function timeLeft({ started, progress }, now) {
  if (!started || progress < 0.02) return "";
  const seconds = (now - Date.parse(started)) / 1000;
  return `about ${duration((seconds * (1 - progress)) / progress)} left`;
}

/** `2026-01-31 12:00:05` of an ISO instant. */
export function clock(iso) {
  return iso ? iso.slice(0, 19).replace("T", " ") : "not yet";
}
