"""Searching STAC catalogues that the operator configured, and fetching the files of what was found."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from pystac_client import Client
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from shapely.geometry.base import BaseGeometry

from workers.imagery import stacitem
from workers.imagery.fetching import Fetcher, FetchFailed, RefusedAddress
from workers.imagery.found import Asset, FoundScene, without_duplicates
from workers.imagery.sphere import split_antimeridian, unwrap

log = logging.getLogger(__name__)
COLLECTIONS = ("landsat-c2-l2", "sentinel-2-l2a")
MAX_ITEMS = 50_000  # a search: a catalogue whose pages never end is left there
PLATFORMS = tuple(f"landsat-{n}" for n in (4, 5, 7, 8, 9))
CATALOGUE = "glacierweb:catalogue"  # property of a found scene: where its files are fetched from


@dataclass(frozen=True)
class Catalogue:
    """A STAC API as the operator configured it.

    asset_hosts: hosts (or .domains) its files may come from; private_hosts: those of all its hosts that may lie on a
    private network; signing: address of a token service with {collection} in it, which answers {"token": "..."}.
    """

    name: str
    url: str
    asset_hosts: tuple[str, ...] = ()
    private_hosts: tuple[str, ...] = ()
    collections: tuple[str, ...] = COLLECTIONS
    signing: str = ""
    max_bytes: int = 4 * 2**30
    timeout_s: float = 30.0

    @classmethod
    def from_dict(cls, name: str, d: dict[str, Any]) -> Catalogue:
        """From configuration; ValueError names an unknown or missing key."""
        known = set(cls.__dataclass_fields__) - {"name"}
        if "url" not in d or not set(d) <= known:
            wrong = ", ".join(sorted(set(d) - known)) or "url is missing"
            raise ValueError(f"Catalogue {name}: {wrong}; known are {', '.join(sorted(known))}.")
        settings: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in d.items()}
        return cls(name, **settings)

    def fetcher(self, **settings: Any) -> Fetcher:
        """A client that may go to this catalogue's hosts and nowhere else."""
        hosts = [urlsplit(address).hostname or "" for address in (self.url, self.signing) if address]
        return Fetcher(
            (*hosts, *self.asset_hosts), self.private_hosts, self.timeout_s, max_bytes=self.max_bytes, **settings
        )


