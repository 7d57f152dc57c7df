"""What the simulated radar delivers."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from workers.imagery.simulate import World
from workers.imagery.simulate.calendar import radar_days
from workers.imagery.simulate.radar import LOOKS, geometry, observed_power


@pytest.fixture(scope="module")
def world() -> World:
    return World(31, "alps_like", size=160, glaciers=1)


def test_coherence_is_low_on_ice_and_high_on_ground(world):
    mean = np.mean([world.echo(day).coherence for day in radar_days(2016)], axis=0)
    clean, ground = world.ice(2016.5) & ~world.ground.debris, ~world.terrain.pool & ~world.ground.lakes
    assert np.median(mean[clean]) < 0.30 < 0.45 < np.median(mean[ground])


def test_one_acquisition_separates_ice_worse_than_fifteen(world):
    ice, land = world.ice(2016.5) & ~world.ground.debris, ~world.terrain.pool & ~world.ground.lakes
    echoes = [world.echo(day).coherence for day in radar_days(2016)]

    def separation(image: np.ndarray) -> float:
        return float((image[land].mean() - image[ice].mean()) / np.hypot(image[land].std(), image[ice].std()))

    assert separation(np.mean(echoes, axis=0)) > 1.5 * separation(echoes[0])


def test_wet_ice_scatters_less_in_summer(world):
    clean = world.ice(2016.5) & ~world.ground.debris
    winter, summer = world.echo(date(2016, 1, 6)).co_pol, world.echo(date(2016, 8, 9)).co_pol
    fall_db = 10 * np.log10(summer[clean].mean() / winter[clean].mean())
    assert -7.5 < fall_db < -3


def test_speckle_has_the_stated_number_of_looks():
    power = observed_power(np.random.default_rng(0), np.full((400, 400), -9.0))
    assert (power.mean() / power.std()) ** 2 == pytest.approx(LOOKS, rel=0.03)


def test_slopes_that_face_the_radar_lay_over_and_those_that_turn_away_lie_in_shadow():
    ramp = np.tile(np.arange(40) * 30.0, (40, 1)).astype(np.float32)  # 45 degrees, rising to the east
    layover, shadow = geometry(ramp, 30.0)
    assert layover.all() and not shadow.any()
    layover, shadow = geometry(-2 * ramp, 30.0)
    assert shadow.all() and not layover.any()


def test_an_acquisition_is_reproducible_and_differs_from_the_next(world):
    first, again, later = (world.echo(day).coherence for day in (radar_days(2016)[0], *radar_days(2016)[:2]))
    assert np.array_equal(first, again) and not np.array_equal(first, later)
    assert first.min() >= 0 and first.max() <= 1
