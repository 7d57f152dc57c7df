"""Rasters on disk <-> stacks in memory. Missing is NaN in a stack and the declared nodata in a file; nowhere else.

Files are Cloud Optimized GeoTIFFs (OGC 21-026): tiles of 512, overviews, deflate with predictor, scale, offset and
nodata declared, bands named by their description.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
import shapely
from affine import Affine
from rasterio._err import CPLE_BaseError
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.warp import reproject
from rasterio.windows import Window

from workers.imagery.drivers import gdal_environment
from workers.imagery.durable import flush
from workers.imagery.encoding import ENCODINGS, Coded, coded, statistics_of
from workers.imagery.grid import Grid, NoCRS, WrongGrid, project
from workers.imagery.headers import RefusedRaster, inspect, inspect_in_child

__all__ = [
    "CannotWrite", "MissingBands", "NoCRS", "RefusedRaster", "Stack", "UnreadableRaster", "WrongGrid",
    "gdal_environment", "inspect", "inspect_in_child", "opened", "read", "read_layer", "read_window", "write",
]  # fmt: skip

Decode = Callable[[np.ndarray, int], np.ndarray]  # raw (H, W) and band number -> float (H, W), NaN missing
COARSER = 1.25  # target pixels larger than this many source pixels are means over their area
ACQUIRED = "ACQUIRED"  # tag with the acquisition time, ISO 8601


class UnreadableRaster(ValueError):
    """A file that is no GeoTIFF, or a damaged one."""


class CannotWrite(OSError):
    """A file could not be written whole; what was there before is still there."""


class MissingBands(ValueError):
    """Bands were asked for by a name that the stack or file does not have."""


@dataclass(frozen=True)
class Stack:
    """One acquisition on one grid: pixels float32 (C, H, W) with NaN where nothing was observed, and its band names."""

    pixels: np.ndarray
    bands: tuple[str, ...]
    grid: Grid
    acquired: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "bands", tuple(self.bands))
        object.__setattr__(self, "pixels", np.asarray(self.pixels, dtype=np.float32))
        wanted = (len(self.bands), *self.grid.shape)
        if self.pixels.shape != wanted:
            raise WrongGrid(f"Pixels are {self.pixels.shape}, bands and grid say {wanted}; bring both onto one grid.")

    def band(self, name: str) -> np.ndarray:
        """(H, W) of one band; MissingBands when it is not there."""
        return self.pixels[_positions(self.bands, [name], "stack")[0]]

    def select(self, names: Sequence[str]) -> Stack:
        """The named bands in the order asked for; never by position."""
        if tuple(names) == self.bands:
            return self
        return replace(self, pixels=self.pixels[_positions(self.bands, names, "stack")], bands=tuple(names))


def _positions(have: Sequence[str], wanted: Sequence[str], what: str) -> list[int]:
    missing = [name for name in wanted if name not in have]
    if missing:
        raise MissingBands(f"The {what} has no band {', '.join(missing)}; it has {', '.join(have) or 'none'}.")
    return [list(have).index(name) for name in wanted]


@contextmanager
def opened(path: str | Path) -> Iterator[Any]:
    """An open GeoTIFF, and nothing else that may hide behind the name; UnreadableRaster when it is none."""
    try:
        with rasterio.open(path, driver="GTiff", sharing=False) as dataset:
            yield dataset
    except RasterioError as error:
        raise UnreadableRaster(f"{Path(path).name} is no readable GeoTIFF ({error}); convert it.") from error


def band_names(dataset: Any) -> tuple[str, ...]:
    """Descriptions of the bands; band_<n> where one has none."""
    return tuple(text or f"band_{n}" for n, text in enumerate(dataset.descriptions, start=1))


def read(path: str | Path, bands: Sequence[str] | None = None, grid: Grid | None = None) -> Stack:
    """A stack scaled by the file's own scale and offset, on the file's grid or brought (bilinear) onto `grid`.

    UnreadableRaster, NoCRS and MissingBands say what is wrong with the file.
    """
    with opened(path) as dataset:
        names = band_names(dataset)
        wanted = tuple(bands or names)
        numbers = [position + 1 for position in _positions(names, wanted, "file")]
        pixels, onto = read_window(dataset, numbers, grid)
        return Stack(pixels, wanted, onto, _acquired(dataset.tags().get(ACQUIRED)))


def read_layer(path: str | Path, grid: Grid | None = None, nearest: bool = False) -> np.ndarray:
    """(H, W) float32 of the first band, scaled, NaN nodata; `nearest` for labels and classes."""
    with opened(path) as dataset:
        return read_window(dataset, [1], grid, nearest=nearest)[0][0]


def read_window(
    dataset: Any, numbers: Sequence[int], grid: Grid | None = None, nearest: bool = False, decode: Decode | None = None
) -> tuple[np.ndarray, Grid]:
    """Bands (by number from 1) as float32 (C, H, W) with NaN nodata, and their grid.

    With `grid` only the part of the file under it is read, from an overview where the file is much finer.
    Pixels of `grid` outside the file are NaN. `decode(raw, number)` replaces the file's own scale and nodata.
    """
    source = Grid.of(dataset)
    decode = decode or _own_decoding(dataset)
    if grid is None or source.same_as(grid):
        return _values(dataset, numbers, None, None, decode), source
    window, shape = _needed(source, grid)
    out = np.full((len(numbers), *grid.shape), np.nan, dtype=np.float32)
    if window is None:
        return out, grid
    values = _values(dataset, numbers, window, shape, decode)
    part = dataset.window_transform(window) @ Affine.scale(window.width / shape[1], window.height / shape[0])
    reproject(
        values, out, src_transform=part, src_crs=source.crs, src_nodata=np.nan, dst_transform=grid.transform,
        dst_crs=grid.crs, dst_nodata=np.nan, resampling=_resampling(source, grid, nearest),
    )  # fmt: skip
    return out, grid


def _resampling(source: Grid, grid: Grid, nearest: bool) -> Resampling:
    if nearest:
        return Resampling.nearest
    # 10 or 20 m onto 30 m is a mean over the pixel's area; bilinear would look at 4 pixels, weighted by their distance
    return Resampling.average if grid.pixel_m > COARSER * source.pixel_m else Resampling.bilinear


def _needed(source: Grid, grid: Grid) -> tuple[Window | None, tuple[int, int]]:
    """Window of the source under `grid` with a margin of two target pixels, and the shape to read it at."""
    ring = project(_box_of(grid), grid.crs, source.crs)
    cols, rows = zip(*[~source.transform @ xy for xy in ring.exterior.coords], strict=True)
    margin = 2 + 2 * grid.pixel_m / source.pixel_m
    first_row, last_row = int(max(0, min(rows) - margin)), int(min(source.height, max(rows) + margin + 1))
    first_col, last_col = int(max(0, min(cols) - margin)), int(min(source.width, max(cols) + margin + 1))
    if first_row >= last_row or first_col >= last_col:
        return None, (0, 0)
    window = Window(first_col, first_row, last_col - first_col, last_row - first_row)
    coarser = max(1, int(grid.pixel_m / source.pixel_m / 4 + 0.01))  # keep four source pixels a target pixel and axis
    return window, (max(1, window.height // coarser), max(1, window.width // coarser))


def _box_of(grid: Grid) -> Any:
    edge = [grid.transform @ point for point in grid._edge(points_a_side=21)]
    return shapely.Polygon(edge)


def _values(dataset: Any, numbers: Sequence[int], window: Window | None, shape: Any, decode: Decode) -> np.ndarray:
    out_shape = (len(numbers), *shape) if shape else None
    try:
        raw = dataset.read(list(numbers), window=window, out_shape=out_shape)
    except RasterioError as error:
        raise UnreadableRaster(f"{Path(dataset.name).name} is damaged ({error}); deliver the file again.") from error
    return np.stack([decode(layer, number) for layer, number in zip(raw, numbers, strict=True)]).astype(np.float32)


def _own_decoding(dataset: Any) -> Decode:
    """Scale, offset and nodata as the file declares them; infinity is missing too."""

    def decode(raw: np.ndarray, number: int) -> np.ndarray:
        values = raw.astype(np.float32) * np.float32(dataset.scales[number - 1]) + np.float32(
            dataset.offsets[number - 1]
        )
        missing = ~np.isfinite(values)
        nodata = dataset.nodatavals[number - 1]
        if nodata is not None:
            missing |= raw == nodata
        return np.where(missing, np.nan, values)

    return decode


def _acquired(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def write(stack: Stack, path: str | Path, encode: str = "auto", statistics: bool = False) -> None:
    """Write a COG in one step: a reader sees the old file or the whole new one.

    encode: "auto" (int16 for reflectance and thermal bands, else float32), "reflectance" or "ndsi" (int16 x 1e-4,
    nodata -32768), "probability" (the same, rounded down so that p >= 0.5 keeps its answer), "uint8" (mask, nodata
    255), "float32" (nodata NaN). Thermal is int16 x 0.01 + 150 K. Threads may write at once. CannotWrite when the
    disk does not take it.
    """
    if encode not in ENCODINGS:
        raise ValueError(f"encode={encode!r} is not known; use one of {', '.join(ENCODINGS)}.")
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    os.close(handle)
    try:
        try:
            _write_cog(stack, name, encode, statistics)
        except (CPLE_BaseError, RasterioError, SystemError) as error:
            raise CannotWrite(f"{target.name} could not be written ({error}); look for space on the disk.") from error
        flush(Path(name))
        Path(name).chmod(0o644)
        Path(name).replace(target)
        flush(target.parent)
    finally:
        Path(name).unlink(missing_ok=True)


def _write_cog(stack: Stack, name: str, encode: str, statistics: bool) -> None:
    layers = coded(stack.pixels, stack.bands, encode)
    profile = {"count": len(layers), "dtype": layers[0].values.dtype, "nodata": layers[0].nodata, "crs": stack.grid.crs,
               "transform": stack.grid.transform, "width": stack.grid.width, "height": stack.grid.height}  # fmt: skip
    with MemoryFile() as memory, memory.open(driver="GTiff", **profile) as plain:
        for number, layer in enumerate(layers, start=1):
            plain.write(layer.values, number)
            plain.set_band_description(number, stack.bands[number - 1])
            if statistics:
                plain.update_tags(number, **statistics_of(layer))
        plain.scales, plain.offsets = [one.scale for one in layers], [one.offset for one in layers]
        if stack.acquired:
            plain.update_tags(**{ACQUIRED: stack.acquired.isoformat()})
        rasterio.shutil.copy(
            plain, name, driver="COG", compress="DEFLATE", predictor="YES", blocksize=512, overviews="AUTO",
            resampling="NEAREST" if encode == "uint8" else "AVERAGE", bigtiff="IF_SAFER",
        )  # fmt: skip
    _verify(name, layers)


def _verify(name: str, layers: list[Coded]) -> None:
    """Read back what was written: GDAL swallows what a full disk refuses when the last block is flushed at the end."""
    with rasterio.open(name, driver="GTiff", sharing=False) as written:
        for number, layer in enumerate(layers, start=1):
            if not np.array_equal(written.read(number), layer.values, equal_nan=layer.values.dtype.kind == "f"):
                raise RasterioError("what lies on the disk is not what was written")