class _GuardedIO(StacApiIO):
    """pystac-client's way to the network, led through the guarded client; files are never opened."""

    def __init__(self, fetcher: Fetcher) -> None:
        super().__init__(max_retries=None)
        self._fetcher = fetcher

    def request(
        self, href: str, method: str | None = None, headers: dict[str, str] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> str:  # fmt: skip
        """One request; the answer as text."""
        sent = {**(headers or {}), "Accept": "application/json"}
        if (method or "GET").upper() == "POST":
            body = json.dumps(parameters or {}).encode()
            return self._fetcher.document("POST", href, {**sent, "Content-Type": "application/json"}, body).decode()
        query = urlencode(parameters or {}, doseq=True)
        address = f"{href}{'&' if urlsplit(href).query else '?'}{query}" if query else href
        return self._fetcher.document("GET", address, sent).decode()

    def read_text(self, source: Any, *args: Any, **kwargs: Any) -> str:
        """As the parent, for addresses only: a catalogue must not name a file of ours."""
        href = source.href if hasattr(source, "href") else str(source)
        if urlsplit(href).scheme not in ("http", "https"):
            raise RefusedAddress(f"{href[:80]!r} is no web address; the catalogue names something local.")
        return super().read_text(source, *args, **kwargs)


def configured(name_or_url: str, catalogues: Mapping[str, Any]) -> Catalogue:
    """The catalogue an operator configured, by its name or its address.

    `catalogues`: name -> address, or name -> settings (see Catalogue.from_dict). An https address that is not
    configured may be searched, but its files may only come from its own host. ValueError for an unknown name.
    """
    for name, entry in catalogues.items():
        known = Catalogue.from_dict(name, {"url": entry} if isinstance(entry, str) else dict(entry))
        if name_or_url in (name, known.url):
            return known
    if urlsplit(name_or_url).scheme == "https":
        return Catalogue(urlsplit(name_or_url).hostname or "", name_or_url)
    raise ValueError(f"Catalogue {name_or_url!r} is not configured; known are {', '.join(catalogues) or 'none'}.")


def search(
    catalogue: Catalogue | str, catalogues: Mapping[str, Any] | None = None, *, bbox: Sequence[float] | None = None,
    datetime: str | None = None, collections: Sequence[str] | None = None, max_cloud: float | None = None,
    geometry: BaseGeometry | None = None, tier: str | None = "T1", limit: int | None = None,
    fetcher: Fetcher | None = None,
) -> list[FoundScene]:  # fmt: skip
    """Scenes of a catalogue over a box (west, south, east, north; west > east crosses the antimeridian) or geometry.

    catalogue: one, or its name or address among `catalogues` (see `configured`). datetime: an ISO 8601 instant or
    interval "A/B". max_cloud: percent, inclusive; scenes that do not report cloud pass. tier: Landsat collection
    category (None for all). One request a part of the area; duplicates are removed. `properties` of a scene name the
    catalogue, for `fetch`. RefusedAddress and FetchFailed say why a catalogue could not be asked.
    """
    source = configured(catalogue, catalogues or {}) if isinstance(catalogue, str) else catalogue
    client = _opened(source, fetcher or source.fetcher())
    found: dict[str, FoundScene] = {}
    for part in _parts(bbox, geometry):
        wanted = {"collections": list(collections or source.collections), "datetime": datetime, "bbox": part}
        for item in _items(client, wanted, _query(client, max_cloud)):
            scene = _scene(item, source)
            if scene is not None and _passes(scene, max_cloud, tier):
                found.setdefault(scene.key, scene)
            if limit is not None and len(found) >= limit:
                break
    return sorted(without_duplicates(found.values()), key=lambda scene: (str(scene.acquired), scene.key))


def _opened(source: Catalogue, fetcher: Fetcher) -> Client:
    try:
        return Client.open(source.url, stac_io=_GuardedIO(fetcher))
    except (APIError, ValueError, KeyError) as error:
        if isinstance(error, RefusedAddress):
            raise
        raise FetchFailed(f"{source.name} is no STAC API that can be read ({error}).") from error


def _parts(bbox: Sequence[float] | None, geometry: BaseGeometry | None) -> list[Sequence[float] | None]:
    if geometry is not None:
        split = split_antimeridian(unwrap(geometry))
        return [part.bounds for part in getattr(split, "geoms", [split])]
    if bbox is None:
        return [None]
    if len(bbox) != 4:
        raise ValueError(f"A box is west, south, east, north; got {len(bbox)} numbers.")
    west, south, east, north = bbox
    return [bbox] if west <= east else [(west, south, 180.0, north), (-180.0, south, east, north)]


def _query(client: Client, max_cloud: float | None) -> dict[str, Any]:
    if max_cloud is None or not client.conforms_to("QUERY"):
        return {}  # what the server cannot filter is filtered here
    return {"query": {"eo:cloud_cover": {"lte": max_cloud}}}


def _items(client: Client, wanted: dict[str, Any], query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            asked = client.search(method="GET", **{k: v for k, v in wanted.items() if v is not None}, **query)
            yield from islice(asked.items_as_dicts(), MAX_ITEMS)
        except APIError as error:
            raise FetchFailed(f"The catalogue could not be searched ({error}).") from error


def _scene(item: dict[str, Any], source: Catalogue) -> FoundScene | None:
    base = next((link.get("href") for link in item.get("links", []) if link.get("rel") == "self"), "")

    def resolve(href: str) -> str:
        address = urljoin(base, href)
        if urlsplit(address).scheme not in ("http", "https"):
            raise stacitem.NotUsable(f"asset {href[:80]!r} is no web address")
        return address

    try:
        scene = stacitem.read(item, resolve)
    except ValueError as error:
        log.warning("item %s of the catalogue is not used: %s", item.get("id"), error)
        return None
    return replace(scene, properties={**scene.properties, CATALOGUE: source.name})


def _passes(scene: FoundScene, max_cloud: float | None, tier: str | None) -> bool:
    category = scene.properties.get("landsat:collection_category")
    clear = max_cloud is None or scene.cloud_percent is None or scene.cloud_percent <= max_cloud
    if not scene.collection.lower().startswith("landsat"):
        return clear
    return clear and scene.sensor in PLATFORMS and (tier is None or category in (None, tier))


@dataclass
class _Signer:
    """Adds a token to addresses when the provider wants one; tokens run out, so it can be asked again."""

    catalogue: Catalogue
    fetcher: Fetcher
    _tokens: dict[str, str] = field(default_factory=dict)

    def sign(self, href: str, collection: str, again: bool = False) -> str:
        if not self.catalogue.signing:
            return href
        if again or collection not in self._tokens:
            answer = self.fetcher.document("GET", self.catalogue.signing.format(collection=quote(collection, safe="")))
            self._tokens[collection] = str(json.loads(answer)["token"])
        return f"{href}{'&' if urlsplit(href).query else '?'}{self._tokens[collection]}"


def fetch(
    found: FoundScene, folder: Path, catalogues: Catalogue | Mapping[str, Any], names: Iterable[str] | None = None,
    fetcher: Fetcher | None = None,
) -> FoundScene:  # fmt: skip
    """The same scene with its files fetched into `folder`: ready for `prepare`. `names` limits it to some bands.

    catalogues: the catalogue, or the configuration in which the scene's own is looked up. A scene whose files lie
    on this machine already comes back as it is; a file that was fetched before is not fetched again. RefusedAddress
    when a file lies on a host that is not the catalogue's; FetchFailed when it cannot be had.
    """
    wanted = found.assets if names is None else {n: found.assets[n] for n in names if n in found.assets}
    if not any("://" in asset.href for asset in wanted.values()):
        return replace(found, assets=dict(wanted))
    name = str(found.properties.get(CATALOGUE))
    source = catalogues if isinstance(catalogues, Catalogue) else configured(name, catalogues)
    client = fetcher or source.fetcher()
    signer = _Signer(source, client)
    local: dict[str, Asset] = {}
    for name, asset in wanted.items():
        target = folder / f"{hashlib.sha256(asset.href.encode()).hexdigest()[:32]}.tif"
        if not target.exists():
            _download(client, signer, asset.href, found.collection, target)
        local[name] = asset._replace(href=str(target))
    return replace(found, assets=local)


def _download(client: Fetcher, signer: _Signer, href: str, collection: str, target: Path) -> None:
    client.check(href)
    try:
        client.download(signer.sign(href, collection), target)
    except FetchFailed as error:
        if error.status != 403 or not signer.catalogue.signing:
            raise
        client.download(signer.sign(href, collection, again=True), target)
