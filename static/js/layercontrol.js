// The layers: what is drawn, how strongly, and one line on what each is.

import { h } from "./dom.js";

export const LAYERS = [
  ["outlines", "Outlines", "of analysts, coloured by year"],
  ["predicted", "Predicted outlines", "drawn by a network, dashed"],
  ["true-colour", "Scene, true colour", "of the chosen date"],
  ["ndsi", "Scene, NDSI", "snow index of the chosen date"],
  ["backscatter", "Radar, backscatter", "dB, of the chosen date; sees through cloud"],
  ["coherence", "Radar, coherence", "low where the surface moved or changed"],
  ["mask", "Mask probability", "how sure the network is of ice"],
  ["forecast", "Forecast", "NDSI: snow and ice, not glacier"],
  ["flow", "Flow", "speed of what moved between two scenes"],
  ["agreement", "Agreement", "share of the glacier's outlines that cover a place"],
  ["hillshade", "Hillshade", "where there is an elevation model"],
  ["basemap", "Land", "Natural Earth, needs no network"],
];
// One scene at a time: the ways to draw it exclude each other.
const OF_A_SCENE = ["true-colour", "ndsi", "backscatter", "coherence"];

function switched(layers, name, on) {
  const next = { ...layers };
  if (on) {
    next[name] = next[name] ?? (name === "mask" ? 0.7 : 1);
    if (OF_A_SCENE.includes(name)) for (const other of OF_A_SCENE) if (other !== name) delete next[other];
  } else delete next[name];
  return next;
}

function entry(state, [name, title, what]) {
  const box = h("input", { type: "checkbox", id: `layer-${name}` });
  const opacity = h("input", { type: "range", min: 0, max: 1, step: 0.05, "aria-label": `Opacity of ${title.toLowerCase()}` });
  box.addEventListener("change", () => state.set({ layers: switched(state.values.layers, name, box.checked) }));
  opacity.addEventListener("input", () => state.set({ layers: { ...state.values.layers, [name]: Number(opacity.value) } }));
  const show = ({ layers }) => {
    box.checked = name in layers;
    opacity.hidden = !(name in layers);
    opacity.value = String(layers[name] ?? 1);
  };
  show(state.values);
  state.on(["layers"], show);
  return h("li", {}, h("label", { for: `layer-${name}` }, box, h("span", { class: "name" }, title), h("span", { class: "by" }, what)), opacity);
}

function basemapChoice(state, basemaps) {
  const names = Object.keys(basemaps);
  if (!names.length) return null;
  const choices = [h("option", { value: "" }, "none"), ...names.map((name) => h("option", { value: name }, basemaps[name].title ?? name))];
  const select = h("select", { id: "online-basemap" }, choices);
  select.value = state.values.online ?? "";
  select.addEventListener("change", () => state.set({ online: select.value || null }));
  return h("p", {}, h("label", { for: "online-basemap" }, "Online basemap "), select);
}

/** Builds the control behind its button. */
export function createLayerControl(button, element, state, basemaps) {
  const close = h("button", { type: "button", class: "quiet-button", "aria-label": "Close the layers" }, "✕");
  const heading = h("div", { class: "panel-bar" }, h("h2", {}, "Layers"), close);
  element.append(...[heading, h("ul", { class: "layers" }, LAYERS.map((layer) => entry(state, layer))), basemapChoice(state, basemaps)].filter(Boolean));
  const toggle = (open = element.hidden) => {
    element.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) element.querySelector("input").focus();
  };
  button.addEventListener("click", () => toggle());
  close.addEventListener("click", () => (toggle(false), button.focus()));
  element.addEventListener("keydown", (event) => event.key === "Escape" && (event.stopPropagation(), toggle(false), button.focus()));
  return { toggle };
}
