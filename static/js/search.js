// Search by name or any identifier: a combobox with a list of glaciers, for the pointer and for the keyboard.

import { h, settled } from "./dom.js";
import { area } from "./format.js";

function identifiersOf(glacier) {
  return [glacier.glac_id, ...Object.values(glacier.aliases ?? {}).flat()].slice(0, 3).join(", ");
}

function option(glacier, index, onPick) {
  const size = glacier.newest_area_km2 ? area(glacier.newest_area_km2) : "";
  const row = h("li", { role: "option", id: `found-${index}`, "aria-selected": "false" },
    h("span", { class: "name" }, glacier.name || glacier.glac_id, glacier.simulated ? " (simulated)" : ""),
    h("span", { class: "by" }, [identifiersOf(glacier), size].filter(Boolean).join(" · ")));
  // Before the input loses its focus, which would close the list under the pointer.
  row.addEventListener("pointerdown", (event) => (event.preventDefault(), onPick(glacier)));
  return row;
}

/** Wires an input and its list. `onPick(glacier)` is called with what was chosen. */
export function createSearch(input, list, { api, onPick }) {
  let found = [];
  let active = -1;
  let pending = null;

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const pick = (glacier) => {
    close();
    input.value = "";
    input.blur();
    onPick(glacier);
  };
  const mark = (index) => {
    active = (index + found.length) % found.length;
    [...list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === active)));
    input.setAttribute("aria-activedescendant", `found-${active}`);
    list.children[active].scrollIntoView({ block: "nearest" });
  };
  const say = (text) => list.replaceChildren(h("li", { class: "empty", role: "option", "aria-disabled": "true", "aria-selected": "false" }, text));
  const show = (glaciers, text) => {
    found = glaciers;
    active = -1;
    if (glaciers.length) list.replaceChildren(...glaciers.map((glacier, index) => option(glacier, index, pick)));
    else say(`No glacier with the name or identifier “${text}”.`);
  };
  const ask = settled(async (text) => {
    pending?.abort();
    pending = new AbortController();
    try {
      const { results } = await api.search(text, pending.signal);
      show(results, text);
    } catch (error) {
      if (error.name === "AbortError") return;
      say(`The search failed: ${error.message}`);
    }
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  }, 180);

  input.addEventListener("input", () => (input.value.trim().length ? ask(input.value.trim()) : close()));
  input.addEventListener("blur", () => setTimeout(close, 120));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") (close(), input.blur());
    if (list.hidden || !found.length) return;
    if (event.key === "ArrowDown") (event.preventDefault(), mark(active + 1));
    if (event.key === "ArrowUp") (event.preventDefault(), mark(active < 0 ? found.length - 1 : active - 1));
    if (event.key === "Enter") (event.preventDefault(), pick(found[Math.max(0, active)]));
  });
  return { focus: () => (input.focus(), input.select()) };
}
