"""A scene that a catalogue or a folder offers, before any pixel of it is read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import shapely
from shapely.geometry.base import BaseGeometry

KINDS = ("reflectance", "ndsi", "label", "dem", "sar")
POLARISATIONS = "sar:polarizations"  # STAC's spelling
PLAIN = (
    "key", "collection", "sensor", "date_precision", "cloud_percent", "image_quality", "properties", "simulated",
    "kind",
)  # fmt: skip


class Asset(NamedTuple):
    """One band in one file: value = DN * scale + offset; band_index counts from 1."""

    href: str
    band_index: int = 1
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None


def safe_key(text: str) -> str:
    """An identifier that may name a file: letters, digits, dot, hyphen and underscore, at most 120 of them.

    What had to be changed gets a short hash of the original, so that two never become one.
    """
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")[:120]
    if plain == text:
        return plain
    return f"{plain[:107]}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:12]}".lstrip("-")


@dataclass(frozen=True)
class FoundScene:
    """One acquisition on offer. `assets` go by canonical band name (masks: qa, scl, fmask, mod35, radsat; backscatter
    delivered in decibels: co_pol_db, cross_pol_db).

    `acquired` is None only for elevation without a date; for a date of which only the year or quarter is known it is
    the middle of `interval`, and `date_precision` says so. `cloud_percent` and `image_quality` are None when the
    catalogue does not report them.
    """

    key: str
    collection: str
    sensor: str
    acquired: datetime | None
    footprint: BaseGeometry
    assets: dict[str, Asset]
    date_precision: str = "day"
    interval: tuple[datetime, datetime] | None = None
    cloud_percent: float | None = None
    image_quality: int | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    simulated: bool = False
    kind: str = "reflectance"

    @property
    def place(self) -> str:
        """What people call the place: given in the scene's item, or the first word of its collection."""
        given = self.properties.get("glacierweb:source")
        return str(given or self.collection.split("_")[0]).strip().capitalize()

    def join(self, other: FoundScene) -> None:
        """Take in the bands that another file of the same acquisition brings, and its polarisations."""
        self.assets.update(other.assets)
        if both := [*self.properties.get(POLARISATIONS, ()), *other.properties.get(POLARISATIONS, ())]:
            self.properties[POLARISATIONS] = sorted(set(both))

    def meta(self) -> dict[str, Any]:
        """What the filter profiles ask of the catalogue's own description (see filters.judge)."""
        return {
            "sensor": self.sensor,
            "acquired": self.acquired,
            "date_precision": self.date_precision,
            "cloud_percent": self.cloud_percent,
            "image_quality": self.image_quality,
            "category": self.properties.get("landsat:collection_category"),
        }

    def to_dict(self) -> dict[str, Any]:
        """For JSON: times as ISO text, the footprint as GeoJSON, null for a nodata of NaN (missing anyway)."""
        plain = {name: getattr(self, name) for name in PLAIN}
        return plain | {
            "acquired": self.acquired and self.acquired.isoformat(),
            "interval": self.interval and [moment.isoformat() for moment in self.interval],
            "footprint": shapely.to_geojson(self.footprint),
            "assets": {name: [None if one != one else one for one in asset] for name, asset in self.assets.items()},
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> FoundScene:
        """The inverse of to_dict."""
        interval = d["interval"] and tuple(datetime.fromisoformat(moment) for moment in d["interval"])
        return cls(
            **{name: d[name] for name in PLAIN},
            acquired=d["acquired"] and datetime.fromisoformat(d["acquired"]),
            interval=interval,
            footprint=shapely.from_geojson(d["footprint"]),
            assets={name: Asset(*asset) for name, asset in d["assets"].items()},
        )


def without_duplicates(scenes: Iterable[FoundScene]) -> list[FoundScene]:
    """One scene for each platform, path/row (or tile) and second: the newest processing, then the least cloud.

    Scenes without a path/row or tile, or without an exact time, are only compared by key.
    """
    best: dict[tuple, FoundScene] = {}
    for scene in scenes:
        identity = _identity(scene)
        if identity not in best or _rank(scene) > _rank(best[identity]):
            best[identity] = scene
    return list(best.values())


def _identity(scene: FoundScene) -> tuple:
    p = scene.properties
    row = (p.get("landsat:wrs_path"), p.get("landsat:wrs_row"))
    tile = p.get("s2:mgrs_tile") or p.get("grid:code")
    if scene.acquired is None or scene.date_precision != "day" or not (all(row) or tile):
        return (scene.kind, scene.key)
    place = "-".join(str(part) for part in row) if all(row) else str(tile)
    return (scene.kind, p.get("platform", scene.sensor), place, scene.acquired.replace(microsecond=0))


def _rank(scene: FoundScene) -> tuple:
    p = scene.properties
    version = str(p.get("processing:version") or p.get("s2:processing_baseline") or p.get("created") or "")
    cloud = 101.0 if scene.cloud_percent is None else scene.cloud_percent
    return ([int(number) for number in re.findall(r"\d+", version)], -cloud, scene.key)
