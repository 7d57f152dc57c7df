"""Rasters as PNG tiles: the overview that fits is read through an exact warp, scaled, and put through a palette."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.vrt import WarpedVRT

from glacierweb.problems import Problem
from inventory import png
from inventory.colour_maps import BETWEEN, CLEAR, COLOUR_MAPS, FIRST, HATCH, palette
from inventory.tiles import Tile

SIZE = 256
KEPT_OPEN = 24
_open = threading.local()  # GDAL's handles belong to one thread


@dataclass(frozen=True)
class Pixels:
    """A tile's values float32 (C, H, W), NaN where nothing was observed, and which pixels (H, W) the raster covers."""

    values: np.ndarray
    inside: np.ndarray

    @property
    def missing(self) -> np.ndarray:
        """Covered, but without a value in some band."""
        return self.inside & np.isnan(self.values).any(axis=0)


def read(path: Path, tile: Tile, bands: Sequence[str | int], margin: int = 0, smooth: bool = False) -> Pixels | None:
    """The tile's pixels of the bands (by name or number from 1), `margin` pixels larger; None beside the raster.

    Nearest neighbour, so that a pixel shows what was measured; `smooth` (bilinear) for elevation. Raises Problem 404
    when the file is gone or lacks a band.
    """
    dataset = _opened(path, tile)
    numbers = [_number(dataset, band) for band in bands]
    pixel = tile.side_m / SIZE
    west, north = tile.corner
    side = SIZE + 2 * margin
    with WarpedVRT(
        dataset, crs="EPSG:3857", transform=from_origin(west - margin * pixel, north + margin * pixel, pixel, pixel),
        width=side, height=side, resampling=Resampling.bilinear if smooth else Resampling.nearest, add_alpha=True,
        **({} if smooth else {"src_nodata": None}),
    ) as warped:  # fmt: skip
        inside = warped.read(warped.count) > 0
        if not inside.any():
            return None
        raw = warped.read(numbers)
    return Pixels(_scaled(raw, dataset, numbers, inside), inside)


def _scaled(raw: np.ndarray, dataset: Any, numbers: list[int], inside: np.ndarray) -> np.ndarray:
    values = raw.astype(np.float32)
    for layer, stored, number in zip(values, raw, numbers, strict=True):
        nodata = dataset.nodatavals[number - 1]
        layer *= dataset.scales[number - 1]
        layer += dataset.offsets[number - 1]
        layer[~inside | (stored == nodata if nodata is not None else False)] = np.nan
    return values


def coloured(values: np.ndarray, pixels: Pixels, name: str) -> bytes:
    """PNG of one layer (H, W) by a colour map; hatched grey where the raster has no value, clear beside it."""
    colours = COLOUR_MAPS[name]
    steps = (values - colours["vmin"]) / (colours["vmax"] - colours["vmin"]) * (255 - FIRST)
    places = np.clip(np.nan_to_num(np.rint(steps)), 0, 255 - FIRST).astype(np.uint8) + np.uint8(FIRST)
    missing = pixels.inside & np.isnan(values)
    places[missing] = np.where(_hatch(), HATCH, BETWEEN)[missing]
    places[~pixels.inside] = CLEAR
    return png.indexed(places, palette(name))


def true_colour(pixels: Pixels) -> bytes:
    """PNG of red, green and blue reflectance (3, H, W), brightened by a fixed stretch so that dates compare."""
    colours = COLOUR_MAPS["true-colour"]
    share = np.clip(np.nan_to_num(pixels.values) / colours["vmax"], 0, 1) ** (1 / colours["gamma"])
    found = np.zeros((*pixels.inside.shape, 4), dtype=np.uint8)
    found[..., :3] = np.rint(255 * np.moveaxis(share, 0, -1))
    found[..., 3] = np.where(pixels.inside, 255, 0)
    hatch = palette("ndsi")[[BETWEEN, HATCH]]
    found[pixels.missing] = hatch[_hatch().astype(int)][pixels.missing]
    return png.rgba(found)


