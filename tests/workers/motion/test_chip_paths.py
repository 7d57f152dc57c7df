"""Paths of chips: known shifts are found, records stay small, and what is weak is said."""

from __future__ import annotations

import json

import numpy as np
import pytest
from affine import Affine
from pyproj import Geod
from scipy.ndimage import gaussian_filter

from workers.imagery.grid import Grid
from workers.motion import chip_paths


def grid_of(side: int) -> Grid:
    return Grid("EPSG:32632", Affine(30, 0, 500_000, 0, -30, 5_100_000), side, side)


def frames(side: int, step_px: int, count: int = 3) -> list[np.ndarray]:
    """A pattern that goes east by step_px columns from frame to frame."""
    wide = gaussian_filter(np.random.default_rng(0).normal(size=(side, side + count * step_px)), 1.0)
    return [wide[:, (count - k) * step_px : (count - k) * step_px + side] for k in range(count)]


def test_a_pattern_that_goes_two_pixels_a_year_is_followed_at_sixty_metres_a_year():
    found = chip_paths.follow(frames(64, 2), [365.25, 365.25], grid_of(64))
    inner = [chip for chip in found["chips"] if not any(chip["flags"])]
    assert inner
    assert all(speed == pytest.approx(60, abs=1) for chip in inner for speed in chip["m_per_year"])
    chip = inner[0]
    azimuth, _, metres = Geod(ellps="WGS84").inv(chip["lon"][0], chip["lat"][0], chip["lon"][2], chip["lat"][2])
    assert metres == pytest.approx(120, abs=2)
    assert azimuth == pytest.approx(90, abs=1)
    assert found["median_ci"] > 0.99


def test_speeds_in_polar_stereographic_are_those_on_the_ground():
    polar = Grid("EPSG:3031", Affine(30, 0, 300_000, 0, -30, -1_040_000), 64, 64)              # near 80 S
    found = chip_paths.follow(frames(64, 2), [365.25, 365.25], polar)
    (chip, *_) = [chip for chip in found["chips"] if not any(chip["flags"])]
    _, _, metres = Geod(ellps="WGS84").inv(chip["lon"][0], chip["lat"][0], chip["lon"][2], chip["lat"][2])
    assert sum(chip["m_per_year"]) == pytest.approx(metres, rel=0.01)
    assert metres == pytest.approx(120 / 0.98, rel=0.01)


def test_the_published_side_is_taken_where_it_fits_and_a_smaller_one_where_ice_is_narrow():
    lattice = [(32, 32), (32, 160), (160, 32), (160, 160)]
    assert chip_paths.chosen_places(np.zeros((320, 320))) == (128, lattice)
    narrow = np.full((112, 112), np.nan)
    narrow[:, 40:72] = 0.0
    assert chip_paths.chosen_places(narrow) == (32, [(8, 40), (40, 40), (72, 40)])


def test_too_little_ice_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match="choose clear scenes, or a larger glacier"):
        chip_paths.follow([np.full((64, 64), np.nan)] * 2, [365.0], grid_of(64))


def test_a_record_is_bounded_and_says_what_it_left_out(monkeypatch):
    monkeypatch.setattr(chip_paths, "MOST_STEPS", 8)
    monkeypatch.setattr(chip_paths, "SIDES_PX", (16,))
    found = chip_paths.follow(frames(96, 1), [365.25, 365.25], grid_of(96))
    assert len(found["chips"]) == 4
    assert found["left_out"] == 25 - 4
    assert any("21 chips" in one for one in chip_paths.warnings(found))


def test_matches_at_the_border_of_the_search_ask_for_a_larger_window():
    found = chip_paths.follow(frames(64, 6, 2), [30.0], grid_of(64), search=1.1)
    assert any("larger c" in one for one in chip_paths.warnings(found))


def test_the_record_is_plain_json_where_nothing_matched():
    first = frames(64, 1)[0]
    found = chip_paths.follow([first, np.full_like(first, np.nan)], [365.25], grid_of(64))
    assert found["median_ci"] is None
    assert found["trusted"] == 0
    assert found["chips"][0]["ci"] == [None]
    json.dumps(found, allow_nan=False)
