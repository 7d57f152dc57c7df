"""The map in a real browser: from the world to a glacier, through time, by link, by keyboard, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PANEL_MS = 30_000
DRAWN = """() => {
  const canvas = document.querySelector('.maplibregl-canvas');
  return canvas.width > 0 && document.querySelector('#map').dataset.ready === '1';
}"""


def middle(page: Any) -> tuple[float, float]:
    box = page.locator("#map").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def zoom_to_first(visit: Any) -> Any:
    """Open a glacier, zoom to it and close the panel, so that it lies in the middle of the map."""
    page = visit.open_glacier()
    page.click("#list .panel-bar button")
    page.click("text=Zoom to it")
    page.wait_for_timeout(800)
    page.click("[aria-label='Close the panel']")
    page.wait_for_timeout(800)
    return page


def outline_tiles(visit: Any) -> list[str]:
    """Vector tiles that were asked for, once no further one is."""
    while True:
        before = [url for url in visit.requests if ".mvt" in url]
        visit.page.wait_for_timeout(1500)
        if before == [url for url in visit.requests if ".mvt" in url]:
            return before


def violations(page: Any) -> list[str]:
    """Serious and critical findings of axe on the page as it stands."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {[node['target'] for node in one['nodes']][:3]} {one['nodes'][0]['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
    ]


def test_the_map_shows_outlines_and_a_click_on_one_opens_its_panel(visit):
    page = zoom_to_first(visit)
    assert page.locator("#panel").is_hidden()
    page.mouse.click(*middle(page))
    page.wait_for_selector("#panel h2", timeout=PANEL_MS)
    page.wait_for_selector("#panel .outline-row", timeout=PANEL_MS)
    page.wait_for_selector("#panel canvas", timeout=PANEL_MS)
    assert "km²" in page.locator("#panel .result").inner_text()
    assert visit.complaints == []


def test_the_year_filters_the_outlines_without_a_new_request_for_tiles(visit):
    page = zoom_to_first(visit)
    before = outline_tiles(visit)
    slider = page.locator("#moment")
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(600)
    first = page.locator(".moment").inner_text()
    assert first == slider.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowRight")
    assert page.locator(".moment").inner_text() == str(int(first) + 1)
    page.wait_for_timeout(600)
    assert outline_tiles(visit) == before
    assert visit.complaints == []


def test_the_chosen_year_has_its_own_outline_on_the_map(visit):
    page = visit.open_glacier()
    drawn = page.locator(".leaflet-chosen-pane path")
    page.wait_for_function("() => document.querySelectorAll('.leaflet-chosen-pane path').length > 0")
    newest = drawn.last.get_attribute("d")
    page.locator("#moment").focus()
    page.keyboard.press("Home")
    page.wait_for_function(
        """(before) => [...document.querySelectorAll('.leaflet-chosen-pane path')]
          .every((path) => path.getAttribute('d') !== before)""",
        arg=newest,
    )
    assert visit.complaints == []


def test_search_finds_by_name_and_by_identifier(visit):
    page = visit.open_glacier()
    identifier = page.locator("#panel .identifiers code").first.inner_text()
    name = page.locator("#panel h2").inner_text().split("\n")[0]
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    for words in (identifier, name.split()[0]):
        page.keyboard.press("/")
        page.keyboard.type(words)
        page.wait_for_selector("#found li[id]", timeout=PANEL_MS)
        assert identifier in page.locator("#found").inner_text()
        page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("zzzzqqqq")
    page.wait_for_selector("#found .empty", timeout=PANEL_MS)
    assert visit.complaints == []


def test_the_keyboard_alone_goes_from_the_list_to_the_figures(visit):
    page = visit.open()
    page.keyboard.press("l")
    page.wait_for_selector("#list button.row", timeout=PANEL_MS)
    while not page.evaluate("document.activeElement.matches('#list button.row')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel .outline-row", timeout=PANEL_MS)
    page.wait_for_selector("#panel [data-twin=area]", timeout=PANEL_MS)
    first = page.locator("#panel h2").inner_text()
    page.keyboard.press("t")
    assert page.locator("#panel [data-section=area] table").first.is_visible()
    before = page.locator(".moment").inner_text()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".moment").inner_text() != before
    page.keyboard.press("]")
    page.wait_for_function("(name) => document.querySelector('#panel h2')?.innerText !== name", arg=first)
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    assert visit.complaints == []


