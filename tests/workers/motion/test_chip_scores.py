"""The evaluation table: shares, baselines, paired differences."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import bootstrap

from workers.motion import chip_scores


def test_shares_add_up_and_their_limits_belong_to_the_middle():
    found = chip_scores.summary(np.array([0.29, 0.3, 0.5, 0.7, 0.71, 0.9, 0.0, np.nan]))
    assert (found.low, found.medium, found.high) == pytest.approx((1 / 6, 3 / 6, 2 / 6))
    assert found.mean == pytest.approx((0.29 + 0.3 + 0.5 + 0.7 + 0.71 + 0.9) / 6)
    assert (found.chips, found.left_out) == (6, 2)


def test_with_no_defined_chip_the_summary_is_nan():
    assert np.isnan(chip_scores.summary(np.array([np.nan, 0.0])).mean)


def test_persistence_says_the_last_frame_and_the_median_forgets_a_cloud():
    surface = gaussian_filter(np.random.default_rng(0).normal(size=(32, 32)), 1)
    seen = np.repeat(surface[None, None], 8, 1)
    seen[0, -1, 8:24, 8:24] = 5                                        # a cloud in the last frame
    found = chip_scores.baseline_correlations(seen, np.repeat(surface[None, None], 4, 1))
    assert (found["median"] > 0.999).all()
    assert (found["persistence"] < 0.5).all()
    assert found["high-pass"].shape == (1, 4)


def test_the_high_pass_is_x_less_its_gaussian_mean():
    image = np.random.default_rng(0).random((40, 40))
    np.testing.assert_allclose(chip_scores.high_passed(image), image - gaussian_filter(image, 3), atol=1e-9)
    assert set(np.unique(chip_scores.high_passed(image, binary=True))) == {-1, 1}


def test_the_paired_difference_is_that_of_scipy_and_narrower_than_an_unpaired_one():
    rng = np.random.default_rng(0)
    place = rng.uniform(0, 0.9, 300)
    first, second = place + 0.05 + rng.normal(0, 0.02, 300), place + rng.normal(0, 0.02, 300)
    found = chip_scores.paired_difference(first, second)
    reference = bootstrap(((first - second),), np.mean, method="percentile", rng=1).confidence_interval
    assert (found.lo, found.hi) == pytest.approx((reference.low, reference.high), abs=0.001)
    assert found.mean == pytest.approx((first - second).mean())


def test_only_chips_defined_in_both_are_compared():
    found = chip_scores.paired_difference(np.array([0.5, np.nan, 0.2, 0.4]), np.array([0.1, 0.3, np.nan, 0.0]))
    assert (found.mean, found.chips) == (pytest.approx(0.4), 1)


def test_the_table_has_a_row_for_every_method_lead_and_terrain():
    rng = np.random.default_rng(0)
    methods = {name: rng.uniform(0.1, 0.9, (30, 4)) for name in ("persistence", "high-pass", "model")}
    terrain = np.array(["texture", "slope"] * 15)
    table = chip_scores.evaluation_table(methods, "model", terrain)
    assert len(table) == 3 * 4 * 3
    headline = [row for row in table if row["headline"] and row["terrain"] == "all"]
    assert {row["lead"] for row in headline} == {2}
    by_name = {row["method"]: row for row in headline}
    assert by_name["model"]["ahead"]["mean"] == 0
    assert by_name["persistence"]["ahead"]["mean"] == pytest.approx(
        by_name["model"]["mean"] - by_name["persistence"]["mean"])
    assert sum(by_name["model"][share] for share in ("low", "medium", "high")) == pytest.approx(1)


def test_the_map_shows_the_mean_of_the_chips_over_a_pixel():
    found = chip_scores.on_the_map(np.array([0.2, 0.6, np.nan]), np.array([0, 0, 4]), np.array([0, 2, 0]), 4, (8, 8))
    assert found[0, 0] == pytest.approx(0.2)
    assert found[0, 3] == pytest.approx(0.4)
    assert found[3, 5] == pytest.approx(0.6)
    assert np.isnan(found[5, 1])
