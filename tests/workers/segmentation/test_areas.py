"""Square kilometres from probabilities, with the flags an observation may carry."""

from __future__ import annotations

import math

import numpy as np
import pytest
from affine import Affine

from workers.imagery.grid import Grid
from workers.segmentation.areas import PAPER_PIXEL_KM2, area_km2, measure

GRID = Grid("EPSG:32632", Affine(30, 0, 480_000, 0, -30, 5_200_000), 40, 30)
PIXEL = float(GRID.pixel_area_km2().mean())


def test_the_three_rules_by_hand():
    p = np.zeros(GRID.shape)
    p[0, :4] = [1.0, 0.5, 0.4, np.nan]
    assert area_km2(p, GRID) == pytest.approx(2 * PIXEL, rel=1e-4)
    assert area_km2(p, GRID, rule="soft") == pytest.approx(1.9 * PIXEL, rel=1e-4)
    assert area_km2(p, GRID, rule="soft_above_half") == pytest.approx(1.5 * PIXEL, rel=1e-4)
    with pytest.raises(ValueError, match="hard, soft or soft_above_half"):
        area_km2(p, GRID, rule="mean")


def test_areas_are_counted_as_published_on_request():
    p = np.zeros(GRID.shape)
    p[:5, :7] = 0.8
    assert area_km2(p, GRID, pixel_km2=PAPER_PIXEL_KM2) == pytest.approx(35 * 0.0009, rel=1e-12)
    assert area_km2(p, GRID, rule="soft", pixel_km2=PAPER_PIXEL_KM2) == pytest.approx(28 * 0.0009, rel=1e-12)


def test_ice_of_neighbours_outside_the_domain_does_not_count():
    domain = np.indices(GRID.shape)[1] < 10
    assert area_km2(np.ones(GRID.shape), GRID, domain) == pytest.approx(300 * PIXEL, rel=1e-4)


def test_pixels_have_their_true_area_in_degrees_and_in_oblong_rotated_grids():
    degrees = Grid("EPSG:4326", Affine(0.001, 0, 7, 0, -0.001, 60), 20, 20)
    metres = 111_412 * 0.001 * math.cos(math.radians(59.99)) * 55_800 * 2 * 0.001        # WGS 84 at 60 degrees
    assert area_km2(np.ones((20, 20)), degrees) == pytest.approx(400 * metres / 1e6, rel=5e-3)
    turned = Grid("EPSG:32632", Affine(30, 8, 480_000, 6, -20, 5_200_000), 20, 20)
    assert area_km2(np.ones((20, 20)), turned) == pytest.approx(400 * (30 * 20 + 8 * 6) / 1e6, rel=2e-3)


def test_a_scene_without_a_pixel_seen_is_no_observation_and_not_zero():
    unseen = np.full(GRID.shape, np.nan)
    assert measure(unseen, GRID) is None and math.isnan(area_km2(unseen, GRID))
    assert measure(np.ones(GRID.shape), GRID, np.zeros(GRID.shape, bool)) is None


def test_no_ice_is_an_area_of_zero_with_its_flag():
    found = measure(np.zeros(GRID.shape), GRID)
    assert found is not None and found.hard_km2 == 0 and found.flags == ("zero_area",)


def test_hard_and_soft_areas_that_disagree_are_flagged():
    p = np.zeros(GRID.shape)
    p[:10] = 1.0
    p[10:] = 0.2                                        # 10 rows of ice, 20 rows of doubt: soft is 40 % larger
    found = measure(p, GRID)
    assert found is not None and "soft_hard_apart" in found.flags
    assert measure(np.where(p == 1, 1.0, 0.01), GRID).flags == ()


def test_a_domain_seen_by_less_than_95_percent_is_not_comparable():
    p = np.ones(GRID.shape)
    p[:2] = np.nan
    found = measure(p, GRID)
    assert found.flags == ("partial_coverage",) and found.valid_fraction == pytest.approx(28 / 30)


def test_a_map_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="does not lie"):
        area_km2(np.ones((3, 3)), GRID)
