"""A STAC Item (1.0 or 1.1) -> a found scene: bands by name, scale and offset as the Item, else the product, says."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import shapely
from shapely.geometry import shape

from workers.imagery import bands
from workers.imagery.calendar_year import DateRead
from workers.imagery.found import Asset, FoundScene, safe_key
from workers.imagery.rasters import opened
from workers.imagery.sphere import made_valid, split_antimeridian, unwrap

QUALITY = (
    "landsat:image_quality", "landsat:image_quality_oli", "image_quality", "IMAGE_QUALITY", "IMAGE_QUALITY_OLI",
    "glacierweb:image_quality",
)  # fmt: skip
PREFERRED = ("qa_pixel", "nir08", "b8a", "vv", "vh")  # where two assets mean one band, these win
POLARISED = ("co_pol", "cross_pol")
NOT_FLATTENED = {"GRD", "SLC", "OCN", "RAW"}
OTHER_FILES = (".jp2", ".json", ".xml", ".png", ".jpg", ".jpeg", ".txt", ".html", ".zarr")
ELEVATION_KEYS = {"data", "elevation", "dem"}
ELEVATION_COLLECTIONS = ("dem", "srtm")
Named = tuple[str, dict[str, Any], dict[str, Any]]  # canonical name, asset, the band's own description


class NotUsable(ValueError):
    """An Item that gives no scene, with the reason."""


def is_item(document: Any) -> bool:
    """True for a JSON document that is a STAC Item."""
    return isinstance(document, dict) and document.get("type") == "Feature" and "stac_version" in document


def from_folder(document: dict[str, Any], file: Path, root: Path) -> FoundScene:
    """The scene of an Item beside its rasters; NotUsable when an href leads out of the folder or to no file."""

    def resolve(href: str) -> str:
        plain = PurePosixPath(href)
        if "://" in href or plain.is_absolute() or ".." in plain.parts:
            raise NotUsable(f"href {href[:80]!r} does not stay in the folder; only files beside the Item are read")
        local = (file.parent / href).resolve()
        if not local.is_relative_to(root) or not local.is_file():
            raise NotUsable(f"href {href[:80]!r} names no file in the folder")
        return str(local)

    return read(document, resolve, local=True)


def read(document: dict[str, Any], resolve: Callable[[str], str], local: bool = False) -> FoundScene:
    """The scene of an Item. `resolve` turns an href into the address to read or raises; `local` files may be asked
    for what the Item does not say (names and scales of bands). NotUsable tells what is missing."""
    try:
        return _read(document, resolve, local)
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise NotUsable(f"the Item is not well formed ({type(error).__name__}: {error})") from error


def _read(document: dict[str, Any], resolve: Callable[[str], str], local: bool) -> FoundScene:
    if not document.get("id"):
        raise NotUsable("the Item has no id")
    p = document.get("properties") or {}
    date = _date(p)
    sensor = bands.sensor_of(" ".join(str(p.get(k) or "") for k in ("platform", "constellation", "instruments")))
    assets = _assets(document, sensor, date.middle if date else None, resolve, local)
    kind = _kind(assets)
    if date is None and kind != "dem":
        raise NotUsable("the Item has no datetime")
    return FoundScene(
        key=safe_key(str(document["id"])),
        collection=str(document.get("collection") or "folder"),
        sensor=sensor,
        acquired=date.middle if date else None,
        date_precision=date.precision if date else "day",
        interval=(date.start, date.end) if date else None,
        footprint=_footprint(document),
        cloud_percent=_float(p.get("eo:cloud_cover")),
        image_quality=next((int(p[k]) for k in QUALITY if p.get(k) is not None), None),
        assets=assets,
        properties=p,
        simulated=p.get("simulated") is True,
        kind=kind,
    )


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _footprint(document: dict[str, Any]) -> shapely.Geometry:
    try:
        geometry = shape(document["geometry"])
    except Exception as error:  # shapely raises many kinds for foreign geometry
        raise NotUsable("the Item has no usable geometry") from error
    return split_antimeridian(made_valid(unwrap(geometry)))


def _date(p: dict[str, Any]) -> DateRead | None:
    if p.get("datetime"):
        moment = _moment(p["datetime"])
        if not (p.get("start_datetime") and p.get("end_datetime")):
            return DateRead(moment, moment, "day")
    if p.get("start_datetime") and p.get("end_datetime"):
        start, end = _moment(p["start_datetime"]), _moment(p["end_datetime"])
        return DateRead(start, end, _precision(end - start))
    return None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise NotUsable(f"{text!r} is no date") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _precision(length: timedelta) -> str:
    limits = (("day", 2), ("month", 32), ("quarter", 93))
    return next((name for name, days in limits if length < timedelta(days=days)), "year")


def _assets(
    document: dict[str, Any], sensor: str, acquired: datetime | None, resolve: Callable[[str], str], local: bool
) -> dict[str, Asset]:
    found: dict[str, Asset] = {}
    for key, asset in sorted((document.get("assets") or {}).items(), key=lambda item: _rank(item[0])):
        if not isinstance(asset, dict) or str(asset.get("href", "")).lower().endswith(OTHER_FILES):
            continue
        for name, number, band in _named(key, asset, document, sensor, resolve, local):
            if name in POLARISED and str(band.get("unit") or "").lower() == "db":
                name = f"{name}_db"
            if name not in found:
                scaling = _scaling(name, band, document, sensor, acquired)
                found[name] = Asset(resolve(asset["href"]), number, scaling.scale, scaling.offset, scaling.nodata)
    if not found:
        raise NotUsable("no asset of the Item is a band that is known here")
    _refuse_raw_radar(document, found)
    return found


def _refuse_raw_radar(document: dict[str, Any], found: dict[str, Asset]) -> None:
    """Only terrain-corrected gamma nought compares between slopes and dates. Raises NotUsable for other levels."""
    product = str((document.get("properties") or {}).get("sar:product_type") or "").upper()
    if product in NOT_FLATTENED and any(name.startswith(POLARISED) for name in found):
        raise NotUsable(f"radar of product type {product} is not terrain-corrected; take sentinel-1-rtc (gamma nought)")


def _rank(key: str) -> tuple[bool, bool, str]:
    lower = key.lower()
    return lower not in PREFERRED, not lower.isalnum() and "_" not in lower, lower


def _named(
    key: str, asset: dict[str, Any], document: dict[str, Any], sensor: str, resolve: Callable[[str], str], local: bool
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """(canonical name, band number, the band's description) of every band of an asset that has a use."""
    collection = str(document.get("collection") or "").lower()
    if key in ELEVATION_KEYS and any(word in collection for word in ELEVATION_COLLECTIONS):
        yield "elevation", 1, {"raster:scale": 1, "raster:offset": 0}
        return
    described = _described(asset)
    names = [_name_of(band, sensor) for band in described]
    if len(described) < 2:
        own = bands.canonical(key, sensor) or (names[0] if names else None)
        if own is not None and not (own == "qa" and key == "qa" and collection.startswith("landsat-c2")):
            number = asset.get("glacierweb:band") or (_number_in_file(own, asset, sensor, resolve) if local else 1)
            yield own, int(number), described[0] if described else _of_file(asset, resolve, local, int(number))
        if own is not None or not local:
            return
        names, described = _from_file(asset, sensor, resolve)
    for number, (name, band) in enumerate(zip(names, described, strict=True), start=1):
        if name is not None:
            yield name, number, band if "raster:scale" in band else {**_of_file(asset, resolve, local, number), **band}


def _number_in_file(name: str, asset: dict[str, Any], sensor: str, resolve: Callable[[str], str]) -> int:
    """Where a file of several bands holds the one an asset names; the first unless the file says better."""
    with opened(resolve(asset["href"])) as dataset:
        names = [bands.canonical(text or "", sensor) for text in dataset.descriptions]
    return names.index(name) + 1 if name in names else 1


def _described(asset: dict[str, Any]) -> list[dict[str, Any]]:
    """Band descriptions in the words of raster 2.0, from `bands` (STAC 1.1), `eo:bands` and `raster:bands` (1.0)."""
    named, raster = asset.get("bands") or asset.get("eo:bands") or [], asset.get("raster:bands") or []
    merged = []
    for index in range(max(len(named), len(raster))):
        numbers = raster[index] if index < len(raster) else {}
        renamed = {f"raster:{k}": numbers[k] for k in ("scale", "offset") if k in numbers}
        plain = {k: numbers[k] for k in ("nodata", "unit") if k in numbers}
        merged.append({**renamed, **plain, **(named[index] if index < len(named) else {})})
    return merged


def _name_of(band: dict[str, Any], sensor: str) -> str | None:
    own = bands.canonical(str(band.get("name") or ""), sensor)
    return own or bands.canonical(str(band.get("eo:common_name") or band.get("common_name") or ""), sensor)


def _from_file(
    asset: dict[str, Any], sensor: str, resolve: Callable[[str], str]
) -> tuple[list[str | None], list[dict[str, Any]]]:
    with opened(resolve(asset["href"])) as dataset:
        names = [bands.canonical(text or "", sensor) for text in dataset.descriptions]
        return names, [_declared(dataset, index) for index in range(dataset.count)]


def _of_file(asset: dict[str, Any], resolve: Callable[[str], str], local: bool, number: int) -> dict[str, Any]:
    if not local:
        return {}
    with opened(resolve(asset["href"])) as dataset:
        return _declared(dataset, number - 1) if number <= dataset.count else {}


def _declared(dataset: Any, index: int) -> dict[str, Any]:
    """What the file says of one band; scale 1 and offset 0 mean that it says nothing."""
    said: dict[str, Any] = {"nodata": dataset.nodatavals[index]}
    if (dataset.scales[index], dataset.offsets[index]) != (1.0, 0.0):
        said |= {"raster:scale": dataset.scales[index], "raster:offset": dataset.offsets[index]}
    return said


def _scaling(
    name: str, band: dict[str, Any], document: dict[str, Any], sensor: str, acquired: datetime | None
) -> bands.Scaling:
    p = document.get("properties") or {}
    applied = any(p.get(key) is True for key in ("earthsearch:boa_offset_applied", "s2:boa_offset_applied"))
    default = _product(name, document, sensor, acquired, applied)
    if name in bands.MASK_BANDS or (applied and sensor == "sentinel-2"):
        return default
    nodata = band.get("nodata")
    nodata = default.nodata if nodata is None else float(nodata)
    if band.get("raster:scale") is None and band.get("raster:offset") is None:
        return bands.Scaling(default.scale, default.offset, nodata, default.valid)
    scale = float(band.get("raster:scale") or default.scale)
    # an Item that repeats the product's scale and is silent on the offset has not said that there is none
    silent = default.offset if math.isclose(scale, default.scale) else 0.0
    offset = band.get("raster:offset")
    return bands.Scaling(scale, silent if offset is None else float(offset), nodata, default.valid)


def _product(
    name: str, document: dict[str, Any], sensor: str, acquired: datetime | None, applied: bool
) -> bands.Scaling:
    """Scaling of the product where the Item states none."""
    p = document.get("properties") or {}
    plain = bands.Scaling(1.0, 0.0, None, bands.REFLECTANCE_VALID)
    if name in (*bands.MASK_BANDS, "ndsi", "label", "elevation", "coherence") or name.endswith("_db"):
        return plain
    if name in POLARISED:
        return bands.SENTINEL1_RTC
    if str(document.get("collection") or "").lower().startswith("hls"):
        return bands.HLS_THERMAL if name == "thermal" else bands.HLS
    if sensor == "sentinel-2":
        baseline = p.get("s2:processing_baseline") or p.get("processing:version")
        return bands.sentinel2_scaling(baseline, acquired, applied)
    if sensor.startswith("landsat"):
        return bands.LANDSAT_ST if name == "thermal" else bands.LANDSAT_SR
    return plain


def _kind(assets: dict[str, Asset]) -> str:
    if set(assets) & set(bands.CANONICAL):
        return "reflectance"
    if {name.removesuffix("_db") for name in assets} & set(bands.RADAR):
        return "sar"
    return next(
        (kind for kind, name in (("ndsi", "ndsi"), ("label", "label"), ("dem", "elevation")) if name in assets), ""
    )
