"""One map of several glaciers: whose ice, how much of it, how surely."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from affine import Affine

from workers.imagery.grid import Grid
from workers.segmentation import outlines
from workers.segmentation.calibrate import confidence
from workers.segmentation.observation import area_error, observe
from workers.segmentation.relief import Relief

GRID = Grid("EPSG:32632", Affine(30, 0, 480_000, 0, -30, 5_200_000), 120, 100)
COL = np.indices(GRID.shape)[1]
PIXEL = float(GRID.pixel_area_km2().mean())


def domain(left: int, top: int, right: int, bottom: int) -> shapely.MultiPolygon:
    return outlines.to_lonlat([shapely.box(left, top, right, bottom)], GRID)


DOMAINS = {"west": domain(10, 10, 60, 90), "east": domain(50, 10, 110, 90)}       # they overlap between 50 and 60


def two_glaciers() -> np.ndarray:
    probability = np.full(GRID.shape, 0.05, np.float32)
    probability[20:80, 20:100] = 0.95
    return probability


def test_no_ice_is_counted_for_two_glaciers():
    seen = observe(two_glaciers(), GRID, DOMAINS, None)
    assert {area.glac_id for area in seen.areas} == {"west", "east"}
    assert sum(area.km2 for area in seen.areas) == pytest.approx(60 * 80 * PIXEL, rel=1e-3)
    west, east = (next(o for o in seen.outlines if o.glac_id == name) for name in ("west", "east"))
    assert west.geometry.intersection(east.geometry).area == 0
    assert west.area_km2 + east.area_km2 == pytest.approx(60 * 80 * PIXEL, rel=5e-3)


def test_outline_and_area_of_one_glacier_agree():
    seen = observe(two_glaciers(), GRID, DOMAINS, None)
    for outline in seen.outlines:
        (area,) = (one for one in seen.areas if one.glac_id == outline.glac_id)
        assert outline.area_km2 == pytest.approx(area.km2, rel=0.02)


def test_the_threshold_counts_for_outlines_and_areas_alike():
    probability = two_glaciers()
    probability[:, 60:] *= 0.5
    strict = {a.glac_id: a.km2 for a in observe(probability, GRID, DOMAINS, None, threshold=0.6).areas}
    loose = {a.glac_id: a.km2 for a in observe(probability, GRID, DOMAINS, None, threshold=0.4).areas}
    assert strict["east"] < loose["east"] / 3


def test_a_glacier_out_of_sight_has_no_area_and_one_without_ice_has_zero():
    probability = two_glaciers()
    probability[:, 60:] = np.nan
    probability[:, :50] = 0.01
    domains = {"west": domain(10, 10, 50, 90), "east": domain(60, 10, 110, 90)}
    (west,) = observe(probability, GRID, domains, None).areas
    assert west.glac_id == "west" and west.km2 == 0 and "zero_area" in west.flags


def test_ice_outside_every_domain_is_an_outline_without_a_glacier_or_interval():
    seen = observe(two_glaciers(), GRID, {"west": DOMAINS["west"]}, area_error([0.0, 0.1, -0.1]))
    (rest,) = (one for one in seen.outlines if one.glac_id is None)
    assert rest.area_km2 > 1 and rest.lo_km2 is None


def test_ice_outside_every_domain_has_its_own_confidence_ground_and_the_flags_of_its_scene():
    probability = two_glaciers()
    probability[20:80, 60:100] = 0.6
    height = np.where(COL < 60, 3000.0, 2000.0 + COL)
    seen = observe(probability, GRID, {"west": DOMAINS["west"]}, None, scene_flags=["slc_off"],
                   ground=Relief.of("DEM", height, GRID))
    west, rest = sorted(seen.outlines, key=lambda one: one.glac_id is None)
    assert west.mean_confidence == pytest.approx(float(confidence(np.array(0.95))))
    assert rest.mean_confidence == pytest.approx(float(confidence(np.array(0.6))))
    assert rest.flags == ("slc_off", "low_confidence") and west.flags == ("slc_off",)
    assert west.relief["max_elev_m"] == 3000
    assert (rest.relief["min_elev_m"], rest.relief["max_elev_m"]) == (2060, 2099)
    assert all(one.relief is None for one in observe(probability, GRID, DOMAINS, None).outlines)


def test_intervals_stand_around_the_area_with_their_method():
    seen = observe(two_glaciers(), GRID, DOMAINS, area_error([0.02, -0.05, 0.01, 0.03]))
    for area in seen.areas:
        assert area.lo_km2 < area.km2 < area.hi_km2
        assert area.interval_method == "prediction interval of only 4 held-out errors"
    assert observe(two_glaciers(), GRID, DOMAINS, area_error([0.1])).areas[0].lo_km2 is None


def test_an_area_of_zero_does_not_claim_to_be_certain():
    seen = observe(np.zeros(GRID.shape, np.float32), GRID, DOMAINS, area_error([0.02, -0.05, 0.01, 0.03]))
    for area in seen.areas:
        assert (area.km2, area.lo_km2, area.hi_km2) == (0, None, None)
        assert area.interval_method == "none: relative errors say nothing of an area of 0"


def test_doubtful_ice_is_flagged():
    probability = np.where(two_glaciers() > 0.5, 0.7, 0.1).astype(np.float32)
    seen = observe(probability, GRID, DOMAINS, None, scene_flags=("shadow",))
    assert all({"low_confidence", "shadow"} <= set(one.flags) for one in seen.outlines)
