// Head of the panel: name, what it is, identifiers to copy, the result in one sentence.

import { copyButton, h } from "../dom.js";
import { coordinates } from "../format.js";

const ALIAS_NAMES = { rgi_id: "RGI", local_id: "local", wgms_id: "WGMS", glims_id: "GLIMS" };

function identifier(kind, text) {
  return h("li", {}, h("span", { class: "kind" }, kind), " ", h("code", {}, text), " ", copyButton(text, `${kind} identifier ${text}`));
}

function identifiers(glacier) {
  const own = identifier(glacier.id_source === "glims" ? "GLIMS" : "glacier", glacier.glac_id);
  const others = Object.entries(glacier.aliases ?? {}).flatMap(([kind, texts]) =>
    [texts].flat().filter((text) => text && text !== glacier.glac_id).map((text) => identifier(ALIAS_NAMES[kind] ?? kind.replaceAll("_", " "), text)),
  );
  return h("ul", { class: "identifiers" }, own, others);
}

export function simulatedBadge() {
  return h("span", { class: "badge simulated", title: "Computed in a simulated world, not measured" }, "simulated");
}

/** Elements of the head for a glacier and its summary (which may still be missing). */
export function heading(glacier, summary) {
  const region = glacier.region ? `${glacier.region.name}, ` : "";
  const sentence = summary?.sentence ?? glacier.sentence;
  return [
    h("h2", { id: "panel-title", tabindex: "-1" }, glacier.name || `Glacier ${glacier.glac_id}`, " ", glacier.simulated && simulatedBadge()),
    h("p", { class: "where" }, region, coordinates(glacier.lat, glacier.lon, 3)),
    sentence && h("p", { class: "result" }, sentence),
    identifiers(glacier),
  ];
}

/** What the data cannot support, in sentences. */
export function notes(texts) {
  const unique = [...new Set(texts)].filter(Boolean);
  return unique.length ? h("ul", { class: "notes" }, unique.map((text) => h("li", {}, text))) : null;
}
