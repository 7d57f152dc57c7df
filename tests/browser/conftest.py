"""Chromium against a real server: of this process with a small world, or the one that GLACIERWEB_SITE names."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Playwright runs an event loop in this thread; Django would refuse to touch the database beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

HERE = Path(__file__).resolve().parent
NODE_MODULES = HERE.parent.parent / "node_modules"
FLAGS = [
    "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
]  # fmt: skip
WIDTHS = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
READY_MS = 60_000
SITE = os.environ.get("GLACIERWEB_SITE", "").rstrip("/")


def chromium_path() -> str:
    """The browser that is installed; the test is skipped by name where there is none."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium found: install it, or name it in CHROMIUM")
    return found


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests, drawing in software."""
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield browser
        browser.close()


# What a test asks for must stand in the signatures: pytest-django makes the test database only for tests whose
# fixtures say so, and one that is asked for on the way would be the site's own.
if SITE:

    @pytest.fixture
    def site() -> str:
        """Address of a running system that holds something."""
        return SITE

else:

    @pytest.fixture
    def site(small_world: dict[str, Any], live_server: Any) -> str:
        """Address of a server of this process with the small world."""
        if not (NODE_MODULES / "maplibre-gl").is_dir():
            pytest.skip("the browser's libraries are missing: run npm ci")
        return live_server.url


@pytest.fixture
def small_world(transactional_db: None, settings: Any, tmp_path: Path) -> dict[str, Any]:
    """The rows and rasters of small_world.py, in a test database and a temporary folder."""
    if not settings.DATABASES["default"]["NAME"].startswith("test"):
        raise RuntimeError("The browser tests would write into a database that is not a test database.")
    settings.DATA_ROOT = tmp_path.resolve()
    spec = importlib.util.spec_from_file_location("small_world", HERE / "small_world.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.build()


class Visit:
    """A page on the site with everything that went wrong on it."""

    def __init__(self, page: Any, site: str) -> None:
        self.page, self.site = page, site
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("response", self._answered)

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _answered(self, response: Any) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")

    def open(self, address: str = "/") -> Any:
        """Go there and wait until the outlines are drawn."""
        self.page.goto(self.site + address)
        self.page.wait_for_selector("#map[data-ready]", timeout=READY_MS)
        return self.page

    def open_glacier(self, address: str = "/") -> Any:
        """Open the map, then the glacier that the list names first."""
        page = self.open(address)
        page.click("#list-button")
        page.locator("#list .rows button.row").first.click()
        page.wait_for_selector("#panel .outline-row", timeout=READY_MS)
        return page


@pytest.fixture(params=list(WIDTHS))
def visit_at_both_widths(chromium: Any, site: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A fresh visitor on a desktop, then on a phone."""
    context = chromium.new_context(viewport=WIDTHS[request.param], reduced_motion="reduce")
    found = Visit(context.new_page(), site)
    yield found
    print("complaints of the page:", found.complaints)
    context.close()


@pytest.fixture
def visit(chromium: Any, site: str) -> Iterator[Visit]:
    """A fresh visitor on a desktop."""
    context = chromium.new_context(viewport=WIDTHS["desktop"], reduced_motion="reduce")
    found = Visit(context.new_page(), site)
    yield found
    print("complaints of the page:", found.complaints)
    context.close()
