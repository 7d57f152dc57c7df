"""Intervals of areas and changes: they cover what they promise, and their arithmetic is checked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from affine import Affine

from workers.imagery.grid import Grid
from workers.segmentation import intervals
from workers.segmentation.intervals import ErrorModel

GRID = Grid("EPSG:32632", Affine(30, 0, 480_000, 0, -30, 5_200_000), 220, 230)


def mapped(n: int, bias: float = 0.08, spread: float = 0.05, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Areas of a mapper that is `bias` too large, and the true ones; km2."""
    rng = np.random.default_rng(seed)
    truth = rng.lognormal(0.5, 1, n)
    return truth * (1 + rng.normal(bias, spread, n)), truth


def errors(n: int, **settings) -> np.ndarray:
    measured, truth = mapped(n, **settings)
    return measured / truth - 1


@pytest.mark.parametrize("known", [400, 10])
def test_the_default_interval_covers_truth_although_the_mapper_is_biased(known):
    covered = []
    for world in range(20):
        model = ErrorModel.of(errors(known, seed=world))
        measured, truth = mapped(200, seed=100 + world)
        ends = np.array([model.interval_km2(area) for area in measured])
        covered.append(((ends[:, 0] <= truth) & (truth <= ends[:, 1])).mean())
    assert 0.92 <= np.mean(covered) <= 0.98


def test_few_errors_give_a_wider_interval_and_say_so():
    few, many = ErrorModel.of(errors(5)), ErrorModel.of(errors(500))
    assert np.diff(few.interval_km2(1.0)) > np.diff(many.interval_km2(1.0))
    assert few.of_class(1.0).method == "prediction interval of only 5 held-out errors"
    assert many.of_class(1.0).method == "percentiles of 500 held-out errors"


def test_a_prediction_interval_is_students():
    sample = np.array([0.02, 0.05, 0.11])
    half = 4.302652729911275 * sample.std(ddof=1) * math.sqrt(4 / 3)        # t(0.975, 2)
    known = ErrorModel.of(sample).of_class(1.0)
    assert (known.low, known.high) == pytest.approx((0.06 - half, 0.06 + half))


def test_the_interval_of_a_perfect_mapper_is_the_area_itself():
    assert ErrorModel.of([0.0] * 50).interval_km2(2.0) == (2.0, 2.0)


def test_errors_are_inverted_not_added():
    model = ErrorModel({"all": intervals.ErrorRange(-0.2, 0.25, 40, "by hand")})
    assert model.interval_km2(10.0) == (8.0, 12.5)


def test_fewer_than_three_glacier_dates_give_no_interval():
    with pytest.raises(intervals.TooFewGlacierDates, match="3 held-out glacier-dates, got 2"):
        ErrorModel.of([0.1, None, 0.2, math.nan])


def test_sizes_and_debris_with_enough_cases_have_their_own_interval():
    rng = np.random.default_rng(0)
    truth = np.concatenate([np.full(60, 0.3), np.full(60, 8.0), np.full(10, 2.0)])
    debris = np.arange(130) % 2 == 0
    error = np.where(truth < 1, 0.2, 0.02) * rng.normal(size=130)
    by_size = ErrorModel.of(error, truth)
    assert set(by_size.classes) == {"all", "size 0", "size 3"}
    width = {a: np.diff(by_size.interval_km2(a))[0] / a for a in (0.3, 2.0, 8.0)}
    assert width[8.0] < width[2.0] < width[0.3]             # the middle one falls back to all
    assert ErrorModel.of(error, truth, debris).classes.keys() == {"all"}         # 30 a class are too few


def test_a_glacier_missed_altogether_leaves_the_upper_end_finite():
    sample = errors(60)
    sample[:10] = -1
    assert ErrorModel.of(sample).interval_km2(1.0)[1] == pytest.approx(20.0)


def test_half_a_pixel_in_and_out_of_a_disc():
    row, col = np.indices(GRID.shape)
    disc = np.hypot(row - 115, col - 110) <= 80
    low, high = intervals.half_pixel_bounds_km2(disc, GRID)
    radius, half = 80 * 0.03, 0.015
    assert low == pytest.approx(math.pi * (radius - half) ** 2, rel=3e-3)
    assert high == pytest.approx(math.pi * (radius + half) ** 2, rel=3e-3)
    assert intervals.half_pixel_bounds_km2(np.zeros(GRID.shape, bool), GRID) == (0.0, 0.0)


def test_blocks_keep_the_sum_and_leave_out_what_is_outside_the_domain():
    area = np.random.default_rng(0).random(GRID.shape)
    sums = intervals.block_sums(area, GRID)
    assert len(sums) == 3 * 3                               # 107 pixels a side on 230 x 220
    assert sums.sum() == pytest.approx(area.sum())
    west = np.indices(GRID.shape)[1] < 100
    assert len(intervals.block_sums(area, GRID, west)) == 3


def test_blocks_are_square_on_the_ground_where_pixels_are_oblong():
    grid = Grid("EPSG:32632", Affine(20, 0, 500_000, 0, -80, 5_200_000), 320, 80)       # 6.4 km x 6.4 km
    assert len(intervals.block_sums(np.ones(grid.shape), grid)) == 4
    assert np.ptp(intervals.block_sums(np.ones(grid.shape), grid)) == 0


def test_the_bootstrap_of_a_total_has_the_spread_theory_gives():
    sums = np.random.default_rng(2).gamma(2, 1, 80)
    totals = intervals.block_bootstrap(sums, resamples=4_000)
    assert totals.mean() == pytest.approx(sums.sum(), rel=0.01)
    assert totals.std() == pytest.approx(math.sqrt(80) * sums.std(), rel=0.05)


def test_pairing_cancels_what_is_common_to_both_dates():
    rng = np.random.default_rng(3)
    first = rng.gamma(2, 1, 60)
    second = first * (0.95 + 0.01 * rng.normal(size=60))
    totals = intervals.block_bootstrap(np.stack([first, second]))
    paired = intervals.paired_change(first.sum(), second.sum(), *totals, years=10)
    alone = intervals.paired_change(first.sum(), second.sum(), totals[0], intervals.block_bootstrap(second, seed=9), 10)
    assert paired.significant and paired.probability_of_loss == 1
    assert not alone.significant
    assert np.diff(paired.relative_interval) < np.diff(alone.relative_interval) / 10
    assert paired.relative_interval[0] < -0.05 < paired.relative_interval[1] + 0.005
    assert paired.per_year == pytest.approx(paired.relative / 10)
    assert paired.per_year_interval == pytest.approx(np.array(paired.relative_interval) / 10)


def test_no_change_is_not_significant():
    samples = np.random.default_rng(0).normal(5, 0.2, 500)
    again = samples + np.random.default_rng(1).normal(0, 0.1, 500)
    change = intervals.paired_change(5.0, 5.0, samples, again, years=4)
    assert change.km2 == 0 and not change.significant and 0.4 < change.probability_of_loss < 0.6


@pytest.mark.parametrize(("first", "second", "years", "said"), [
    (np.ones(3), np.ones(4), 1, "paired"), (np.ones(3), np.ones(3), 0, "years above 0"),
    (np.array([1.0, 0.0]), np.ones(2), 1, "first area above 0")])
def test_a_change_that_cannot_be_is_refused(first, second, years, said):
    with pytest.raises(ValueError, match=said):
        intervals.paired_change(1.0, 1.0, first, second, years)


def test_the_spread_of_samples_is_its_percentiles():
    assert intervals.ensemble(np.arange(1001)) == (25.0, 975.0)
