"""What the simulated sensors deliver."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import shift as move

from workers.imagery.simulate import Profile, World
from workers.imagery.simulate.quality import qa_pixel
from workers.imagery.simulate.sensors import LANDSAT_7, LANDSAT_8, seen, stripes
from workers.imagery.simulate.terrain import horizon_deg

SUMMER = date(2015, 8, 21)


@pytest.fixture(scope="module")
def world() -> World:
    return World(11, "alps_like", size=160, glaciers=1, rates=[-0.01])


def reflectance(scene) -> np.ndarray:
    return scene.dn[:6] * 2.75e-5 - 0.2


def test_integers_hold_plausible_reflectance_and_temperature(world):
    scene = world.scene(world.one_pass("L8", SUMMER, 0.0))
    assert scene.dn.dtype == np.uint16 and scene.dn.shape == (8, 160, 160) and scene.dn[:7].min() > 0
    value = reflectance(scene)
    assert value.min() > -0.1 and value.max() <= 1.6 + 1e-4
    kelvin = scene.dn[6] * 0.00341802 + 149.0
    assert 240 < kelvin.min() < 273 < kelvin.max() < 320


def test_ice_and_snow_stay_below_melting(world):
    scene = world.scene(world.one_pass("L8", SUMMER, 0.0))
    inner = scene.ice & ~world.ground.debris
    kelvin = (scene.dn[6] * 0.00341802 + 149.0)[inner]
    assert np.median(kelvin) <= 273.15 + 0.1


def test_clean_ice_is_bright_in_the_visible_and_dark_in_the_short_wave_infrared(world):
    value = reflectance(world.scene(world.one_pass("L8", SUMMER, 0.0)))
    clean = world.ice(2015.64) & ~(world.ground.debris | world.ground.dirty) & (world.snow(SUMMER) < 0.1)
    rock = ~world.terrain.pool & (world.snow(SUMMER) < 0.1) & (world.ground.vegetation < 0.1) & ~world.ground.lakes
    assert np.median(value[1][clean]) > 2 * np.median(value[1][rock])
    assert np.median(value[4][clean]) < 0.6 * np.median(value[4][rock])


def test_slopes_that_face_the_sun_are_brighter(world):
    lit = world._light.factor(50.0, np.zeros(world.dem.shape, bool))
    down_rows, east = np.gradient(world.dem, 30.0)
    # the sun stands in the south-south-east: ground that rises to the north-north-west faces it
    towards = -down_rows * np.cos(np.radians(30)) - east * np.sin(np.radians(30))
    assert lit[towards < -0.3].mean() < 0.9 < 1.05 < lit[towards > 0.3].mean()


def test_a_low_sun_casts_more_shadow(world):
    assert world._light.shadow(10.0).mean() > world._light.shadow(25.0).mean() >= world._light.shadow(60.0).mean()


def test_a_wall_throws_its_shadow_away_from_the_sun():
    dem = np.zeros((61, 61), np.float32)
    dem[30, :] = 300.0  # a wall from west to east, the sun in the south
    shaded = horizon_deg(dem, 180.0, 30.0) > 45.0
    assert shaded[22:30, 30].all() and not shaded[31:, 30].any() and not shaded[:19, 30].any()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_clouds_cover_the_share_that_was_asked_for(world, share):
    assert world.scene(world.one_pass("L5", date(1990, 8, 1), share)).sky.cloud.mean() == pytest.approx(share, abs=0.01)


def test_the_mask_bits_are_those_of_collection_2():
    def value(oli: bool, **masks: bool) -> int:
        names = ("cloud", "wrong", "shadow", "snow", "water")
        return int(qa_pixel(*(np.full((1, 1), masks.get(name, False)) for name in names), oli)[0, 0])

    # worked values of USGS LSDS-1619
    assert value(True) == 21824 and value(True, water=True) == 21952 and value(True, snow=True) == 30048
    assert value(True, cloud=True) == 22280 and value(True, shadow=True) == 23888
    assert value(False) == 5440 and value(False, snow=True) == 13664 and value(False, cloud=True) == 5896


def test_the_mask_misses_thin_cloud_and_calls_some_snow_cloud(world):
    scene = world.scene(world.one_pass("L8", date(2015, 3, 1), 0.3))
    flagged, true = (scene.dn[7] & 8) > 0, scene.sky.cloud
    assert (~flagged & true).sum() / true.sum() == pytest.approx(0.10, abs=0.005)
    snow = (scene.snow > 0.4) & ~true
    assert (flagged & snow).sum() / snow.sum() == pytest.approx(0.05, abs=0.005)
    assert not (flagged & ~true & ~snow).any()


def test_snow_and_ice_carry_the_snow_bit_and_debris_does_not(world):
    scene = world.scene(world.one_pass("L8", SUMMER, 0.0))
    bit = (scene.dn[7] & 32) > 0
    clear = (scene.dn[7] & 8) == 0
    assert bit[scene.ice & ~world.ground.debris & clear].all()
    assert not bit[scene.ice & world.ground.debris & (scene.snow < 0.3)].any()


def test_the_scan_line_corrector_fails_on_its_day(world):
    assert not LANDSAT_7.slc_off(date(2003, 5, 30)) and LANDSAT_7.slc_off(date(2003, 5, 31))
    scene = world.scene(world.one_pass("L7", date(2010, 8, 7), 0.0))
    gap = (scene.dn[:7] == 0).all(axis=0)
    assert 0.15 < gap.mean() < 0.30
    assert (scene.dn[7][gap] == 1).all() and (scene.dn[7][~gap] & 1 == 0).all()
    assert (world.scene(world.one_pass("L7", date(2001, 8, 7), 0.0)).dn[:7] > 0).all()


def test_gaps_widen_from_the_middle_to_the_edges():
    gap = stripes(np.random.default_rng(0), (330, 257))
    assert gap[:, 128].mean() == pytest.approx(2 / 33, abs=0.02)
    assert gap[:, 0].mean() == pytest.approx(14 / 33, abs=0.02) == gap[:, -1].mean()


def test_the_recorded_offset_is_the_offset_of_the_image():
    still, moved = (World(11, Profile("p", misregistration_sd_px=sd), size=160, glaciers=1) for sd in (0.0, 0.6))
    of = still.one_pass("L8", SUMMER, 0.0)
    reference, shifted = reflectance(still.scene(of))[3], moved.scene(of)
    inner = (slice(8, -8), slice(8, -8))
    image = reflectance(shifted)[3]

    def misfit(row: float, col: float) -> float:
        return float(np.square(move(image, (-row, -col), order=3)[inner] - reference[inner]).mean())

    row, col = shifted.shift_px
    assert max(abs(row), abs(col)) > 0.2
    best = misfit(row, col)
    assert best < min(misfit(-row, -col), misfit(0, 0), misfit(row + 0.3, col), misfit(row, col - 0.3))


def test_blurring_keeps_the_mean_and_moves_the_centre():
    image = np.zeros((41, 41))
    image[20, 20] = 1.0
    blurred = seen(image, (0.3, -0.4))
    row, col = np.indices(image.shape)
    assert blurred.sum() == pytest.approx(1.0)
    assert (blurred * row).sum() == pytest.approx(20.3, abs=0.02)
    assert (blurred * col).sum() == pytest.approx(19.6, abs=0.02)


def test_the_thematic_mapper_has_256_steps_and_saturates_over_snow(world):
    scene = world.scene(world.one_pass("L5", date(1995, 3, 10), 0.0))
    assert len(np.unique(scene.dn[0])) <= 256
    assert reflectance(scene)[:3].max() <= 1.0 + 1e-4
    assert len(np.unique(world.scene(world.one_pass("L8", date(2015, 3, 10), 0.0)).dn[0])) > 1000


def test_scene_names_say_that_they_are_simulated_and_from_which_world(world):
    assert world.scene_id(world.one_pass("L5", date(1985, 8, 17))) == "SIM_L5_19850817_0011"


def test_an_unknown_sensor_is_refused_by_name(world):
    with pytest.raises(ValueError, match="'S2' is not simulated"):
        world.one_pass("S2", SUMMER)


def test_landsat_8_sees_cirrus_bits_and_comes_every_16_days():
    days = LANDSAT_8.passes((2014, 2015))
    assert {(b - a).days for a, b in pairwise(days)} == {16} and days[0].year == 2014
