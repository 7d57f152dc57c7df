"""How fast the web half starts, and how soon the map can be used: `python benchmarks/web.py [--site URL] [--rounds 5]`.

Start: a fresh interpreter imports the application and answers /healthz once, in turn with a bare Django project of one
view. First view: from navigation until the page says that its outlines are drawn (they can be clicked from then on), in
headless Chromium with software rendering, in turn with an empty MapLibre layer inside a Leaflet map from the same
server; cold is a visitor with an empty cache, warm the same visitor's second visit. Needs a running site
(GLACIERWEB_SITE); without one, or without a browser, that part says so. Table: docs/benchmarks/web.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median
from typing import Any, NamedTuple

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
WATCH = """
new MutationObserver((_, self) => {
  if (document.querySelector('#map[data-ready]')) { window.readyMs = performance.now(); self.disconnect(); }
}).observe(document, {attributes: true, childList: true, subtree: true});
"""
EMPTY_PATH = "/empty-map-of-the-benchmark"
EMPTY = """<!doctype html><title>empty</title>
<link rel="stylesheet" href="/static/leaflet/leaflet.css">
<link rel="stylesheet" href="/static/npm/maplibre-gl/dist/maplibre-gl.css">
<style>html, body, #map { height: 100%; margin: 0 }</style><div id="map"></div>
<script src="/static/leaflet/leaflet.js"></script>
<script src="/static/npm/maplibre-gl/dist/maplibre-gl-csp.js"></script>
<script src="/static/npm/@maplibre/maplibre-gl-leaflet/leaflet-maplibre-gl.js"></script>
<script>
maplibregl.setWorkerUrl('/static/npm/maplibre-gl/dist/maplibre-gl-csp-worker.js');
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


def first_view(context: Any, address: str) -> float:
    """Seconds from navigation to ready; the page closes afterwards, its cache stays with the context."""
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#map[data-ready]", state="attached", timeout=PATIENCE_MS)
    seconds = page.evaluate("() => window.readyMs") / 1000
    page.close()
    return float(seconds)


def visitor(browser: Any, site: str) -> Any:
    """Somebody new: nothing cached. The empty page is answered here, what it loads by the site."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.add_init_script(WATCH)
    context.route(site + EMPTY_PATH, lambda route: route.fulfill(content_type="text/html", body=EMPTY))
    return context


def view_rows(site: str, rounds: int) -> Iterator[str]:
    """Cold and warm, the map and the empty page in turn."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        yield "| first view of the map | not run: playwright is not installed | | | | |"
        return
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        yield "| first view of the map | not run: no Chromium (name it in CHROMIUM) | | | | |"
        return
    times: dict[str, list[tuple[float, float]]] = {"cold": [], "warm": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for _ in range(rounds):
            visitors = [visitor(browser, site), visitor(browser, site)]
            for kind in ("cold", "warm"):
                addresses = (f"{site}/", site + EMPTY_PATH)
                times[kind].append(tuple(first_view(*one) for one in zip(visitors, addresses, strict=True)))
            for one in visitors:
                one.close()
        browser.close()
    for kind, most in (("cold", COLD_S), ("warm", WARM_S)):
        ours, empty = (median(side) for side in zip(*times[kind], strict=True))
        ratio = median(a / b for a, b in times[kind])
        met = "met" if ours <= most else "**missed**"
        yield f"| map ready, {kind}, s | {ours:.2f} | {empty:.2f} | {ratio:.2f} | <= {most:g} | {met} |"


def reachable(site: str) -> bool:
    """Whether a site answers there."""
    from urllib.error import URLError
    from urllib.request import urlopen

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
