"""How fast the web half starts, and how soon the map can be used: `python benchmarks/web.py [--site URL] [--rounds 5]`.

Start: a fresh interpreter imports the application and answers /healthz once, in turn with a bare Django project of one
view. The map, in headless Chromium with software rendering, from navigation on:

* first view: the address without anything, until the page says that all that is in view is drawn (MapLibre is idle and
  the tiles and points of the view are on the screen);
* outlines drawn and clicked: an address that looks at the largest glacier, until the same is said and a click in the
  middle of the map, given at that moment, has opened that glacier's panel;
* glacier drawn: an address that has the glacier chosen, until its outlines are drawn; and until its area chart is.

Each in turn with an empty MapLibre layer inside a Leaflet map from the same server. Cold is a visitor with an empty
cache, warm the same visitor's second visit. Needs a running site (GLACIERWEB_SITE); without one, or without a browser,
that part says so. Table: docs/benchmarks/web.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import lru_cache
from statistics import median
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

from machine import ROOT, here, write_page

OURS = """
import glacierweb.wsgi
application = glacierweb.wsgi.application
"""
BARE = """
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("healthz", lambda request: HttpResponse("ok"))]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="bare",
                   MIDDLEWARE=["django.middleware.common.CommonMiddleware"])
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
"""
ASK = """
import sys
from wsgiref.util import setup_testing_defaults
environ = {"PATH_INFO": "/healthz", "HTTP_HOST": "127.0.0.1", "REMOTE_ADDR": "127.0.0.1"}
setup_testing_defaults(environ)
said = []
b"".join(application(environ, lambda status, headers, *rest: said.append(status)))
loaded = [name for name in ("torch", "sklearn", "cv2") if name in sys.modules]
print(said[0], ",".join(loaded) or "none")
"""
START_S, WARM_S, COLD_S = 2.0, 2.0, 4.0
PATIENCE_MS = 180_000
# As in tests/browser/conftest.py: software rendering, nothing in the background.
FLAGS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
# Notes when something happened; the click is given by the page itself, at the moment when the outlines are drawn.
WATCH = """
window.happened = {};
const note = (name, seen) => { if (seen && !(name in window.happened)) window.happened[name] = performance.now(); };
new MutationObserver(() => {
  const map = document.querySelector('#map[data-ready]');
  if (map && !('drawn' in window.happened)) {
    note('drawn', true);
    if (location.hash && !location.hash.includes('&g=')) {
      const box = map.getBoundingClientRect();
      const [clientX, clientY] = [box.x + box.width / 2, box.y + box.height / 2];
      document.elementFromPoint(clientX, clientY).dispatchEvent(
        new MouseEvent('click', {bubbles: true, cancelable: true, clientX, clientY, view: window}));
    }
  }
  note('clicked', document.querySelector('#panel:not([hidden]) .panel-body'));
  note('charted', document.querySelector('#panel [data-section=area] canvas'));
}).observe(document, {attributes: true, childList: true, subtree: true});
"""
EMPTY_PATH = "/empty-map-of-the-benchmark"
EMPTY = """<!doctype html><title>empty</title>
<link rel="stylesheet" href="STATICleaflet/leaflet.css">
<link rel="stylesheet" href="STATICnpm/maplibre-gl/dist/maplibre-gl.css">
<style>html, body, #map { height: 100%; margin: 0 }</style><div id="map"></div>
<script src="STATICleaflet/leaflet.js"></script>
<script src="STATICnpm/maplibre-gl/dist/maplibre-gl-csp.js"></script>
<script src="STATICnpm/@maplibre/maplibre-gl-leaflet/leaflet-maplibre-gl.js"></script>
<script>
maplibregl.setWorkerUrl('STATICnpm/maplibre-gl/dist/maplibre-gl-csp-worker.js');
const map = L.map('map').setView([46, -20], 3);
const style = {version: 8, sources: {}, layers: [{id: 'ground', type: 'background'}]};
const layer = L.maplibreGL({style}).addTo(map);
layer.getMaplibreMap().once('idle', () => { document.querySelector('#map').dataset.ready = '1' });
</script>"""


class Started(NamedTuple):
    """One fresh interpreter until its first answer."""

    wall_s: float
    cpu_s: float
    answer: str


def started(code: str) -> Started:
    """Run an application until it has answered once."""
    began, before = time.monotonic(), os.times()
    ran = subprocess.run([sys.executable, "-c", code + ASK], cwd=ROOT, capture_output=True, text=True, check=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Started(time.monotonic() - began, cpu, ran.stdout.strip().splitlines()[-1])


def start_rows(rounds: int) -> Iterator[str]:
    """Both applications in turn."""
    started(OURS), started(BARE)
    pairs = [(started(OURS), started(BARE)) for _ in range(rounds)]
    wall, cpu, bare_wall, bare_cpu = (
        median(getattr(pair[side], of) for pair in pairs) for side in (0, 1) for of in ("wall_s", "cpu_s")
    )
    ratio = median(ours.cpu_s / bare.cpu_s for ours, bare in pairs)
    met = "met" if wall < START_S else "met in processor time" if cpu < START_S else "**missed**"
    answers = sorted({ours.answer for ours, _ in pairs})
    yield f"| start of the web process, wall s | {wall:.2f} | {bare_wall:.2f} | | < {START_S:g} quiet | {met} |"
    yield f"| start of the web process, CPU s | {cpu:.2f} | {bare_cpu:.2f} | {ratio:.2f} | | |"
    yield f"| heavy libraries after the start | {'; '.join(answers)} | | | none | |"


class View(NamedTuple):
    """What is opened, what must have happened, and within how many seconds (cold, warm) where that is promised."""

    name: str
    address: str
    last: str
    most: dict[str, float]


def views_of(site: str) -> list[View]:
    """The first view, and two addresses of the largest glacier that the site has."""
    with urlopen(f"{site}/api/v1/glaciers/?limit=1000", timeout=60) as answer:
        glaciers = json.load(answer)["results"]
    bars = {"cold": COLD_S, "warm": WARM_S}
    found = [View("first view", "/", "drawn", bars)]
    if glaciers:
        largest = max(glaciers, key=lambda one: one["newest_area_km2"] or 0)
        place = f"/#v=1&map=12/{largest['lat']:.5f}/{largest['lon']:.5f}"
        chosen = f"{place}&g={quote(largest['glac_id'])}"
        found += [
            View("outlines drawn and clicked", place, "clicked", bars),
            View("chosen glacier drawn", chosen, "drawn", bars),
            View("chosen glacier's area chart", chosen, "charted", {}),
        ]
    return found


def seconds_until(context: Any, address: str, event: str) -> float:
    """Seconds from navigation to an event; the page closes afterwards, its cache stays with the context."""
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_function("(name) => name in window.happened", arg=event, timeout=PATIENCE_MS, polling=100)
    seconds = page.evaluate("(name) => window.happened[name]", event) / 1000
    page.close()
    return float(seconds)


@lru_cache
def static_address(site: str) -> str:
    """Where the site serves its libraries: the address changes with their version."""
    with urlopen(f"{site}/", timeout=60) as answer:
        return re.search(r'href="([^"]*)leaflet/leaflet\.css"', answer.read().decode())[1]


def visitor(browser: Any, site: str) -> Any:
    """Somebody new: nothing cached. The empty page is answered here, what it loads by the site."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.add_init_script(WATCH)
    body = EMPTY.replace("STATIC", static_address(site))
    context.route(site + EMPTY_PATH, lambda route: route.fulfill(content_type="text/html", body=body))
    return context


