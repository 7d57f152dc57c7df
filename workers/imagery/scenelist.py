"""A scenes.csv: one raster a row, with date, sensor, product, band numbers (from 1), scale, offset and nodata."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from workers.imagery import bands
from workers.imagery.calendar_year import read_date
from workers.imagery.found import POLARISATIONS, Asset, FoundScene
from workers.imagery.grid import Grid
from workers.imagery.rasters import opened

COLUMNS = ("path", "date", "sensor", "product")
BAND_COLUMNS = {"green_band": "green", "red_band": "red", "nir_band": "nir", "swir1_band": "swir1"}
ONE_BAND = re.compile(r"reflectance, band (\w+)", re.IGNORECASE)
RADAR = re.compile(r"backscatter (?P<band>[VH]{2})(?P<db> dB)?|(?P<coherence>coherence)", re.IGNORECASE)
Answer = tuple[list[tuple[FoundScene, set[Path]]], list[tuple[Path, str]]]


class Unusable(ValueError):
    """A row that gives no scene, with the reason."""


def read(file: Path, root: Path, among: set[Path]) -> Answer:
    """Scenes of a list with the files they use, and files with the reason for skipping them.

    Only files in `among` (inside `root`) are used. Rows of one date and sensor that hold one band each and differ
    only by the band's name become one scene.
    """
    scenes: dict[str, tuple[FoundScene, set[Path]]] = {}
    skipped: list[tuple[Path, str]] = []
    with file.open(newline="", encoding="utf-8-sig") as stream:
        rows = csv.DictReader(stream)
        if not set(COLUMNS) <= set(rows.fieldnames or ()):
            return [], []
        for cells in rows:
            row = {name: text or "" for name, text in cells.items() if isinstance(name, str)}
            raster = _located(row["path"], file, root, among)
            if raster is None or any(raster == path for path, _ in skipped):
                continue
            try:
                scene = _scene(row, raster)
            except ValueError as error:
                skipped.append((raster, str(error)))
                continue
            scenes[scene.key] = _joined(scenes.get(scene.key), scene, raster)
    return list(scenes.values()), skipped


def _located(text: str, file: Path, root: Path, among: set[Path]) -> Path | None:
    """The raster a row means: beside the list, beside its folder, or under the root; never outside."""
    if Path(text).is_absolute() or ".." in Path(text).parts:
        return None
    candidates = (base / text for base in (file.parent, file.parent.parent, root))
    return next((path.resolve() for path in candidates if path.resolve() in among), None)


def _joined(
    known: tuple[FoundScene, set[Path]] | None, scene: FoundScene, raster: Path
) -> tuple[FoundScene, set[Path]]:
    if known is None:
        return scene, {raster}
    known[0].join(scene)
    return known[0], known[1] | {raster}


def _scene(row: dict[str, str], raster: Path) -> FoundScene:
    kind = _kind(row["product"])
    sensor = bands.sensor_of(row["sensor"])
    date = read_date(row["date"]) if row["date"] else None
    if date is None and kind != "dem":
        raise Unusable("no date in scenes.csv")
    with opened(raster) as dataset:
        footprint = Grid.of(dataset).footprint()
        assets = _assets(row, raster, dataset, kind, sensor)
    return FoundScene(
        key=_key(row["path"], _band_named(row["product"])),
        collection=row.get("dataset") or "folder",
        sensor=sensor,
        acquired=date.middle if date else None,
        date_precision=date.precision if date else "day",
        interval=(date.start, date.end) if date else None,
        footprint=footprint,
        assets=assets,
        properties={"platform": row["sensor"], "product": row["product"], **_polarised(row["product"])},
        kind=kind,
    )


def _band_named(product: str) -> str:
    """The band (or polarisation) that a row's product is one of; "" for a product of several."""
    reflectance, radar = ONE_BAND.fullmatch(product.strip()), RADAR.fullmatch(product.strip())
    return reflectance[1] if reflectance else (radar["band"] or radar["coherence"]) if radar else ""


def _polarised(product: str) -> dict[str, list[str]]:
    radar = RADAR.fullmatch(product.strip())
    return {POLARISATIONS: [radar["band"].upper()]} if radar and radar["band"] else {}


def _kind(product: str) -> str:
    plain = product.strip().lower()
    if plain.startswith("ndsi"):
        return "ndsi"
    if plain in ("mask", "label"):
        return "label"
    if plain.startswith(("elevation", "dem")):
        return "dem"
    if plain.startswith("reflectance"):
        return "reflectance"
    if RADAR.fullmatch(plain):
        return "sar"
    raise Unusable(f"product '{product}' is neither reflectance, NDSI, label, elevation nor calibrated backscatter")


def _key(path: str, band: str) -> str:
    """Path of the raster without folder 'scenes', extension and band name, in letters a file name may have."""
    stem = re.sub(r"\.tiff?$", "", re.sub(r"^scenes/", "", path), flags=re.IGNORECASE)
    if band:
        stem = re.sub(rf"[_.-]{re.escape(band)}(?=[_.-]|$)", "", stem)
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-.")


def _number(text: str | None, otherwise: float | None) -> float | None:
    return float(text) if text not in (None, "") else otherwise


def _assets(row: dict[str, str], raster: Path, dataset: Any, kind: str, sensor: str) -> dict[str, Asset]:
    scale, offset = _number(row.get("scale"), None), _number(row.get("offset"), None)
    nodata = _number(row.get("nodata"), dataset.nodata)
    if kind == "reflectance" and scale is None:
        raise Unusable("reflectance without a scale in scenes.csv")
    plain = Asset(str(raster), 1, scale or 1.0, offset or 0.0, nodata)
    if kind == "sar":
        radar = RADAR.fullmatch(row["product"].strip())
        name = bands.canonical(_band_named(row["product"])) or kind
        return {f"{name}_db" if radar and radar["db"] else name: plain}
    if kind != "reflectance":
        return {{"dem": "elevation"}.get(kind, kind): plain}
    numbers = _band_numbers(row, dataset, sensor)
    return {
        name: Asset(str(raster), n, 1.0, 0.0, None) if name in bands.MASK_BANDS else plain._replace(band_index=n)
        for name, n in numbers.items()
    }


def _band_numbers(row: dict[str, str], dataset: Any, sensor: str) -> dict[str, int]:
    """Canonical name -> band number: by the file's own names first, then by the list's columns."""
    one_band = ONE_BAND.fullmatch(row["product"].strip())
    if one_band:
        name = bands.canonical(one_band[1], sensor)
        if name is None:
            raise Unusable(f"band {one_band[1]} of {row['sensor']} has no use here")
        return {name: 1}
    numbers: dict[str, int] = {}
    for position, text in enumerate(dataset.descriptions, start=1):
        name = bands.canonical(text or "", sensor)
        if name is not None:
            numbers.setdefault(name, position)
    for column, name in BAND_COLUMNS.items():
        if row.get(column):
            numbers.setdefault(name, int(row[column]))
    if not set(numbers) & set(bands.CANONICAL):
        raise Unusable("no band could be named: neither the file nor scenes.csv says which is which")
    return numbers
