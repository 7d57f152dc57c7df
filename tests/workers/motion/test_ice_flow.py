"""Flow of simulated ice, about 3 px a year, whose velocity is known everywhere."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy.ndimage import shift

from workers.imagery.simulate import World
from workers.motion.chips import find
from workers.motion.farneback import dense_flow, surface_displacement
from workers.motion.velocity import stable_terrain, velocity

FIRST, SECOND = date(2019, 9, 1), date(2020, 9, 1)
NIR = 3


class Pair:
    """Two late summers of one world, clear, and what moved in between."""

    def __init__(self, seed):
        world = World(seed, "easy", 192, (2013, 2024), rates=(0.0, 0.0))
        self.first, self.second = (world.reflectance(world.one_pass("L8", day, 0.0))[NIR] for day in (FIRST, SECOND))
        self.days = (SECOND - FIRST).days
        east, north = world.velocity_m_per_year * self.days / 365.25 / 30
        self.true = np.stack([east, -north], -1)
        self.ice = world.ice(2019.67) & world.ice(2020.67)
        snow = np.maximum(world.snow(FIRST), world.snow(SECOND)) > 0.02
        slope = np.degrees(np.arctan(np.hypot(*np.gradient(world.dem, 30.0))))
        self.stable = stable_terrain(self.ice, slope, snow)
        self.bare = self.ice & ~snow & (np.hypot(east, north) > 0.2)

    def errors(self, flow):
        return np.hypot(*np.moveaxis(flow - self.true, -1, 0))[self.bare]


@pytest.fixture(scope="module")
def pair():
    return Pair(41)


def test_clean_ice_is_followed_within_the_bar(pair):
    errors = pair.errors(surface_displacement(pair.first, pair.second, pair.ice))
    assert np.hypot(*np.moveaxis(pair.true, -1, 0))[pair.bare].mean() > 2
    assert np.nanmedian(errors) <= 0.3
    assert np.mean(errors <= 0.5) >= 0.65


def test_ice_measured_apart_from_the_ground_is_measured_better(pair):
    together = pair.errors(dense_flow(pair.first, pair.second, high_pass_px=5.0))
    apart = pair.errors(surface_displacement(pair.first, pair.second, pair.ice))
    assert np.nanmedian(apart) < 0.9 * np.nanmedian(together)


@pytest.mark.parametrize("seed", [0, 1])
def test_noise_and_misregistration_are_borne_after_stable_terrain_correction(pair, seed):
    rng = np.random.default_rng(seed)
    moved = shift(pair.second, rng.normal(0, 0.2, 2), order=3, mode="nearest")
    first, second = (image + rng.normal(0, 0.008, image.shape) for image in (pair.first, moved))
    flow = surface_displacement(first, second, pair.ice)
    assert np.nanmedian(pair.errors(flow)) <= 0.7
    corrected = velocity(flow, 30.0, 365.25, pair.stable)
    assert np.nanmedian(pair.errors(flow - np.array(corrected.shift_px))) <= 0.3
    assert corrected.uncertainty < 15


def chip_errors(pair, first, second):
    inner = pair.bare.copy()
    inner[:12], inner[-12:], inner[:, :12], inner[:, -12:] = (False,) * 4
    errors = []
    for row, col in np.argwhere(inner)[::97]:
        match = find(first[row - 10 : row + 11, col - 10 : col + 11], second, row - 10, col - 10, search=1.7)
        errors.append(np.hypot(match.d_col - pair.true[row, col, 0], match.d_row - pair.true[row, col, 1]))
    return np.array(errors)


def test_chips_of_21_px_are_found_within_the_bar_when_the_ground_is_blanked_out(pair):
    blanked = (np.where(pair.ice, image, np.nan) for image in (pair.first, pair.second))
    errors = chip_errors(pair, *blanked)
    assert len(errors) > 40
    assert np.nanmedian(errors) <= 0.7
    assert np.mean(errors <= 1) >= 0.55                        # a chip that is not found counts as missed
    assert np.nanmedian(errors) < np.nanmedian(chip_errors(pair, pair.first, pair.second))