def ndsi(pixels: Pixels) -> np.ndarray:
    """(H, W) NDSI of green and swir1, (2, H, W): clamped at 0, NaN where either is missing or both are dark."""
    green, swir1 = np.maximum(pixels.values[0], 0), np.maximum(pixels.values[1], 0)
    total = green + swir1
    return np.divide(green - swir1, total, out=np.full_like(total, np.nan), where=total > 1e-6)


def decibels(pixels: Pixels) -> np.ndarray:
    """(H, W) dB of backscatter stored in linear power, (1, H, W); NaN where it is missing."""
    return 10 * np.log10(np.maximum(pixels.values[0], 1e-6))


def hillshade(pixels: Pixels, tile: Tile) -> bytes:
    """PNG of elevation (1, H + 2, W + 2): slope by Horn's 3 x 3, lit from the north-west; black with varying alpha."""
    _, south, _, north = tile.lonlat()
    metres = tile.side_m / SIZE * math.cos(math.radians((south + north) / 2))
    z = pixels.values[0]
    east = (z[:-2, 2:] + 2 * z[1:-1, 2:] + z[2:, 2:]) - (z[:-2, :-2] + 2 * z[1:-1, :-2] + z[2:, :-2])
    down = (z[2:, :-2] + 2 * z[2:, 1:-1] + z[2:, 2:]) - (z[:-2, :-2] + 2 * z[:-2, 1:-1] + z[:-2, 2:])
    p, q = east / (8 * metres), -down / (8 * metres)
    azimuth = math.radians(COLOUR_MAPS["hillshade"]["azimuth_degrees"])
    altitude = math.radians(COLOUR_MAPS["hillshade"]["altitude_degrees"])
    lit = math.sin(altitude) - math.cos(altitude) * (p * math.sin(azimuth) + q * math.cos(azimuth))
    light = np.clip(lit / np.sqrt(1 + p**2 + q**2), 0, 1)
    found = np.zeros((*light.shape, 4), dtype=np.uint8)
    flat = math.sin(altitude)
    found[..., :3] = np.where(light > flat, 255, 0)[..., None]
    found[..., 3] = np.nan_to_num(np.where(light > flat, (light - flat) / (1 - flat) * 110, (1 - light / flat) * 170))
    return png.rgba(found)


def empty() -> bytes:
    """A clear tile."""
    return png.indexed(np.zeros((SIZE, SIZE), dtype=np.uint8), palette("ndsi"))


def _hatch() -> np.ndarray:
    rows, columns = np.indices((SIZE, SIZE))
    return (rows + columns) % 8 < 2


def _number(dataset: Any, band: str | int) -> int:
    if isinstance(band, int):
        return band
    if band not in dataset.descriptions:
        raise Problem(404, "No such band", f"This raster has no band {band}.", kind="not-found")
    return dataset.descriptions.index(band) + 1


def _opened(path: Path, tile: Tile) -> Any:
    """An open handle on the overview whose pixels are just finer than the tile's; the last few stay open."""
    handles: OrderedDict = _open.__dict__.setdefault("handles", OrderedDict())
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        raise Problem(404, "No raster", "The raster of this tile is not on disk.", kind="not-found") from None
    whole = _kept(handles, path, stamp, None)
    level = _level(whole, tile)
    return whole if level is None else _kept(handles, path, stamp, level)


def _kept(handles: OrderedDict, path: Path, stamp: int, level: int | None) -> Any:
    key = (str(path), stamp, level)
    if key not in handles:
        more = {} if level is None else {"overview_level": level}
        handles[key] = rasterio.open(path, driver="GTiff", sharing=False, **more)
        while len(handles) > KEPT_OPEN:
            handles.popitem(last=False)[1].close()
    handles.move_to_end(key)
    return handles[key]


def _level(dataset: Any, tile: Tile) -> int | None:
    _, south, _, north = tile.lonlat()
    metres = tile.side_m / SIZE * max(math.cos(math.radians((south + north) / 2)), 0.01)
    native = abs(dataset.transform.a) * (111_320.0 if dataset.crs.is_geographic else 1.0)
    fitting = [level for level, factor in enumerate(dataset.overviews(1)) if factor * native <= metres]
    return fitting[-1] if fitting else None
