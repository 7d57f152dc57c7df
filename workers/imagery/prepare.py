"""A found scene -> physical values on the work grid, NaN where nothing can be seen, and the facts about it.

After this step nodata is NaN and nowhere else discussed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import numpy as np

from workers.imagery import bands
from workers.imagery.filters import PROFILES, Refusal, SceneFacts, flags, judge
from workers.imagery.found import Asset, FoundScene
from workers.imagery.gaps import gap_fill
from workers.imagery.grid import Grid
from workers.imagery.rasters import MissingBands, Stack, opened, read_window
from workers.imagery.smoothing import smooth_in_time

__all__ = [
    "PROFILES", "PrepareOptions", "Prepared", "Refusal", "SceneFacts", "flags", "gap_fill", "judge", "prepare",
    "smooth_in_time",
]  # fmt: skip

SLC_OFF_SINCE = datetime(2003, 5, 31, tzinfo=UTC)
ORDER = (*bands.CANONICAL, *bands.OPTIONAL, *bands.RADAR)
VALID = {
    "thermal": bands.LANDSAT_ST.valid,
    "elevation": bands.ELEVATION.valid,
    "ndsi": (-1.0, 1.0),
    "label": (0.0, 1.0),
    "co_pol": bands.SENTINEL1_RTC.valid,
    "cross_pol": bands.SENTINEL1_RTC.valid,
    "co_pol_db": (-60.0, 10.0),
    "cross_pol_db": (-60.0, 10.0),
    "coherence": (-1.0, 2.0),
}
"""What can be; a coherence that interpolation carried beyond 0 to 1 is cut to it."""
HARMONISED = ("none", "roy2016")
SNOW_NDSI = 0.4  # the usual limit of snow (Hall et al. 1995), for a remark on the scene; masks have their own


@dataclass(frozen=True)
class PrepareOptions:
    """mask_dilated: cloud margins are cloud; cloud_requires_low_ndsi: bright snow is no cloud; gap_passes: passes of
    gap filling after masking (0: none); harmonise: "none" or "roy2016" (TM and ETM+ as OLI would see it)."""

    mask_dilated: bool = True
    cloud_requires_low_ndsi: bool = False
    gap_passes: int = 0
    harmonise: str = "none"

    def __post_init__(self) -> None:
        if self.harmonise not in HARMONISED or self.gap_passes < 0:
            raise ValueError(
                f"harmonise is {self.harmonise!r} and gap_passes {self.gap_passes}; "
                f"use one of {', '.join(HARMONISED)} and a number of passes from 0."
            )


@dataclass(frozen=True)
class Prepared:
    """The canonical bands that are present, masked, on the work grid; and what was measured on the way."""

    stack: Stack
    facts: SceneFacts


@dataclass
class _Read:
    """Values and zero flags of one scene on the grid while it is put together."""

    values: dict[str, np.ndarray]
    zero: np.ndarray
    masks: dict[str, np.ndarray]


def prepare(found: FoundScene, grid: Grid, options: PrepareOptions | None = None) -> Prepared:
    """Read, scale, mask and measure one scene. Files are read through windows under `grid` only.

    UnreadableRaster, NoCRS or MissingBands (a subclass of ValueError each) say what is wrong with a file. A scene
    without one valid pixel comes back all NaN with valid_fraction 0.
    """
    options = options or PrepareOptions()
    scene = _read(found, grid)
    names = tuple(name for name in ORDER if name in scene.values) or tuple(scene.values)
    if not names:
        raise MissingBands(f"{found.key} brings {', '.join(scene.masks) or 'nothing'}; at least one band is needed.")
    pixels = np.stack([scene.values[name] for name in names])
    pixels[:, scene.zero] = np.nan
    unseen = np.isnan(pixels).all(axis=0)
    invalid, cloud = _masked(scene, options, grid.shape)
    pixels[:, invalid] = np.nan
    if options.harmonise == "roy2016" and found.sensor in ("landsat-4", "landsat-5", "landsat-7"):
        pixels = np.stack(
            [bands.roy2016(p, n) if n in bands.ROY2016 else p for p, n in zip(pixels, names, strict=True)]
        )
    facts = _facts(found, names, pixels, scene, unseen, invalid, cloud)
    if options.gap_passes:
        pixels, filled, _ = gap_fill(pixels, options.gap_passes)
        facts = replace(facts, filled_fraction=float(filled.mean()))
    return Prepared(Stack(pixels, names, grid, found.acquired), facts)


def _read(found: FoundScene, grid: Grid) -> _Read:
    scene = _Read({}, np.ones(grid.shape, dtype=bool), {})
    by_file = sorted(found.assets.items(), key=lambda item: item[1].href)
    for href, members in groupby(by_file, key=lambda item: item[1].href):
        with opened(href) as dataset:
            for name, asset in members:
                _read_band(scene, dataset, name, asset, grid, found.kind)
    if found.kind != "reflectance" or not set(bands.CANONICAL) & set(scene.values):
        scene.zero[:] = False
    return scene


def _read_band(scene: _Read, dataset: Any, name: str, asset: Asset, grid: Grid, kind: str) -> None:
    number = [asset.band_index]
    if name in bands.MASK_BANDS:
        scene.masks[name] = read_window(dataset, number, grid, nearest=True, decode=lambda raw, _: raw)[0][0]
        return
    rule = _scaling(name, asset, kind, dataset.dtypes[asset.band_index - 1])
    layer = read_window(dataset, number, grid, kind == "label", decode=lambda raw, _: _physical(name, raw, rule))[0][0]
    scene.values[name.removesuffix("_db")] = layer
    if name in bands.CANONICAL:
        zero = read_window(dataset, number, grid, nearest=True, decode=lambda raw, _: raw == 0)[0][0]
        scene.zero &= zero == 1


def _physical(name: str, raw: np.ndarray, rule: bands.Scaling) -> np.ndarray:
    """Stored numbers -> physical values before any resampling: backscatter is averaged in linear power, never in dB."""
    values = bands.scale(raw, rule)
    if name.endswith("_db"):
        return bands.linear_power(values)
    return np.clip(values, 0, 1) if name == "coherence" else values


def _scaling(name: str, asset: Asset, kind: str, dtype: str) -> bands.Scaling:
    nodata = asset.nodata
    if kind == "label" and nodata == 0:
        nodata = None  # a 0/1 mask that declares 0 as nodata means background
    if kind == "reflectance" and nodata is None and "int" in dtype:
        nodata = 0
    return bands.Scaling(asset.scale, asset.offset, nodata, VALID.get(name, bands.REFLECTANCE_VALID))


def _masked(scene: _Read, options: PrepareOptions, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray | None]:
    """(invalid by the quality masks, cloud or None without a mask); NaN in a mask means fill."""
    invalid, cloud = np.zeros(shape, dtype=bool), None
    for name, layer in scene.masks.items():
        known = np.isfinite(layer)
        raw = np.where(known, layer, 0).astype(np.int64)
        bad, here = _one_mask(name, raw, scene, options)
        invalid |= bad | ~known if name != "radsat" else False
        cloud = here & known if here is not None else cloud
    return invalid, cloud


def _one_mask(
    name: str, raw: np.ndarray, scene: _Read, options: PrepareOptions
) -> tuple[np.ndarray, np.ndarray | None]:
    if name == "qa":
        index, swir1 = _ndsi(scene.values), scene.values.get("swir1")
        exempt = {"ndsi": index, "swir1": swir1} if options.cloud_requires_low_ndsi and index is not None else {}
        return bands.qa_pixel_invalid(raw, options.mask_dilated, **exempt), bands.qa_pixel_cloud(raw)
    if name == "scl":
        return bands.scl_invalid(raw), np.isin(raw, (8, 9, 10))
    if name == "fmask":
        return bands.fmask_invalid(raw), (raw & 0b111) != 0
    if name == "mod35":
        return bands.mod35_invalid(raw), bands.mod35_invalid(raw)
    return np.zeros(raw.shape, dtype=bool), None


def _ndsi(values: dict[str, np.ndarray]) -> np.ndarray | None:
    if "green" in values and "swir1" in values:
        return bands.ndsi(values["green"], values["swir1"])
    return values.get("ndsi")


def _facts(
    found: FoundScene, names: Sequence[str], pixels: np.ndarray, scene: _Read, unseen: np.ndarray,
    invalid: np.ndarray, cloud: np.ndarray | None,
) -> SceneFacts:  # fmt: skip
    seen, valid = ~unseen, ~np.isnan(pixels).all(axis=0)
    index = _ndsi(dict(zip(names, pixels, strict=True)))
    radsat = scene.masks.get("radsat")
    stats = {name: _three(layer) for name, layer in zip(names, pixels, strict=True)}
    return SceneFacts(
        n_pixels=seen.size,
        n_values=int(pixels.size),
        n_bands=len(names),
        nodata_fraction=float((unseen & ~scene.zero).mean()),
        zero_fraction=float(scene.zero.mean()),
        invalid_fraction=float((unseen | invalid).mean()),
        valid_fraction=float(valid.mean()),
        cloud_fraction_aoi=None if cloud is None else _share(cloud, seen),
        snow_fraction=None if index is None else _share(index >= SNOW_NDSI, ~np.isnan(index)),
        saturated_fraction=None if radsat is None else _share(bands.radsat_saturated(np.nan_to_num(radsat)), seen),
        slc_off=found.sensor == "landsat-7" and found.acquired is not None and found.acquired >= SLC_OFF_SINCE,
        band_min={name: three[0] for name, three in stats.items()},
        band_max={name: three[1] for name, three in stats.items()},
        band_mean={name: three[2] for name, three in stats.items()},
    )


def _share(what: np.ndarray, among: np.ndarray) -> float | None:
    return float(what[among].mean()) if among.any() else None


def _three(layer: np.ndarray) -> tuple[float | None, float | None, float | None]:
    seen = layer[~np.isnan(layer)]
    return (float(seen.min()), float(seen.max()), float(seen.mean(dtype=np.float64))) if seen.size else (None,) * 3
