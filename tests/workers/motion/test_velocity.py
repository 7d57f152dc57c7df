"""Velocity by hand: units, directions, stable terrain, uncertainty."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from affine import Affine
from pyproj import Proj
from scipy.stats import median_abs_deviation

from workers.imagery.grid import Grid
from workers.motion import velocity as motion


def uniform(u, v, size=20):
    return np.full((size, size, 2), (u, v), np.float32)


def test_one_pixel_of_thirty_metres_in_a_year_is_thirty_metres_a_year():
    found = motion.velocity(uniform(1, 0), 30.0, 365.25)
    np.testing.assert_allclose(found.east, 30)
    np.testing.assert_allclose(found.north, 0)
    np.testing.assert_allclose(found.speed, 30)


@pytest.mark.parametrize(("u", "v", "bearing"), [(0, -1, 0), (1, -1, 45), (1, 0, 90), (0, 1, 180), (-1, 0, 270)])
def test_bearings_run_clockwise_from_north_and_rows_run_south(u, v, bearing):
    np.testing.assert_allclose(motion.velocity(uniform(u, v), 30.0, 100).bearing, bearing, atol=1e-4)


def test_a_tenth_of_a_pixel_in_two_weeks_is_78_metres_a_year():
    found = motion.velocity(uniform(0.1, 0), 30.0, 14)
    assert found.speed[0, 0] == pytest.approx(78.27, abs=0.01)
    assert "short_interval" not in found.flags
    assert "short_interval" in motion.velocity(uniform(0.1, 0), 30.0, 13).flags


@pytest.mark.parametrize("days", [0, -16])
def test_images_in_the_wrong_order_are_refused(days):
    with pytest.raises(ValueError, match="later"):
        motion.velocity(uniform(1, 1), 30.0, days)


def test_the_median_shift_of_stable_terrain_is_subtracted():
    flow = uniform(0.4, -0.2)
    flow[:5] += (2, 1)                                                   # the ice
    stable = np.ones((20, 20), bool)
    stable[:5] = False
    found = motion.velocity(flow, 30.0, 365.25, stable)
    np.testing.assert_allclose(found.east[0], 60, rtol=1e-5)
    np.testing.assert_allclose(found.north[0], -30, rtol=1e-5)
    np.testing.assert_allclose(found.speed[10:], 0, atol=1e-4)
    assert found.shift_px == pytest.approx((0.4, -0.2))
    raw = motion.velocity(flow, 30.0, 365.25, stable, correct=False)
    np.testing.assert_allclose(raw.east[0], 72, rtol=1e-5)
    assert raw.shift_px == (0, 0)


def test_the_uncertainty_is_the_nmad_of_the_speed_of_stable_terrain():
    flow = np.random.default_rng(0).normal(0, 0.2, (40, 40, 2)).astype(np.float32)
    stable = np.zeros((40, 40), bool)
    stable[20:] = True
    found = motion.velocity(flow, 30.0, 100.0, stable)
    assert found.uncertainty == pytest.approx(median_abs_deviation(found.speed[20:], axis=None) * 1.4826, rel=1e-4)


def test_without_stable_terrain_the_uncertainty_is_unknown_and_flagged():
    flow = uniform(1, 0)
    for stable in (None, np.zeros((20, 20), bool)):
        found = motion.velocity(flow, 30.0, 100.0, stable)
        assert np.isnan(found.uncertainty)
        assert "no_stable_terrain" in found.flags


def test_unknown_flow_stays_unknown():
    flow = uniform(1, 0)
    flow[3, 4] = np.nan
    found = motion.velocity(flow, 30.0, 100.0, np.ones((20, 20), bool))
    assert np.isnan(found.speed).sum() == np.isnan(found.bearing).sum() == 1


def test_stable_terrain_is_off_the_ice_flat_and_without_snow():
    ice = np.array([True, False, False, False])
    slope = np.array([5.0, 25.0, 24.9, 5.0])
    snow = np.array([False, False, False, True])
    np.testing.assert_array_equal(motion.stable_terrain(ice, slope, snow), [False, False, True, False])


def test_in_polar_stereographic_a_pixel_on_the_ground_is_divided_by_the_scale_factor():
    grid = Grid("EPSG:3031", Affine(30, 0, 0, 0, -30, -1_000_000), 4, 4)
    proj = Proj("EPSG:3031")
    lon, lat = proj(60, -1_000_060, inverse=True)
    scale = proj.get_factors(lon, lat).meridional_scale
    assert np.broadcast_to(motion.ground_pixel_m(grid), (4, 4))[2, 2] == pytest.approx(30 / scale, rel=1e-5)


def test_the_middle_of_a_quarter():
    assert motion.mid_period(date(2021, 1, 1), 3) == date(2021, 2, 15)
    assert motion.mid_period(date(2021, 10, 1), 3) == date(2021, 11, 16)
    assert motion.mid_period(date(2021, 7, 1), 6) == date(2021, 10, 1)
