// A section of the panel: it remembers whether it is open, and has a face while it loads, when empty and when it fails.

import { h } from "../dom.js";

const KEY = "glacierweb.sections";

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function remember(name, open) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...remembered(), [name]: open }));
  } catch {
    // Storage may be forbidden; the section then opens as it does for everybody.
  }
}

export function skeleton(lines = 3) {
  const bars = Array.from({ length: lines }, () => h("span", { class: "bar" }));
  return h("div", { class: "skeleton", "aria-busy": "true" }, h("span", { class: "visually-hidden" }, "Loading"), bars);
}

export function empty(text, more = null) {
  return h("p", { class: "empty" }, text, more && " ", more);
}

export function failure(error, retry) {
  const button = h("button", { type: "button", class: "small", on: { click: retry } }, "Try again");
  return h("p", { class: "failure", role: "alert" }, error.message, " ", button);
}

/** An empty section; `open` is what holds before the user chose. */
export function section(name, title, { open = true, lines = 3 } = {}) {
  const body = h("div", { class: "body" }, skeleton(lines));
  const heading = h("summary", {}, h("h3", {}, title), h("span", { class: "aside" }));
  const element = h("details", { class: "section", data: { section: name }, open: remembered()[name] ?? open }, heading, body);
  element.addEventListener("toggle", () => remember(name, element.open));
  return { element, body, aside: (text) => (heading.querySelector(".aside").textContent = text) };
}

/** Fills a section when its data arrive; `load()` is asked again on "Try again". */
export async function fill(part, load, build) {
  try {
    const content = await build(await load());
    part.body.replaceChildren(...[content].flat(2).filter(Boolean));
  } catch (error) {
    if (error.name !== "ApiError") console.error(error);
    const retry = () => (part.body.replaceChildren(skeleton()), fill(part, load, build));
    part.body.replaceChildren(failure(error, retry));
  }
}
