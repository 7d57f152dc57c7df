from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import shapely
from affine import Affine

from workers.imagery import stac
from workers.imagery.fetching import Fetcher, FetchFailed, RefusedAddress, public_address
from workers.imagery.grid import Grid
from workers.imagery.prepare import prepare
from workers.imagery.rasters import Stack, write

GRID = Grid("EPSG:32701", Affine(30, 0, 180_000, 0, -30, 8_180_000), 20, 20)
CONFORMS = ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"]


@dataclass
class Served:
    """What the little catalogue offers, and what it was asked."""

    items: list[dict] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    failures: dict[str, list[int]] = field(default_factory=dict)
    token: str = ""
    asked: list[str] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    served: Served

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.served.asked.append(self.path)
        if self.served.failures.get(parts.path):
            self.answer(self.served.failures[parts.path].pop(0), b"busy")
        elif parts.path in self.served.moved:
            self.answer(302, b"", Location=self.served.moved[parts.path])
        elif parts.path == "/":
            self.json(self.landing())
        elif parts.path == "/search":
            self.json(self.page({key: values[0] for key, values in parse_qs(parts.query).items()}))
        elif parts.path.startswith("/token/"):
            self.json({"token": f"sig={self.served.token}"})
        elif parts.path in self.served.files:
            signed = not self.served.token or f"sig={self.served.token}" in parts.query
            self.answer(200 if signed else 403, self.served.files[parts.path])
        else:
            self.answer(404, b"")

    def landing(self) -> dict:
        links = [{"rel": "self", "href": self.served.url}, {"rel": "root", "href": self.served.url},
                 {"rel": "search", "href": self.served.url + "search", "type": "application/geo+json"}]  # fmt: skip
        return {
            "type": "Catalog",
            "id": "little",
            "stac_version": "1.0.0",
            "description": "x",
            "conformsTo": CONFORMS,
            "links": links,
        }

    def page(self, asked: dict[str, str]) -> dict:
        west, south, east, north = map(float, asked["bbox"].split(","))
        box = shapely.box(west, south, east, north)
        hits = [i for i in self.served.items if shapely.geometry.shape(i["geometry"]).intersects(box)]
        start = int(asked.get("token", 0))
        links = []
        if start + 2 < len(hits):
            query = "&".join(f"{k}={v}" for k, v in {**asked, "token": str(start + 2)}.items())
            links = [{"rel": "next", "href": f"{self.served.url}search?{query}", "method": "GET"}]
        return {"type": "FeatureCollection", "features": hits[start : start + 2], "links": links}

    def json(self, document: dict) -> None:
        self.answer(200, json.dumps(document).encode(), **{"Content-Type": "application/json"})

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """The test's output stays clean."""


@pytest.fixture()
def served() -> Iterator[Served]:
    state = Served()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"served": state}))
    state.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


def catalogue(served: Served, **more: object) -> stac.Catalogue:
    return stac.Catalogue("little", served.url, private_hosts=("127.0.0.1",), **more)


def item(served: Served, key: str, west: float = 179.9, cloud: float | None = 5.0, **properties: object) -> dict:
    ring = list(shapely.box(west, -16.5, west + 0.05, -16.4).exterior.coords)
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": key, "collection": "landsat-c2-l2", "links": [],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {
            "datetime": "2018-08-20T10:00:00Z", "platform": "landsat-8", "eo:cloud_cover": cloud, **properties,
        },
        "assets": {
            "green": {"href": f"{served.url}{key}_green.tif"}, "nir08": {"href": f"{served.url}{key}_nir.tif"},
            "qa_pixel": {"href": f"{served.url}{key}_qa.tif"}, "qa": {"href": f"{served.url}{key}_st_qa.tif"},
            "thumbnail": {"href": f"{served.url}{key}.jpg"},
        },
    }  # fmt: skip


def quick(*hosts: str, **settings: object) -> tuple[Fetcher, list[float]]:
    waited: list[float] = []
    return Fetcher((), hosts or ("127.0.0.1",), sleep=waited.append, **settings), waited


def test_pages_are_followed_to_the_last_and_bands_get_their_canonical_names(served: Served) -> None:
    served.items = [item(served, f"s{n}") for n in range(5)]
    found = stac.search(catalogue(served), bbox=(179, -17, 180, -16))
    assert [scene.key for scene in found] == [f"s{n}" for n in range(5)]
    assert set(found[0].assets) == {"green", "nir", "qa"}
    assert found[0].assets["qa"].href.endswith("s0_qa.tif")
    assert found[0].assets["green"][2:] == (2.75e-5, -0.2, 0)
    assert (found[0].sensor, found[0].cloud_percent) == ("landsat-8", 5.0)
    assert found[0].acquired == datetime(2018, 8, 20, 10, tzinfo=UTC)


