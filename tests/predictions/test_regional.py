"""Regional trends against statsmodels, closed forms and the rule of the published total."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm

from predictions import regional
from predictions.regional import Slope


def test_equal_weights_give_the_plain_mean_and_its_standard_error():
    slopes = [-0.01, -0.02, -0.006, 0.001]
    found = regional.weighted_mean(slopes, [30] * 4)
    assert found.slope == pytest.approx(np.mean(slopes))
    assert found.se == pytest.approx(np.std(slopes, ddof=1) / math.sqrt(4))


def test_a_glacier_with_more_observations_weighs_more():
    assert regional.weighted_mean([-0.01, 0.0], [300, 100]).slope == pytest.approx(-0.0075)


def test_one_glacier_has_no_regional_error():
    assert regional.weighted_mean([-0.01], [40]) == Slope(-0.01, None)
    with pytest.raises(ValueError, match="at least one glacier"):
        regional.weighted_mean([], [])


def test_method_two_is_weighted_least_squares():
    draw = np.random.default_rng(0)
    glaciers = [
        {year: size * math.exp(-0.008 * (year - 2000) + draw.normal(0, 0.03)) for year in range(1990 + first, 2021)}
        for first, size in ((0, 1.0), (5, 20.0), (12, 3.0))
    ]
    found = regional.geometric_mean_trend(glaciers, balanced=False)
    year, log, weight = (np.array(c) for c in zip(*regional.geometric_mean_by_year(glaciers, False), strict=True))
    theirs = sm.WLS(log, sm.add_constant(year - year.mean()), weights=weight).fit()
    assert found.slope == pytest.approx(theirs.params[1], rel=1e-9)
    assert found.se == pytest.approx(theirs.bse[1], rel=1e-9)


def test_a_large_glacier_that_enters_late_does_not_make_a_balanced_region_grow():
    shrinking = {year: math.exp(-0.01 * (year - 2000)) for year in range(1990, 2021)}
    large = {year: 50 * math.exp(-0.01 * (year - 2000)) for year in range(2010, 2021)}
    assert regional.geometric_mean_trend([shrinking, large], balanced=False).slope > 0.05
    assert regional.geometric_mean_trend([shrinking, shrinking]).slope == pytest.approx(-0.01)
    assert regional.geometric_mean_trend([shrinking, large]).slope < 0.005


def test_years_of_zero_area_are_left_out():
    assert regional.geometric_mean_by_year([{2000: 0.0, 2001: 2.0}], balanced=False) == [(2001, math.log(2), 1)]
    assert regional.geometric_mean_trend([{2000: 0.0, 2001: 2.0}]) is None


def test_two_years_have_a_slope_without_an_error():
    assert regional.geometric_mean_trend([{2000: 1.0, 2010: math.exp(-0.1)}]) == Slope(pytest.approx(-0.01), None)


def test_the_total_rule_gives_the_published_total_from_the_published_regions():
    rows = [(-0.00256, 0.00019), (-0.00167, 0.00025), (-0.00163, 0.00015), (-0.00155, 0.00017), (-0.00256, 0.00029)]
    found = regional.total([Slope(*row) for row in rows])
    assert (round(found.slope, 5), round(found.se, 5)) == (-0.00199, 0.0001)
    assert found.relative_se == pytest.approx(0.049, abs=0.001)


def test_a_total_over_a_region_without_an_error_has_none():
    assert regional.total([Slope(-0.01, None), Slope(-0.02, 0.001)]) == Slope(pytest.approx(-0.015), None)
