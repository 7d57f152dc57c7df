// What can be taken away: outlines, series, rasters, each with its format.

import { copyButton, h } from "../dom.js";
import { empty } from "./section.js";

function sources(features) {
  const found = new Map();
  for (const { properties } of features) {
    if (properties.source?.name) found.set(properties.source.name, properties.source);
  }
  return [...found.values()];
}

/** Sources of the glacier's outlines with licence and citation. */
export function sourceList(features) {
  const list = sources(features);
  if (!list.length) return empty("No source is stored yet.");
  return h("ul", { class: "sources" }, list.map(({ name, licence, citation }) =>
    h("li", {}, h("strong", {}, name), licence && h("span", { class: "by" }, licence),
      citation && h("p", { class: "citation" }, citation), citation && copyButton(citation, `citation of ${name}`, "Cite this"))));
}

/** Download links of a glacier; `csv` is the address of its series. */
export function downloadList(glacier, csv) {
  const given = glacier.downloads ?? [];
  const links = given.some(({ href }) => href.includes("areas")) ? given : [...given, { label: "Area series", href: csv, format: "CSV" }];
  const link = ({ label, href, format }) => h("li", {}, h("a", { href, download: "" }, label), " ", h("span", { class: "by" }, format));
  return h("ul", { class: "rows plain" }, links.map(link));
}