def test_the_address_restores_the_view_and_back_leaves_the_glacier(visit, chromium):
    page = visit.open_glacier()
    page.locator("#moment").focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(500)
    address, year = page.evaluate("location.hash"), page.locator(".moment").inner_text()
    title = page.locator("#panel h2").inner_text()
    other = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
    other.goto(f"{visit.site}/{address}")
    other.wait_for_selector("#panel h2", timeout=PANEL_MS)
    assert other.locator("#panel h2").inner_text() == title
    assert other.locator(".moment").inner_text() == year
    assert other.evaluate("location.hash") == address
    other.context.close()
    page.go_back()
    page.wait_for_function("() => document.querySelector('#panel').hidden")


def test_a_forecast_is_shown_on_the_map_with_its_skill_and_in_grey_where_it_is_not_useful(visit):
    page = visit.open_glacier()
    section = page.locator("[data-section=forecast]")
    section.get_by_role("button", name="Show on the map").wait_for(timeout=PANEL_MS)
    section.get_by_role("button", name="Show on the map").click()
    page.wait_for_selector(".leaflet-forecast-pane img.leaflet-tile-loaded", timeout=PANEL_MS)
    assert "Q" in page.locator(".moment").inner_text()
    assert "snow and ice, not glacier" in section.inner_text()
    assert "months ahead" in section.inner_text()
    assert section.locator("table").last.is_visible()
    if section.locator("#forecast-choice").count():
        shown = page.evaluate("() => document.querySelector('.leaflet-forecast-pane').className")
        section.locator("#forecast-choice").select_option(index=1)
        page.wait_for_timeout(300)
        section = page.locator("[data-section=forecast]")
        useless = section.locator(".skill.not-useful").count() == 1
        grey = "not-useful" in page.evaluate("() => document.querySelector('.leaflet-forecast-pane').className")
        assert useless == grey
        assert shown
    assert visit.complaints == []


def test_the_scene_of_the_year_lies_under_the_outlines(visit):
    page = visit.open_glacier()
    page.locator("[data-section=scenes] summary").first.click()
    page.wait_for_selector("[data-section=scenes] .body :is(.row, .empty)", timeout=PANEL_MS)
    if page.locator("[data-section=scenes] .empty button").count():
        page.locator("[data-section=scenes] .empty button").click()
    page.wait_for_selector(".leaflet-scene-pane img.leaflet-tile-loaded", timeout=PANEL_MS)
    page.click("#layers-button")
    page.check("#layer-ndsi")
    assert not page.is_checked("#layer-true-colour")
    page.wait_for_function(
        """() => [...document.querySelectorAll('.leaflet-scene-pane img.leaflet-tile-loaded')]
          .some((tile) => tile.src.includes('ndsi'))"""
    )
    assert visit.complaints == []


def test_two_dates_are_compared_with_a_divider_that_the_keyboard_moves(visit):
    page = visit.open_glacier()
    page.click("#compare-button")
    handle = page.locator(".swipe")
    handle.focus()
    page.keyboard.press("ArrowRight")
    assert handle.get_attribute("aria-valuenow") == "52"
    clipped = page.evaluate("() => document.querySelector('.leaflet-chosen-pane').style.clipPath")
    assert clipped.startswith("polygon")
    page.click("#list .panel-bar button")
    page.keyboard.press("Escape")
    assert handle.is_hidden()
    assert visit.complaints == []


def test_the_analysts_outline_stands_beside_the_networks(visit):
    page = visit.open_glacier()
    page.click("#list .panel-bar button")
    page.locator("#moment").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")  # 2015: the last year that both have drawn
    page.keyboard.press("c")
    page.wait_for_function("() => document.querySelectorAll('.leaflet-chosen-left-pane path').length > 0")
    page.locator("#compare-left").select_option("network")
    assert page.locator(".swipe .left").inner_text().startswith("analysts")
    assert page.locator(".swipe .right").inner_text().startswith("network")
    assert "cmp=network" in page.evaluate("location.hash")
    assert page.locator(".leaflet-chosen-left-pane path").count() > 0
    assert page.locator(".leaflet-chosen-pane path").count() == 0
    assert page.locator(".leaflet-predicted-pane path").count() > 0
    page.keyboard.press("Escape")
    assert page.locator("#compare-with").is_hidden()
    assert visit.complaints == []


