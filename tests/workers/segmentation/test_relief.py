"""Heights, slope and aspect of the ground below an outline."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from scipy.stats import circmean

from workers.imagery.grid import Grid, WrongGrid
from workers.segmentation.relief import Relief, circular_mean_deg

GRID = Grid("EPSG:32632", Affine(30, 0, 480_000, 0, -30, 5_200_000), 50, 40)


def test_a_plane_that_falls_to_the_south_east_faces_there_and_has_its_slope():
    row, col = np.indices(GRID.shape)
    where = (row > 5) & (row < 30) & (col > 5) & (col < 20)
    height = 3000 - 15.0 * row - 15.0 * col
    found = Relief.of("DEM", height, GRID).under(where)
    known = height[where]
    assert found["dem_name"] == "DEM"
    assert (found["min_elev_m"], found["max_elev_m"]) == (known.min(), known.max())
    assert found["mean_elev_m"] == pytest.approx(known.mean(), abs=0.05)
    assert found["median_elev_m"] == pytest.approx(np.median(known), abs=0.05)
    assert found["slope_mean_deg"] == pytest.approx(np.degrees(np.arctan(np.hypot(0.5, 0.5))), abs=0.05)
    assert found["aspect_mean_deg"] == pytest.approx(135, abs=0.05)


def test_aspects_on_both_sides_of_north_have_a_northern_mean():
    assert circular_mean_deg(np.array([350.0, 20.0, np.nan])) == pytest.approx(5)
    angle = np.random.default_rng(0).uniform(200, 320, 99)
    assert circular_mean_deg(angle) == pytest.approx(circmean(angle, 360))
    assert circular_mean_deg(np.array([0.0, 90.0, 180.0, 270.0])) is None
    assert circular_mean_deg(np.array([np.nan])) is None


def test_flat_ground_has_no_aspect_and_unknown_ground_no_relief():
    where = np.ones(GRID.shape, bool)
    flat = Relief.of("DEM", np.full(GRID.shape, 2000.0), GRID).under(where)
    assert (flat["mean_elev_m"], flat["slope_mean_deg"], flat["aspect_mean_deg"]) == (2000, 0, None)
    assert Relief.of("DEM", np.full(GRID.shape, np.nan), GRID).under(where) is None
    assert Relief.of("DEM", np.full(GRID.shape, 2000.0), GRID).under(~where) is None


def test_slopes_on_a_grid_in_degrees_are_refused():
    degrees = Grid("EPSG:4326", Affine(0.01, 0, 8, 0, -0.01, 47), 50, 40)
    with pytest.raises(WrongGrid):
        Relief.of("DEM", np.zeros(degrees.shape), degrees)
