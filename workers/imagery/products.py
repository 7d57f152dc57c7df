"""Scenes by their product file names: Landsat Collection 2 Level 2, HLS 2.0, Sentinel-2 Level 2A, elevation models,
and Sentinel-1 gamma nought of HyP3 (power or decibels) and of pyroSAR."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from workers.imagery import bands
from workers.imagery.found import POLARISATIONS, Asset, FoundScene
from workers.imagery.grid import Grid, NoCRS, WrongGrid
from workers.imagery.rasters import UnreadableRaster, opened

LANDSAT = re.compile(
    r"(?P<key>L[CETO](?P<number>0[4-9])_L2S[PR]_(?P<path>\d{3})(?P<row>\d{3})_(?P<date>\d{8})_(?P<made>\d{8})_02_(?P<tier>T1|T2|RT))"
    r"_(?P<band>SR_B\d|ST_B\d+|QA_PIXEL|QA_RADSAT)\.tiff?", re.IGNORECASE)  # fmt: skip
HLS = re.compile(
    r"(?P<key>HLS\.(?P<which>[LS])30\.(?P<tile>T\w{5})\.(?P<date>\d{7})T(?P<time>\d{6})\.v2\.0)\.(?P<band>B\w\w|Fmask)\.tiff?",
    re.IGNORECASE)  # fmt: skip
SENTINEL2 = re.compile(
    r"(?P<key>(?:S2[A-D]_MSIL2A_(?P<sensed>\d{8}T\d{6})_N(?P<baseline>\d{4})_R\d{3}_)?T?(?P<tile>\d{2}[A-Z]{3})_"
    r"(?P<date>\d{8}T\d{6}))(?:_\w+?)??_(?P<band>B\d[\dA]|SCL)(?:_\d\dm)?\.tiff?", re.IGNORECASE)  # fmt: skip
HYP3 = re.compile(
    r"(?P<key>(?P<satellite>S1[A-D])_\w\w_(?P<date>\d{8}T\d{6})_\w{3}_RTC\d\d_G_g(?P<unit>[pd])\w{4}_\w{4})"
    r"_(?P<band>[VH]{2})\.tiff?", re.IGNORECASE)  # fmt: skip
PYROSAR = re.compile(
    r"(?P<key>(?P<satellite>S1[A-D])__\w{2}___(?P<orbit>[AD])_(?P<date>\d{8}T\d{6}))_(?P<band>[VH]{2})_\w*norm\w*?"
    r"(?P<unit>_db)?\.tiff?", re.IGNORECASE)  # fmt: skip
ORBITS = {"A": "ascending", "D": "descending"}
DEM = re.compile(r"(?:.*[_-])?(?:dem|srtm|nasadem|cop[_-]?dem|copernicus[_-]dsm)(?:[_-].*)?\.tiff?", re.IGNORECASE)
Answer = tuple[list[tuple[FoundScene, set[Path]]], list[tuple[Path, str]]]


def by_product_name(files: Iterable[Path], root: Path) -> Answer:
    """Scenes with their files, one scene for all bands of a product; files of a known name that cannot be read."""
    scenes: dict[str, tuple[FoundScene, set[Path]]] = {}
    skipped: list[tuple[Path, str]] = []
    for file in files:
        try:
            scene = _scene(file, root)
        except (NoCRS, WrongGrid, UnreadableRaster) as error:
            skipped.append((file, str(error)))
            continue
        if scene is None:
            continue
        known = scenes.setdefault(scene.key, (scene, set()))
        known[0].join(scene)
        known[1].add(file)
    return list(scenes.values()), skipped


def _scene(file: Path, root: Path) -> FoundScene | None:
    known = ((LANDSAT, _landsat), (HLS, _hls), (SENTINEL2, _sentinel2), (HYP3, _radar), (PYROSAR, _radar))
    for pattern, make in known:
        match = pattern.fullmatch(file.name)
        if match:
            return make(match, file)
    named_dem = (file.parent.name.lower() == "dem" and file.parent != root) or DEM.fullmatch(file.name)
    return _elevation(file) if named_dem else None


def _made(
    match: re.Match, file: Path, sensor: str, moment: datetime, scaling: bands.Scaling, **more: str
) -> FoundScene:
    name = bands.canonical(match["band"], sensor)
    with opened(file) as dataset:
        footprint = Grid.of(dataset).footprint()
    mask = name in bands.MASK_BANDS
    asset = Asset(str(file)) if mask else Asset(str(file), 1, scaling.scale, scaling.offset, scaling.nodata)
    return FoundScene(
        key=match["key"].upper(), collection=more.pop("collection"), sensor=sensor, acquired=moment,
        interval=(moment, moment), footprint=footprint, assets={name: asset} if name else {}, properties=dict(more),
    )  # fmt: skip


def _landsat(match: re.Match, file: Path) -> FoundScene:
    sensor = f"landsat-{int(match['number'])}"
    thermal = match["band"].upper().startswith("ST")
    more = {
        "platform": sensor, "landsat:wrs_path": match["path"], "landsat:wrs_row": match["row"],
        "landsat:collection_category": match["tier"].upper(), "processing:version": match["made"],
    }  # fmt: skip
    scaling = bands.LANDSAT_ST if thermal else bands.LANDSAT_SR
    return _made(match, file, sensor, _utc(match["date"], "%Y%m%d"), scaling, collection="landsat-c2-l2", **more)


def _hls(match: re.Match, file: Path) -> FoundScene:
    which = match["which"].upper()
    sensor = "landsat-8" if which == "L" else "sentinel-2"
    moment = _utc(match["date"] + match["time"], "%Y%j%H%M%S")
    more = {"platform": sensor, "s2:mgrs_tile": match["tile"][1:]}
    thermal = which == "L" and match["band"].upper() in ("B10", "B11")
    return _made(match, file, sensor, moment, bands.HLS_THERMAL if thermal else bands.HLS, collection="hls", **more)


def _sentinel2(match: re.Match, file: Path) -> FoundScene:
    moment = _utc(match["sensed"] or match["date"], "%Y%m%dT%H%M%S")
    more = {"platform": "sentinel-2", "s2:mgrs_tile": match["tile"], "s2:processing_baseline": match["baseline"] or ""}
    scaling = bands.sentinel2_scaling(match["baseline"], moment)
    return _made(match, file, "sentinel-2", moment, scaling, collection="sentinel-2-l2a", **more)


def _radar(match: re.Match, file: Path) -> FoundScene:
    given = match.groupdict()
    in_db = str(given["unit"]).lower() in ("d", "_db")
    name = f"{bands.canonical(match['band'])}{'_db' if in_db else ''}"
    more = {"platform": f"sentinel-{match['satellite'][1:].lower()}", POLARISATIONS: [match["band"].upper()]}
    if orbit := given.get("orbit"):
        more["sat:orbit_state"] = ORBITS[orbit.upper()]
    with opened(file) as dataset:
        footprint, nodata = Grid.of(dataset).footprint(), dataset.nodata
    moment = _utc(match["date"].upper(), "%Y%m%dT%H%M%S")
    return FoundScene(
        key=match["key"].upper(), collection="sentinel-1-rtc", sensor="sentinel-1", acquired=moment,
        interval=(moment, moment), footprint=footprint, assets={name: Asset(str(file), 1, 1.0, 0.0, nodata)},
        properties=more, kind="sar",
    )  # fmt: skip


def _elevation(file: Path) -> FoundScene:
    with opened(file) as dataset:
        footprint, nodata = Grid.of(dataset).footprint(), dataset.nodata
    asset = Asset(str(file), 1, 1.0, 0.0, bands.ELEVATION.nodata if nodata is None else nodata)
    return FoundScene(
        key=re.sub(r"[^A-Za-z0-9_.-]+", "-", file.stem), collection="elevation", sensor="", acquired=None,
        footprint=footprint, assets={"elevation": asset}, kind="dem",
    )  # fmt: skip


def _utc(text: str, form: str) -> datetime:
    return datetime.strptime(text, form).replace(tzinfo=UTC)
