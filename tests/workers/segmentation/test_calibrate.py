"""Probabilities that mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from scipy.special import expit
from scipy.stats import entropy

from workers.imagery.grid import Grid
from workers.segmentation import calibrate

RNG = np.random.default_rng(0)


def overconfident(temperature: float, n: int = 40_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities whose log-odds are `temperature` times too large, and truth drawn from the right ones."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1.5, n)
    return expit(z * temperature), (rng.random(n) < expit(z)).astype(float)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5, 6.0])
def test_the_temperature_that_was_built_in_is_found(temperature):
    assert calibrate.fit_temperature(*overconfident(temperature)) == pytest.approx(temperature, rel=0.05)


def test_calibration_lowers_the_expected_calibration_error_below_three_percent():
    p, y = overconfident(4.0)
    before = calibrate.reliability(p, y)
    after = calibrate.reliability(calibrate.tempered(p, calibrate.fit_temperature(p, y)), y)
    assert before.ece > 0.1 and after.ece < 0.03
    assert after.nll < before.nll and after.brier < before.brier


def test_temperature_never_moves_a_pixel_across_one_half():
    p = np.array([0.0, 0.2, 0.49, 0.5, 0.51, 1.0])
    for temperature in (0.05, 1, 20):
        np.testing.assert_array_equal(calibrate.tempered(p, temperature) >= 0.5, p >= 0.5)


def test_temperature_is_found_between_its_limits_when_the_map_is_perfect():
    y = np.array([0.0, 1.0] * 50)
    assert calibrate.fit_temperature(np.where(y > 0, 0.9, 0.1), y) == pytest.approx(np.exp(-3), rel=0.01)


def test_regions_with_fewer_than_ten_tiles_share_the_common_temperature():
    p, y = overconfident(3.0, 3_000)
    region = np.where(np.arange(3_000) < 2_000, "ALP", "NZ")
    tile = np.arange(3_000) // 150                      # 14 tiles in ALP, 7 in NZ
    found = calibrate.temperatures_by_region(p, y, region, tile)
    assert set(found) == {"ALP"} and found["ALP"] == pytest.approx(3.0, rel=0.2)


def test_confidence_is_zero_for_the_toss_of_a_coin_and_one_for_certainty():
    np.testing.assert_allclose(calibrate.confidence(np.array([0.5, 0.0, 1.0])), [0, 1, 1], atol=3e-5)
    p = np.array([0.03, 0.3, 0.8])
    np.testing.assert_allclose(calibrate.entropy_bits(p), [entropy([q, 1 - q], base=2) for q in p], rtol=1e-9)


def test_unknown_pixels_have_unknown_confidence_and_teach_no_temperature():
    assert np.isnan(calibrate.confidence(np.array([np.nan])))
    p, y = overconfident(2.0)
    holed_p, holed_y = np.concatenate([p, [np.nan] * 9, [0.9] * 9]), np.concatenate([y, [0] * 9, [np.nan] * 9])
    assert calibrate.fit_temperature(holed_p, holed_y) == calibrate.fit_temperature(p, y)


def test_reliability_by_hand():
    p = np.array([0.95, 0.95, 0.05, 0.6, 1.0])
    y = np.array([1, 0, 0, 1, 1])
    found = calibrate.reliability(p, y)
    # bins of 1/15: 0.95 lies in the last one, 1.0 too because it is closed, 0.6 on the lower edge of bin 9
    assert found.count[14] == 4 and found.count.sum() == 5
    sure = np.array([0.95, 0.95, 0.95, 1.0])
    assert found.confidence[14] == pytest.approx(sure.mean()) and found.accuracy[14] == 0.75
    assert found.ece == pytest.approx(4 / 5 * abs(0.75 - sure.mean()) + 1 / 5 * 0.4)
    assert found.brier == pytest.approx(np.mean((p - y) ** 2))
    assert found.nll == pytest.approx(-np.mean(np.log([0.95, 0.05, 0.95, 0.6, 1 - 1e-7])), rel=1e-6)
    assert np.isnan(found.confidence[0]) and found.to_dict()["confidence"][0] is None


def test_without_a_labelled_pixel_nothing_can_be_calibrated():
    with pytest.raises(ValueError, match="labelled pixels"):
        calibrate.reliability(np.array([0.4]), np.array([np.nan]))


def test_a_map_and_a_truth_of_two_shapes_are_refused():
    for ask in (calibrate.fit_temperature, calibrate.reliability):
        with pytest.raises(ValueError, match="must have one shape"):
            ask(np.full((4, 4), 0.5), np.ones(16))


def test_near_the_margin_is_a_band_on_both_sides():
    grid = Grid("EPSG:32632", Affine(30, 0, 480_000, 0, -30, 5_200_000), 100, 100)
    truth = np.zeros(grid.shape)
    truth[:, :50] = 1
    band = calibrate.near_margin(truth, grid, metres=300)
    columns = np.flatnonzero(band[50])
    assert columns.min() in (40, 41) and columns.max() in (58, 59)
    assert not calibrate.near_margin(np.ones(grid.shape), grid).any()


def test_the_margin_is_measured_in_metres_also_where_pixels_are_oblong():
    grid = Grid("EPSG:32632", Affine(10, 0, 499_800, 0, -100, 5_200_000), 40, 30)
    east, south = np.zeros(grid.shape), np.zeros(grid.shape)
    east[:, 20:], south[15:] = 1, 1
    assert np.flatnonzero(calibrate.near_margin(east, grid, metres=55)[15]).tolist() == list(range(15, 25))
    assert np.flatnonzero(calibrate.near_margin(south, grid, metres=105)[:, 20]).tolist() == [14, 15]


def test_the_edge_of_the_labels_is_no_margin():
    grid = Grid("EPSG:32632", Affine(30, 0, 480_000, 0, -30, 5_200_000), 60, 50)
    truth = np.ones(grid.shape)
    truth[:, 30:40], truth[:, 40:] = np.nan, 0
    near = calibrate.near_margin(truth, grid, metres=200)
    assert not near.any()                                   # ice and land lie more than 300 m apart
    assert not calibrate.near_margin(truth, grid, metres=400)[:, 30:40].any()
