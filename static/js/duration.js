// Durations in words, and how long a run still takes.

/** `40 s`, `12 min`, `2 h 5 min` */
export function words(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What is left of a run at its speed so far; nothing while that cannot be told. */
export function timeLeft({ started, progress }, now) {
  if (!started || progress < 0.02) return "";
  const seconds = (now - Date.parse(started)) / 1000;
  return `about ${words((seconds * (1 - progress)) / progress)} left`;
}

/** `2026-01-31 12:00:05` of an ISO instant. */
export function clock(iso) {
  return iso ? iso.slice(0, 19).replace("T", " ") : "not yet";
}