def test_speed_and_agreement_are_layers_with_their_legends(visit):
    page = visit.open_glacier()
    page.locator("[data-section=flow] summary").click()
    page.locator("[data-section=flow] button.row").click()
    page.wait_for_selector(".leaflet-flow-pane img.leaflet-tile-loaded", timeout=PANEL_MS)
    assert "Speed (m a year)" in page.locator("#legend").inner_text()
    assert "2014-08-20 to 2015-08-20" in page.locator("#legend").inner_text()
    assert "4.2" in page.locator("[data-section=flow]").inner_text()
    page.click("#layers-button")
    page.uncheck("#layer-flow")
    assert page.locator(".leaflet-flow-pane img").count() == 0
    page.uncheck("#layer-predicted")
    page.check("#layer-agreement")
    page.wait_for_selector(".leaflet-agreement-pane img", state="attached", timeout=PANEL_MS)
    assert "3 outlines of 1990–2016" in page.locator("#legend").inner_text()
    assert visit.complaints == []


def test_nobody_else_is_asked_and_the_page_works_with_the_network_cut(visit):
    own = urlparse(visit.site).netloc
    outside: list[str] = []

    def gate(route: Any) -> None:
        if urlparse(route.request.url).netloc in {own, ""}:
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    visit.page.route("**/*", gate)
    page = visit.open_glacier()
    page.wait_for_selector("#panel canvas", timeout=PANEL_MS)
    assert page.evaluate(DRAWN)
    assert outside == []
    assert visit.complaints == []


def test_a_failed_part_says_so_and_can_be_tried_again(visit):
    broken = {"on": True}

    def gate(route: Any) -> None:
        if broken["on"]:
            away = '{"detail": "The database is away."}'
            route.fulfill(status=503, content_type="application/problem+json", body=away)
        else:
            route.continue_()

    visit.page.route("**/areas/**", gate)
    page = visit.open()
    page.click("#list-button")
    page.locator("#list .rows button.row").first.click()
    failure = page.locator("[data-section=area] .failure")
    failure.wait_for(timeout=PANEL_MS)
    assert "The database is away." in failure.inner_text()
    broken["on"] = False
    failure.get_by_role("button").click()
    page.wait_for_selector("[data-section=area] canvas", timeout=PANEL_MS)


def test_no_serious_accessibility_violation_on_the_map_and_in_the_panel(visit_at_both_widths):
    visit = visit_at_both_widths
    page = visit.open()
    assert violations(page) == []
    page.click("#list-button")
    page.locator("#list .rows button.row").first.click()
    page.wait_for_selector("#panel .outline-row", state="attached", timeout=PANEL_MS)
    page.wait_for_timeout(500)
    if page.locator("#list").is_visible():
        page.keyboard.press("Escape")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert visit.complaints == []


@pytest.mark.parametrize("address", ["/about/", "/regions/", "/accounts/login/", "/glaciers/G000000E00000N/"])
def test_pages_of_text_have_no_serious_violation(visit, address):
    visit.page.goto(visit.site + address)
    assert violations(visit.page) == []
    assert not any("Content Security Policy" in text for text in visit.complaints)


def test_the_map_can_be_used_where_the_vector_tiles_fail(visit):
    visit.page.route("**/*.mvt*", lambda route: route.abort())
    page = visit.page
    page.goto(visit.site)
    page.wait_for_selector("#list-button .count:not(:text('–'))", timeout=PANEL_MS)
    page.click("#list-button")
    page.locator("#list .rows button.row").first.click()
    page.wait_for_selector("#panel .outline-row", timeout=PANEL_MS)
    page.wait_for_function("() => document.querySelectorAll('.leaflet-chosen-pane path').length > 0")


def test_without_a_connection_the_page_says_so_and_keeps_what_it_has(visit):
    page = visit.open()
    page.context.set_offline(True)
    page.wait_for_selector("text=No connection", timeout=PANEL_MS)
    page.context.set_offline(False)
    page.wait_for_selector("text=No connection", state="detached", timeout=PANEL_MS)