def view_rows(site: str, rounds: int) -> Iterator[str]:
    """All views, or why there are none."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        yield "| first view of the map | not run: playwright is not installed | | | | |"
        return
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        yield "| first view of the map | not run: no Chromium (name it in CHROMIUM) | | | | |"
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for view in views_of(site):
            yield from timed(browser, site, view, rounds)
        browser.close()


def timed(browser: Any, site: str, view: View, rounds: int) -> Iterator[str]:
    """Rows of one view, cold and warm, in turn with the empty page."""
    times: dict[str, list[tuple[float, float]]] = {"cold": [], "warm": []}
    for _ in range(rounds):
        visitors = [visitor(browser, site), visitor(browser, site)]
        for seconds in times.values():
            ours = seconds_until(visitors[0], site + view.address, view.last)
            seconds.append((ours, seconds_until(visitors[1], site + EMPTY_PATH, "drawn")))
        for one in visitors:
            one.close()
    for kind, seconds in times.items():
        ours, empty = (median(side) for side in zip(*seconds, strict=True))
        ratio = median(a / b for a, b in seconds)
        most = view.most.get(kind)
        bar, met = ("", "") if most is None else (f"<= {most:g}", "met" if ours <= most else "**missed**")
        yield f"| {view.name}, {kind}, s | {ours:.2f} | {empty:.2f} | {ratio:.2f} | {bar} | {met} |"


def reachable(site: str) -> bool:
    """Whether a site answers there."""
    try:
        with urlopen(f"{site}/healthz", timeout=5) as answer:
            return answer.status == 200
    except URLError:
        return False


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", default=os.environ.get("GLACIERWEB_SITE", "http://127.0.0.1:8000").rstrip("/"))
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    head = (f"`bin/bench web`: medians of {asked.rounds}, in turn with the peer. Start: a bare Django project of one "
            "view. First view: an empty MapLibre layer in a Leaflet map; headless Chromium, software rendering. "
            f"{here()}.")  # fmt: skip
    lines = ["# Start of the web process and first view", "", head, "",
             "| what | ours | peer | ratio | must | |", "| --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    views = view_rows(asked.site, asked.rounds) if reachable(asked.site) else iter(
        [f"| first view of the map | not run: no site answers at {asked.site} | | | | |"])  # fmt: skip
    for part in (start_rows(asked.rounds), views):
        for line in part:
            print(line, flush=True)
            lines.append(line)
    write_page("web", lines)


if __name__ == "__main__":
    main()
