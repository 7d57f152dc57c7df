// Elements without markup strings: text is always text, styles go through the CSSOM, so that the page's policy holds.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [kind, hear] of Object.entries(value)) element.addEventListener(kind, hear);
    else if (name === "css") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "value" || name === "checked" || name === "disabled" || name === "hidden") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An HTML element: h("button", {class: "quiet", on: {click}}, "Retry"). */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Puts text on the clipboard and says so on the button for a moment. */
export async function copyText(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select and copy";
  }
  setTimeout(() => (button.textContent = before), 1600);
}

/** A button that copies a text; `what` completes its name for a screen reader. */
export function copyButton(text, what, label = "Copy") {
  const button = h("button", { type: "button", class: "small", "aria-label": `${label} ${what}` }, label);
  button.addEventListener("click", () => copyText(text, button));
  return button;
}

/** Calls at most once per frame of the screen. */
export function perFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}

/** A promise with its own hand: {promise, resolve}. */
export function deferred() {
  let resolve;
  const promise = new Promise((hear) => (resolve = hear));
  return { promise, resolve };
}

/** Resolves to null after some time. */
export function patience(ms) {
  return new Promise((resolve) => setTimeout(() => resolve(null), ms));
}

/** Calls when the browser has nothing better to do. */
export function whenIdle(work) {
  if (window.requestIdleCallback) window.requestIdleCallback(work, { timeout: 3000 });
  else setTimeout(work, 500);
}

/** Calls when nothing was asked for some time. */
export function settled(work, ms) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), ms);
  };
}

/** The value of a colour or length that the style sheet defines. */
export function cssValue(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
