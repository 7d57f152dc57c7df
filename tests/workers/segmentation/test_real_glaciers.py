"""The same code on real ice: labelled Sentinel-2 summers of Vinciguerra, outlines and relief of Hintereisferner."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyogrio
import pytest

from workers.imagery import bands, rasters
from workers.imagery.grid import Grid, rasterize
from workers.segmentation import divides, outlines, random_forest
from workers.segmentation.areas import area_km2
from workers.segmentation.features import features
from workers.segmentation.segment import segment_stack

pytestmark = pytest.mark.real
LABELLED_KM2 = {2019: 0.425, 2020: 0.448, 2021: 0.312, 2022: 0.407}        # as the collection's README states
COMPLEX = "outlines/rgi7_hintereisferner/rgi7g_hef_complex.shp"
BANDS = {"blue": "B2", "green": "B3", "red": "B4", "nir": "B8", "swir1": "B11", "swir2": "B12"}


def label(folder: Path, year: int) -> tuple[np.ndarray, Grid]:
    read = rasters.read(folder / f"scenes/vinciguerra_sentinel2/{year}/{year}-etiquetado_1.tif")
    return read.pixels[0] == 1, read.grid


def scene(folder: Path, year: int) -> rasters.Stack:
    """Reflectance; the radiometric offset of the later processing baseline removed, the empty rim made missing."""
    read = rasters.read(folder / f"scenes/vinciguerra_sentinel2/{year}/Total_1.tif", bands=tuple(BANDS.values()))
    dn = np.where((read.pixels == 0).all(axis=0), np.nan, read.pixels)
    return rasters.Stack((dn - (1000 if year >= 2022 else 0)) / 10_000, tuple(BANDS), read.grid)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("year", LABELLED_KM2)
def test_a_hand_drawn_label_keeps_its_area_and_its_pixels_as_outline(real_data, year):
    mask, grid = label(real_data, year)
    assert area_km2(mask.astype(float), grid) == pytest.approx(LABELLED_KM2[year], rel=3e-3)
    kept = outlines.cleaned(mask.astype(np.int32), grid, outlines.MIN_AREA_KM2) > 0
    traced = outlines.trace(mask, grid)
    assert iou(rasterize([one.geometry for one in traced], grid), kept) >= 0.98
    assert sum(one.area_km2 for one in traced) == pytest.approx(area_km2(kept.astype(float), grid), rel=0.01)


def test_a_forest_beats_the_snow_index_on_a_summer_it_never_saw(real_data):
    names = ("ndwi", "ndsi", *BANDS)
    stacks = {year: scene(real_data, year) for year in LABELLED_KM2}
    masks = {year: label(real_data, year)[0] for year in LABELLED_KM2}
    gain = []
    for held_out in LABELLED_KM2:
        rest = [year for year in LABELLED_KM2 if year != held_out]
        pixels = np.concatenate([np.moveaxis(features(stacks[y], names), 0, -1).reshape(-1, 8) for y in rest])
        truth = np.concatenate([masks[y].ravel() for y in rest]).astype(float)
        tile = np.repeat(np.arange(3), masks[held_out].size)
        forest = random_forest.fit(pixels, truth, tile, random_forest.Config(channels=8, trees=30, max_pixels=10_000))
        version = SimpleNamespace(network=forest, recipe=SimpleNamespace(bands=names))
        probability = segment_stack(stacks[held_out], version)
        known = np.isfinite(probability)
        index = bands.ndsi(stacks[held_out].band("green"), stacks[held_out].band("swir1")) >= 0.4
        gain.append(iou((probability >= 0.5)[known], masks[held_out][known])
                    - iou(index[known], masks[held_out][known]))
    assert min(gain) > 0.05


def test_one_complex_of_ice_is_divided_into_the_glaciers_of_the_inventory(real_data):
    known = pyogrio.read_dataframe(real_data / COMPLEX)
    glaciers = dict(zip(known["rgi_id"], known.geometry, strict=True))
    grid = Grid.around(known.union_all(), 50, margin_m=500)
    dem = rasters.read_layer(real_data / "dem/hintereisferner_srtm.tif", grid)
    ice = rasterize(known.geometry, grid)
    found = outlines.to_glaciers(ice, grid, glaciers, dem=dem)
    assert None not in found
    for name, geometry in glaciers.items():
        truth = rasterize([geometry], grid)
        if truth.sum() > 40:
            assert iou(rasterize([found[name]], grid), truth) > 0.95


def test_a_divide_is_found_again_when_the_inventory_forgets_half_of_each_glacier(real_data):
    known = pyogrio.read_dataframe(real_data / COMPLEX)
    known = known[known["area_km2"] > 0.5]
    grid = Grid.around(known.union_all(), 50, margin_m=500)
    dem = rasters.read_layer(real_data / "dem/hintereisferner_srtm.tif", grid)
    ice = rasterize(known.geometry, grid)
    inner = {name: shape.buffer(-0.002) for name, shape in zip(known["rgi_id"], known.geometry, strict=True)}
    labels = divides.assign(ice, grid, inner, dem)
    right = np.zeros(grid.shape, bool)
    for number, shape in enumerate(known.geometry, start=1):
        right |= rasterize([shape], grid) & (labels == number)
    assert right[ice].mean() > 0.9