def test_an_area_across_the_antimeridian_is_asked_for_in_two_parts_and_counted_once(served: Served) -> None:
    served.items = [item(served, "west", 179.9), item(served, "east", -179.99), item(served, "far", 10.0)]
    halves = shapely.MultiPolygon([shapely.box(179.8, -16.6, 180, -16.3), shapely.box(-180, -16.6, -179.8, -16.3)])
    wide = {**item(served, "both"), "geometry": shapely.geometry.mapping(halves)}
    served.items.append(wide)
    found = stac.search(catalogue(served), bbox=(179.5, -17, -179.5, -16))
    assert sorted(scene.key for scene in found) == ["both", "east", "west"]
    crossing = shapely.box(179.9, -16.5, 180.1, -16.3)
    assert {scene.key for scene in stac.search(catalogue(served), geometry=crossing)} == {"both", "east", "west"}
    boxes = {parse_qs(urlsplit(path).query)["bbox"][0] for path in served.asked if path.startswith("/search")}
    assert len(boxes) == 4


def test_cloud_tier_and_platform_are_filtered_whatever_the_server_can(served: Served) -> None:
    served.items = [
        item(served, "clear"), item(served, "cloudy", cloud=60.0), item(served, "silent", cloud=None),
        item(served, "second", **{"landsat:collection_category": "T2"}), item(served, "old", platform="landsat-3"),
    ]  # fmt: skip
    found = stac.search(catalogue(served), bbox=(179, -17, 180, -16), max_cloud=20)
    assert {scene.key for scene in found} == {"clear", "silent"}


def test_two_records_of_one_acquisition_become_the_newest(served: Served) -> None:
    place = {"landsat:wrs_path": "76", "landsat:wrs_row": "73"}
    served.items = [
        item(served, "v1", **place, **{"processing:version": "02.00"}),
        item(served, "v2", **place, **{"processing:version": "02.01"}),
    ]  # fmt: skip
    assert [scene.key for scene in stac.search(catalogue(served), bbox=(179, -17, 180, -16))] == ["v2"]


def test_an_item_that_cannot_be_used_is_left_out_and_hurts_no_other(served: Served) -> None:
    served.items = [
        item(served, "good"), {**item(served, "empty"), "assets": {}},
        {**item(served, "local"), "assets": {"green": {"href": "file:///etc/passwd"}}},
    ]  # fmt: skip
    assert [scene.key for scene in stac.search(catalogue(served), bbox=(179, -17, 180, -16))] == ["good"]


def delivered(served: Served, tmp_path: Path) -> stac.FoundScene:
    """A scene of the catalogue whose files the catalogue also serves."""
    served.items = [item(served, "s")]
    for name, value in (("green", 20_000), ("nir", 15_000), ("qa", 21_824)):
        layer = Stack(np.full((1, *GRID.shape), value), (name,), GRID)
        write(layer, tmp_path / f"{name}.tif", encode="float32")
        served.files[f"/s_{name}.tif"] = (tmp_path / f"{name}.tif").read_bytes()
    return stac.search(catalogue(served), bbox=(179, -17, 180, -16))[0]


def test_files_are_fetched_and_ready_to_prepare(served: Served, tmp_path: Path) -> None:
    found = delivered(served, tmp_path)
    local = stac.fetch(found, tmp_path / "cache", {"little": {"url": served.url, "private_hosts": ["127.0.0.1"]}})
    prepared = prepare(local, GRID)
    assert prepared.stack.bands == ("green", "nir")
    assert prepared.stack.band("green").mean() == pytest.approx(20_000 * 2.75e-5 - 0.2)
    before = len(served.asked)
    stac.fetch(found, tmp_path / "cache", catalogue(served))
    assert len(served.asked) == before, "what is there is not fetched again"
    assert stac.fetch(local, tmp_path / "cache", {}).assets == local.assets


def test_a_token_that_ran_out_is_renewed_once(served: Served, tmp_path: Path) -> None:
    found = delivered(served, tmp_path)
    served.token = "first"
    signing = catalogue(served, signing=served.url + "token/{collection}")
    client, _ = quick()
    renewed = False

    def download(url: str, path: Path, real=client.download) -> Path:
        nonlocal renewed
        if not renewed:
            renewed, served.token = True, "second"
        return real(url, path)

    object.__setattr__(client, "download", download)
    local = stac.fetch(found, tmp_path / "cache", signing, names=["green"], fetcher=client)
    assert Path(local.assets["green"].href).read_bytes() == served.files["/s_green.tif"]
    assert sum(path.startswith("/token/landsat-c2-l2") for path in served.asked) == 2


def test_a_busy_server_is_asked_again_after_1_4_and_16_seconds(served: Served, tmp_path: Path) -> None:
    served.files["/a.tif"] = b"x" * 1000
    served.failures["/a.tif"] = [503, 429, 500]
    client, waited = quick()
    assert client.download(served.url + "a.tif", tmp_path / "a.tif").read_bytes() == b"x" * 1000
    assert waited == [1.0, 4.0, 16.0]
    served.failures["/a.tif"] = [503] * 4
    with pytest.raises(FetchFailed, match="answered 503"):
        client.download(served.url + "a.tif", tmp_path / "b.tif")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


