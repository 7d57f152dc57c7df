"""Mapping on the real collection: Vinciguerra with one summer left out, and the Norwegian chips as a smoke test."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from real_data import DATA, needs
from science_page import Row, over, told, under

from workers.imagery import bands, rasters
from workers.imagery.grid import Grid
from workers.imagery.rasters import Stack
from workers.learning import metrics
from workers.learning.forest_recipe import train_forest
from workers.learning.samples import SegmentSample, folds
from workers.segmentation.segment import segment_stack

VINCIGUERRA, YEARS = "scenes/vinciguerra_sentinel2", (2019, 2020, 2021, 2022)
SENTINEL = {"blue": "B2", "green": "B3", "red": "B4", "nir": "B8", "swir1": "B11", "swir2": "B12"}
OFFSET_FROM = 2022
"""From this summer on the numbers carry Sentinel-2's radiometric offset."""
NORWAY = "scenes/norway_landsat_chips"
CHIP_GRID = Grid("EPSG:32632", Affine(30, 0, 400_000, 0, -30, 6_800_000), 128, 128)
"""The chips are not georeferenced: a grid of the right pixel size stands for their own."""


@needs(VINCIGUERRA)
def vinciguerra(seeds: Sequence[int]) -> Iterator[Row]:
    """A forest taught on three summers maps the fourth, beside what costs nothing; each summer is left out once."""
    samples = {year: _summer(year) for year in YEARS}
    found = [_left_out(samples, year, seeds[0]) for year in YEARS]
    title = "Vinciguerra (real), a summer left out: "
    error, simple_error = (np.abs([one[name] for one in found]) for name in ("area", "mean area"))
    yield under(f"{title}area error, worst of four", error.max(), 0.15, note=_by_year(found, "area", "{:+.3f}"))
    yield Row(f"{title}area error below that of the other years' mean area", "each of four",
              f"{int((error < simple_error).sum())} of 4", bool((error < simple_error).all()),
              f"the mean: {_by_year(found, 'mean area', '{:+.3f}')}")  # fmt: skip
    for name, rival in (("newest", "the newest mask copied"), ("majority", "the majority mask")):
        ahead = min(one["forest"] - one[name] for one in found)
        yield over(f"{title}IoU less that of {rival}, worst of four", ahead, 0, "{:+.3f}",
                   f"forest {_by_year(found, 'forest')}; {rival} {_by_year(found, name)}")  # fmt: skip
    ahead = min(one["forest"] - one["ndsi"] for one in found)
    yield over(f"{title}IoU less that of NDSI >= 0.4, worst of four", ahead, 0.05, "{:+.3f}",
               f"NDSI {_by_year(found, 'ndsi')}")  # fmt: skip


def _by_year(found: Sequence[dict[str, float]], name: str, text: str = "{:.3f}") -> str:
    return ", ".join(f"{year} {text.format(one[name])}" for year, one in zip(YEARS, found, strict=True))


def _left_out(samples: dict[int, SegmentSample], year: int, seed: int) -> dict[str, float]:
    """IoU of the forest and its rivals on one summer, and relative area errors, all where the scene has a value."""
    rest = {other: sample for other, sample in samples.items() if other != year}
    learned = train_forest("small", list(rest.values()), seed, _quiet, held_out=False).learned
    probability = segment_stack(samples[year].stack, learned)
    known, truth = np.isfinite(probability), np.asarray(samples[year].truth) > 0.5
    masks = {other: np.asarray(sample.truth) > 0.5 for other, sample in rest.items()}
    index = bands.ndsi(samples[year].stack.band("green"), samples[year].stack.band("swir1"))
    maps = {"forest": probability >= 0.5, "newest": masks[max(rest)], "majority": sum(masks.values()) >= 2,
            "ndsi": index >= 0.4}  # fmt: skip
    found = {name: metrics.confusion(mask[known].astype(float), truth[known]).iou for name, mask in maps.items()}
    area = truth[known].sum()
    found["area"] = maps["forest"][known].sum() / area - 1
    found["mean area"] = float(np.mean([mask[known].sum() for mask in masks.values()])) / area - 1
    return found


def _summer(year: int) -> SegmentSample:
    """Reflectance with the offset removed and the empty rim missing, and the mask that an expert drew."""
    folder = DATA / VINCIGUERRA / str(year)
    read = rasters.read(folder / "Total_1.tif", bands=tuple(SENTINEL.values()))
    dn = np.where((read.pixels == 0).all(axis=0), np.nan, read.pixels)
    stack = Stack((dn - (1000 if year >= OFFSET_FROM else 0)) / 10_000, tuple(SENTINEL), read.grid)
    return SegmentSample(stack, rasters.read(folder / f"{year}-etiquetado_1.tif").pixels[0] == 1, str(year))


@needs(NORWAY)
def norway(seeds: Sequence[int]) -> Iterator[Row]:
    """A forest in five folds over the chips, and two maps without learning: snow covers most of them, so a smoke
    test and no ranking."""
    samples = [_chip(path.stem) for path in sorted((DATA / NORWAY / "images").glob("*.tif"))]
    dice: dict[str, list[float]] = {"forest": [], "NDSI >= 0.3": [], "everything is ice": []}
    for held in folds((one.group for one in samples), 5):
        taught = [one for one in samples if one.group not in held]
        learned = train_forest("small", taught, seeds[0], _quiet, held_out=False).learned
        for one in (one for one in samples if one.group in held):
            index = bands.ndsi(one.stack.band("green"), one.stack.band("swir1"))
            maps = (segment_stack(one.stack, learned), np.where(np.isnan(index), np.nan, index >= 0.3),
                    np.where(np.isnan(index), np.nan, 1.0))  # fmt: skip
            for name, mask in zip(dice, maps, strict=True):
                dice[name].append(metrics.confusion(mask, one.truth).f1)
    note = ", ".join(f"{name} {np.nanmean(values):.2f}" for name, values in dice.items() if name != "forest")
    yield told(f"Norwegian chips (real): mean Dice of a forest, {len(samples)} chips in five folds",
               f"{np.nanmean(dice['forest']):.2f}", f"{note}; a smoke test: snow covers most of the chips")  # fmt: skip


def _chip(name: str) -> SegmentSample:
    """Reflectance of the six bands and the mask at 0.5; read bare, because the product refuses files without a CRS."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with (rasterio.open(DATA / NORWAY / "images" / f"{name}.tif") as image,
              rasterio.open(DATA / NORWAY / "masks" / f"{name}.tif") as mask):
            dn, truth = image.read(range(1, 7)).astype(np.float32), mask.read(1) >= 0.5
    reflectance = np.where(dn == 0, np.nan, dn * 2.75e-5 - 0.2)
    return SegmentSample(Stack(reflectance, bands.CANONICAL, CHIP_GRID), truth, name)


def _quiet(fraction: float, step: str, **curves: Any) -> None:
    """Nobody watches."""
