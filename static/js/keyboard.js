// Keys that work anywhere on the page, and the dialog that lists them.

import { h } from "./dom.js";

const LISTED = [
  ["/", "search"],
  ["← →", "one step in time (on the map itself: pan)"],
  ["space", "play and pause"],
  ["[ ]", "glacier by glacier"],
  ["t", "table instead of the area chart"],
  ["l", "list of what is in view"],
  ["y", "layers"],
  ["c", "compare two dates or two sources"],
  ["+ −", "zoom (with the map in focus)"],
  ["Esc", "close"],
  ["?", "this list"],
];

function typing(target) {
  return target.closest("input:not([type=range]):not([type=checkbox]), textarea, select, dialog[open]");
}

function helpDialog(element) {
  const rows = LISTED.map(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)]);
  const close = h("button", { type: "button", class: "primary", on: { click: () => element.close() } }, "Close");
  element.append(h("h2", { id: "help-title" }, "Keys"), h("dl", { class: "keys" }, rows), close);
  element.setAttribute("aria-labelledby", "help-title");
  return () => (element.open ? element.close() : element.showModal());
}

/** actions: {search, step(direction), play, neighbour(direction), twin, list, layers, compare, escape}. */
export function createKeyboard(dialog, helpButton, actions) {
  const help = helpDialog(dialog);
  helpButton.addEventListener("click", help);
  const plain = {
    "/": actions.search,
    "[": () => actions.neighbour(-1),
    "]": () => actions.neighbour(1),
    t: actions.twin,
    l: actions.list,
    y: actions.layers,
    c: actions.compare,
    "?": help,
    Escape: actions.escape,
  };
  const arrows = { ArrowLeft: -1, ArrowRight: 1 };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const onControl = event.target.closest("button, a, summary, input");
    const inMap = event.target.closest(".leaflet-container, [role=slider], input[type=range]");
    let done = true;
    if (event.key in plain) plain[event.key]();
    else if (event.key === " " && (!onControl || onControl.id === "moment")) actions.play();
    else if (event.key in arrows && !inMap) actions.step(arrows[event.key]);
    else done = false;
    if (done) event.preventDefault();
  });
}