def test_what_is_not_there_is_not_asked_for_again(served: Served, tmp_path: Path) -> None:
    client, waited = quick()
    with pytest.raises(FetchFailed, match="answered 404") as error:
        client.download(served.url + "gone.tif", tmp_path / "a.tif")
    assert (error.value.status, waited) == (404, [])


def test_redirects_are_followed_hop_by_hop_and_never_to_a_host_that_is_not_listed(
    served: Served, tmp_path: Path
) -> None:
    served.files["/a.tif"] = b"data"
    served.moved = {"/1": "/2", "/2": served.url + "a.tif", "/out": "http://localhost:1/a.tif", "/loop": "/loop",
                    "/file": "file:///etc/passwd", "/meta": "http://169.254.169.254/latest/meta-data/"}  # fmt: skip
    client, _ = quick()
    assert client.document("GET", served.url + "1") == b"data"
    for path, host in (("out", "localhost"), ("file", "file:///etc/passwd"), ("meta", "169.254.169.254")):
        with pytest.raises(RefusedAddress, match=host):
            client.download(served.url + path, tmp_path / "a.tif")
    with pytest.raises(FetchFailed, match="More than 5 redirects"):
        client.document("GET", served.url + "loop")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_resolves_to_a_private_address_is_refused_before_it_is_connected_to(served: Served) -> None:
    port = urlsplit(served.url).port
    client = Fetcher(("localhost",), sleep=lambda seconds: None)
    with pytest.raises(RefusedAddress, match="resolves to a private address"):
        client.document("GET", f"https://localhost:{port}/")
    assert served.asked == []


def test_only_https_is_spoken_outside_the_private_hosts(served: Served) -> None:
    client = Fetcher(("127.0.0.1", ".example.org"))
    with pytest.raises(RefusedAddress, match="is not https"):
        client.document("GET", served.url)
    for address in (
        "ftp://a.example.org/x",
        "file:///etc/passwd",
        "https://example.com/",
        "https://u:p@a.example.org/",
    ):
        with pytest.raises(RefusedAddress):
            client.check(address)
    client.check("https://tiles.example.org/a.tif")
    with pytest.raises(RefusedAddress):
        client.check("https://evilexample.org/a.tif")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:127.0.0.1", False),
    ],
)
def test_addresses_of_the_open_internet_and_all_others(address: str, public: bool) -> None:
    assert public_address(address) == public


def test_more_than_the_limit_is_not_taken(served: Served, tmp_path: Path) -> None:
    served.files["/big.tif"] = b"x" * 5000
    client, _ = quick(max_bytes=4000)
    with pytest.raises(FetchFailed, match="more than 4000 bytes"):
        client.download(served.url + "big.tif", tmp_path / "a.tif")
    slow, _ = quick(total_s=-1.0)
    with pytest.raises(FetchFailed, match="too slow"):
        slow.download(served.url + "big.tif", tmp_path / "a.tif")
    assert list(tmp_path.iterdir()) == []


def test_a_catalogue_cannot_send_the_search_to_a_file_of_ours_or_to_another_host(
    served: Served, tmp_path: Path
) -> None:
    served.items = [item(served, f"s{n}") for n in range(3)]
    (tmp_path / "page.json").write_text("{}")
    for href in (str(tmp_path / "page.json"), "http://localhost:1/search"):
        page = Handler.page

        def poisoned(self: Handler, asked: dict, href: str = href, page=page) -> dict:
            return {**page(self, asked), "links": [{"rel": "next", "href": href, "method": "GET"}]}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Handler, "page", poisoned)
            with pytest.raises(RefusedAddress):
                stac.search(catalogue(served), bbox=(179, -17, 180, -16))


def test_what_is_no_stac_api_is_said(served: Served) -> None:
    served.files["/other"] = b"<html></html>"
    with pytest.raises(FetchFailed, match="is no STAC API that can be read"):
        stac.search(stac.Catalogue("x", served.url + "other", private_hosts=("127.0.0.1",)))


def test_catalogues_go_by_name_or_address_and_unknown_ones_are_refused() -> None:
    known = {"a": "https://a.example.org/stac", "b": {"url": "https://b.example.org", "asset_hosts": [".files.org"]}}
    assert stac.configured("a", known).url == "https://a.example.org/stac"
    assert stac.configured("https://b.example.org", known).asset_hosts == (".files.org",)
    stranger = stac.configured("https://c.example.org/stac", known)
    assert stranger.asset_hosts == ()
    with pytest.raises(ValueError, match="not configured; known are a, b"):
        stac.configured("c", known)
    with pytest.raises(ValueError, match="hosts"):
        stac.configured("a", {"a": {"url": "https://a.example.org", "hosts": []}})
