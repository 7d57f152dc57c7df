"""What a simulated world promises about its truth."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import linregress

from workers.imagery.simulate import PROFILES, Profile, Step, World

GAPLESS = Profile("still", misregistration_sd_px=0.0)


@pytest.fixture(scope="module")
def sample() -> World:
    return World(3, "alps_like")


@pytest.fixture(scope="module")
def small() -> World:
    return World(5, "easy", size=128, glaciers=1, rates=[-0.01])


def test_the_sample_world_has_three_separate_glaciers_of_a_few_square_kilometres(sample):
    assert [glacier.rate for glacier in sample.glaciers] == [-0.01, -0.002, 0.0]
    assert all(glacier.n_start >= 1500 for glacier in sample.glaciers)
    pools = [valley.pool for valley in sample.terrain.valleys]
    assert not (pools[0] & pools[1]).any() and not (pools[1] & pools[2]).any()


def test_the_sample_world_lies_in_the_open_ocean(sample):
    lon, lat = sample.grid.centre
    assert sample.grid.crs == "EPSG:32626" and -30 < lon < -27 and 44 < lat < 47


@pytest.mark.parametrize("seed", [0, 7, 30])
def test_the_slope_of_the_logarithm_of_the_area_is_the_rate(seed):
    large = [glacier for glacier in World(seed).glaciers if glacier.n_start >= 5000]
    assert large
    for glacier in large:
        times = np.linspace(1985, 2025, 240)
        slope = linregress(times, np.log([glacier.ice(time).sum() for time in times])).slope
        assert abs(slope - glacier.rate) <= 2e-5


def test_a_growing_glacier_grows_at_its_rate():
    (glacier,) = World(2, size=256, rates=[0.005]).glaciers
    times = np.linspace(1985, 2025, 100)
    slope = linregress(times, np.log([glacier.ice(time).sum() for time in times])).slope
    assert abs(slope - 0.005) <= 5e-5


def test_a_surge_adds_its_gain_within_a_year():
    (glacier,) = World(2, size=192, rates=[Step(-0.002, 2000.0, 0.2)]).glaciers
    before, after = glacier.pixels(2000.0), glacier.pixels(2001.0)
    assert np.log(after / before) == pytest.approx(0.2 - 0.002, abs=2e-3)


def test_later_ice_lies_inside_earlier_ice(sample):
    for glacier in sample.glaciers:
        masks = [glacier.ice(year) for year in range(1985, 2025, 3)]
        assert all(not (later & ~earlier).any() for earlier, later in pairwise(masks))


def test_labels_are_the_glaciers_masks(sample):
    labels = sample.labels(1999.5)
    assert [int((labels == k).sum()) for k in (1, 2, 3)] == [glacier.pixels(1999.5) for glacier in sample.glaciers]


def test_the_true_area_counts_the_pixels_and_the_projections_scale(sample):
    nominal = sample.glaciers[0].pixels(1990.0) * 900 / 1e6
    assert sample.area_km2(0, 1990.0) == pytest.approx(nominal, rel=2e-3)
    assert sample.area_km2(0, 1990.0) != nominal  # EPSG:32626 is not true to scale here


def test_the_same_seeds_give_the_same_scene_whatever_was_made_before(small):
    of = small.one_pass("L5", date(1995, 8, 20), 0.2)
    small.scene(small.one_pass("L8", date(2016, 1, 3)))
    again = World(5, "easy", size=128, glaciers=1, rates=[-0.01])
    assert np.array_equal(small.scene(of).dn, again.scene(of).dn)


def test_another_seed_gives_another_world(small):
    assert not np.allclose(World(6, "easy", size=128, glaciers=1).dem, small.dem)


def test_two_worlds_of_neighbouring_seeds_do_not_overlap():
    first, second = World(0, size=256).grid.bounds, World(1, size=256).grid.bounds
    assert first[2] <= second[0]


def test_ice_lies_on_smoother_ground_than_rock(sample):
    rough = np.abs(np.diff(sample.dem, n=2, axis=1))
    pool = sample.terrain.pool[:, 1:-1]
    assert np.median(rough[pool]) < 0.3 * np.median(rough[~pool])


def test_snow_reaches_low_in_winter_and_clears_the_ice_in_late_summer(sample):
    ice = sample.terrain.pool
    assert sample.snow(date(2001, 2, 20))[ice].mean() > 0.95
    assert sample.snow(date(2001, 8, 25))[ice].mean() < 0.3


def test_a_southern_world_has_its_snow_half_a_year_later():
    south = World(4, size=128, glaciers=1, southern=True)
    assert south.grid.crs == "EPSG:32726" and south.grid.centre[1] < -40
    assert south.snow(date(2001, 2, 20)).mean() < 0.3 < 0.9 < south.snow(date(2001, 8, 25)).mean()


def test_texture_moves_with_the_ice(small):
    texture, displacement = small._texture, 2 * small.velocity_m_per_year / 30
    first, second = texture.at(1998.5), texture.at(2000.5)  # one epoch
    east, north = displacement
    rows, cols = np.nonzero(np.hypot(east, north) > 0.8 * np.hypot(east, north).max())
    to_rows, to_cols = np.rint(rows - north[rows, cols]).astype(int), np.rint(cols + east[rows, cols]).astype(int)
    moved = np.corrcoef(first[rows, cols], second[to_rows, to_cols])[0, 1]
    stayed = np.corrcoef(first[rows, cols], second[rows, cols])[0, 1]
    assert moved > 0.8 > stayed + 0.2


def test_ice_stands_still_outside_its_margin(small):
    assert (small.velocity_m_per_year[:, ~small.terrain.pool] == 0).all()
    assert np.hypot(*small.velocity_m_per_year).max() == pytest.approx(small.glaciers[0].v_max_m_per_year, rel=0.02)


def test_tributaries_and_nunataks_can_be_asked_for():
    plain, branched = World(8, GAPLESS), World(8, Profile("branched", tributaries=2, nunataks=2))
    assert branched.terrain.pool.sum() != plain.terrain.pool.sum()
    assert set(PROFILES) == {"easy", "alps_like"}


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"seed": -1}, "seed"),
        ({"profile": "steep"}, "easy, alps_like"),
        ({"glaciers": 9}, "9 glaciers"),
        ({"size": 20}, "size is 20"),
        ({"years": (1950, 2000)}, "1985 to 2024"),
        ({"glaciers": 2, "rates": [0.0]}, "one rate a glacier"),
    ],
)
def test_impossible_settings_are_refused_by_name(asked, named):
    with pytest.raises(ValueError, match=named):
        World(**{"seed": 1, "glaciers": asked.get("glaciers", 1), **asked})
