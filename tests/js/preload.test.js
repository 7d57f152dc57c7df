import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../static/js/", import.meta.url));
const TEMPLATE = fileURLToPath(new URL("../../templates/map.html", import.meta.url));

function modulesOf(file, seen = new Set()) {
  if (seen.has(file) || relative(ROOT, file).startsWith("..")) return seen;
  seen.add(file);
  for (const [, path] of readFileSync(file, "utf8").matchAll(/^(?:import|export)[^;]*?from "(\.[^"]+)"/gm)) {
    modulesOf(join(dirname(file), path), seen);
  }
  return seen;
}

test("the map page names each of its modules, so that the browser asks for all of them at once", () => {
  const needed = [...modulesOf(join(ROOT, "map.js"))].map((file) => relative(ROOT, file)).sort();
  const named = [...readFileSync(TEMPLATE, "utf8").matchAll(/modulepreload" href="{% static 'js\/([^']+)'/g)].map(([, path]) => path);
  assert.deepEqual(named.sort(), needed);
});

test("only one file each knows Leaflet, MapLibre, ECharts and the network", () => {
  const files = [...modulesOf(join(ROOT, "map.js"))];
  const using = (pattern) => files.filter((file) => pattern.test(readFileSync(file, "utf8"))).map((file) => relative(ROOT, file));
  assert.deepEqual(using(/\bL\.[a-zA-Z]/), ["leaflet.js"]);
  assert.deepEqual(using(/\bmaplibregl\./), ["layers/outlines.js"]);
  assert.deepEqual(using(/echarts\.init/), ["chart.js"]);
  assert.deepEqual(using(/\bfetch\(/), ["api.js"]);
});
