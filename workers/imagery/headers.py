"""What a foreign raster says about itself, judged before any pixel is read.

Run as a program (`python -m workers.imagery.headers FILE`) it judges one file under limits of memory, time and output.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.errors import RasterioError

import workers.imagery.drivers  # noqa: F401  (switches off what GDAL must not open)
from workers.imagery.grid import Grid, NoCRS, WrongGrid

MAX_SIDE, MAX_BANDS = 40_000, 20
MAX_UNPACKED_BYTES, MAX_BLOCK_BYTES = 8 * 2**30, 64 * 2**20
TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
REAL_TYPES = {"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "uint64", "int64", "float64"}
CHILD_MEMORY_BYTES, CHILD_FILE_BYTES = 4 * 2**30, 2**20


class RefusedRaster(ValueError):
    """A raster that breaks a limit; `rule` names it."""

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(sentence)
        self.rule = rule


@dataclass(frozen=True)
class Header:
    """What the header says; sizes in pixels and bytes, bounds in map units, lonlat = (west, south, east, north)."""

    width: int
    height: int
    bands: int
    dtypes: tuple[str, ...]
    crs: str
    transform: tuple[float, ...]
    descriptions: tuple[str | None, ...]
    nodata: float | None
    unpacked_bytes: int
    lonlat: tuple[float, float, float, float]


def inspect(path: str | Path) -> Header:
    """Header of a GeoTIFF within our limits; RefusedRaster (with the rule) otherwise. No pixel is read."""
    name = Path(path).name
    with Path(path).open("rb") as stream:
        if stream.read(4) not in TIFF_MAGIC:
            raise RefusedRaster("magic", f"{name} does not begin like a TIFF; send a GeoTIFF.")
    try:
        with rasterio.open(path, driver="GTiff", sharing=False) as dataset:
            return _judged(dataset, name)
    except RasterioError as error:
        raise RefusedRaster("unreadable", f"{name} is no readable GeoTIFF ({error}); deliver it again.") from error


def _judged(dataset: Any, name: str) -> Header:
    for rule, holds, sentence in _limits(dataset):
        if not holds:
            raise RefusedRaster(rule, f"{name}: {sentence}")
    try:
        grid = Grid.of(dataset)
        lonlat = grid.footprint().bounds
    except (NoCRS, WrongGrid) as error:
        raise RefusedRaster("georeference", f"{name}: {error}") from error
    if not all(math.isfinite(v) for v in lonlat) or lonlat[1] < -90.001 or lonlat[3] > 90.001:
        raise RefusedRaster("footprint", f"{name} lies outside the Earth; check its CRS and affine.")
    return Header(
        dataset.width, dataset.height, dataset.count, tuple(dataset.dtypes), grid.crs, tuple(dataset.transform[:6]),
        tuple(dataset.descriptions), dataset.nodata, _unpacked(dataset), lonlat,
    )  # fmt: skip


def _unpacked(dataset: Any) -> int:
    return sum(dataset.width * dataset.height * np.dtype(t).itemsize for t in dataset.dtypes)


def _limits(dataset: Any) -> list[tuple[str, bool, str]]:
    real = set(dataset.dtypes) <= REAL_TYPES
    largest = max((np.dtype(t).itemsize for t in dataset.dtypes), default=0) if real else 0
    block = max((math.prod(shape) for shape in dataset.block_shapes), default=0) * largest
    affine = dataset.transform[:6]
    finite = all(math.isfinite(v) for v in affine) and dataset.transform.determinant != 0
    return [
        ("size", max(dataset.width, dataset.height) <= MAX_SIDE,
         f"{dataset.width} x {dataset.height} pixels exceed {MAX_SIDE} x {MAX_SIDE}; cut it to the glacier."),
        ("bands", dataset.count <= MAX_BANDS, f"{dataset.count} bands exceed {MAX_BANDS}; send the optical ones."),
        ("type", real, f"type {', '.join(sorted(set(dataset.dtypes)))} is not a real number of at most 64 bits."),
        ("unpacked", not real or _unpacked(dataset) <= MAX_UNPACKED_BYTES, "it unpacks to more than 8 GiB; cut it."),
        ("block", block <= MAX_BLOCK_BYTES, "one block exceeds 64 MB; write it tiled (gdal_translate -of COG)."),
        ("affine", finite, f"the affine {tuple(affine)} is not finite and invertible; georeference it again."),
        ("identity", not dataset.transform.is_identity, "it carries no georeference; assign one."),
    ]  # fmt: skip


def inspect_in_child(path: str | Path, timeout_s: float = 60) -> Header:
    """`inspect` in a process of its own with limits of memory, processor time and output; RefusedRaster as there.

    A child that dies or takes longer than `timeout_s` refuses the file too.
    """
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "workers.imagery.headers", str(Path(path).resolve()), str(int(timeout_s))]
    try:
        child = subprocess.run(command, capture_output=True, timeout=timeout_s, env=environment, cwd=root, check=False)
    except subprocess.TimeoutExpired as error:
        raise RefusedRaster("time", f"{Path(path).name} could not be opened within {timeout_s:g} s.") from error
    try:
        answer = json.loads(child.stdout)
    except ValueError as error:
        raise RefusedRaster("crash", f"{Path(path).name} broke the process that opened it.") from error
    if "rule" in answer:
        raise RefusedRaster(answer["rule"], answer["sentence"])
    facts: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in answer.items()}
    return Header(**facts)


def _child(path: str, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (CHILD_MEMORY_BYTES, CHILD_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (CHILD_FILE_BYTES, CHILD_FILE_BYTES))
    try:
        answer = asdict(inspect(path))
    except RefusedRaster as error:
        answer = {"rule": error.rule, "sentence": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    _child(sys.argv[1], int(sys.argv[2]))
