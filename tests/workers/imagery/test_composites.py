from __future__ import annotations

import warnings

import numpy as np
import pytest
from affine import Affine

from workers.imagery.composites import enlarged, informative, mean_composite
from workers.imagery.grid import Grid, WrongGrid
from workers.imagery.rasters import MissingBands, Stack

GRID = Grid("EPSG:32632", Affine(30, 0, 500_010, 0, -30, 5_200_020), 6, 5)


def test_a_composite_is_the_mean_of_what_each_pixel_was_seen_as() -> None:
    pixels = np.random.default_rng(0).random((4, 2, 5, 6)).astype(np.float32)
    pixels[np.random.default_rng(1).random(pixels.shape) < 0.4] = np.nan
    pixels[:, 0, 0, 0] = np.nan
    composite = mean_composite(Stack(one, ("green", "swir1"), GRID) for one in pixels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = np.nanmean(pixels, axis=0)
    np.testing.assert_allclose(composite.pixels, expected, rtol=1e-6)
    assert np.isnan(composite.pixels[0, 0, 0])


def test_bands_are_matched_by_name_and_grids_must_agree() -> None:
    one = Stack(np.stack([np.ones((5, 6)), np.zeros((5, 6))]), ("green", "swir1"), GRID)
    turned = Stack(one.pixels[::-1], ("swir1", "green"), GRID)
    np.testing.assert_array_equal(mean_composite([one, turned]).pixels, one.pixels)
    with pytest.raises(MissingBands):
        mean_composite([one, Stack(np.ones((1, 5, 6)), ("green",), GRID)])
    with pytest.raises(WrongGrid):
        mean_composite([one, Stack(np.ones((2, 6, 5)), ("green", "swir1"), Grid(GRID.crs, GRID.transform, 5, 6))])
    with pytest.raises(ValueError, match="at least one scene"):
        mean_composite([])


def test_the_box_grows_by_a_tenth_of_its_extent_on_each_axis() -> None:
    assert enlarged((10.0, 40.0, 12.0, 41.0)) == pytest.approx((9.9, 39.95, 12.1, 41.05))


def test_a_mask_that_hardly_varies_teaches_nothing() -> None:
    mask = np.zeros((100, 100), dtype=bool)
    mask.flat[:10] = True
    assert not informative(mask)
    mask.flat[:20] = True
    assert informative(mask)
    assert not informative(~np.zeros((10, 10), dtype=bool))
