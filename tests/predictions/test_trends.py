"""Trends against closed forms, scipy and statsmodels, and the published area curves."""

from __future__ import annotations

import csv
import math
from datetime import date

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from predictions import standard_errors, trends


@pytest.fixture
def noisy():
    draw = np.random.default_rng(1)
    years = np.sort(draw.uniform(1985, 2025, 80))
    return years, 3.0 * np.exp(-0.01 * (years - 2000)) * np.exp(draw.normal(0, 0.05, 80))


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(1984, 4, 18), 1984.295082),
        (date(2023, 10, 7), 2023.764384),
        (date(2000, 1, 1), 2000.0),
        (date(2000, 2, 29), 2000 + 59 / 366),
        (date(2023, 12, 31), 2023 + 364 / 365),
    ],
)
def test_a_decimal_year_counts_days_from_the_first_of_january(day, year):
    assert trends.decimal_year(day) == pytest.approx(year, abs=5e-7)


def test_a_year_long_interval_lies_in_its_middle():
    assert trends.middle_year(date(2019, 1, 1), date(2019, 12, 31)) == pytest.approx(2019.4986, abs=1e-4)
    assert trends.middle_year(date(2019, 1, 1), None) == 2019.0


def test_november_and_december_open_the_next_season_in_the_south():
    assert trends.season_year(date(2019, 11, 1), southern=True) == 2020
    assert trends.season_year(date(2019, 10, 31), southern=True) == 2019
    assert trends.season_year(date(2019, 12, 31)) == 2019


def test_the_line_is_that_of_scipy_in_any_order_of_the_observations(noisy):
    years, km2 = noisy
    theirs = stats.linregress(years, np.log(km2))
    shuffled = np.random.default_rng(2).permutation(len(years))
    line = trends.fit(years[shuffled], km2[shuffled])
    assert line.slope == pytest.approx(theirs.slope, rel=1e-10)
    assert line.r2 == pytest.approx(theirs.rvalue**2, rel=1e-10)
    assert standard_errors.ols(line) == pytest.approx(theirs.stderr, rel=1e-10)
    assert float(line.log_at(2000.0)) == pytest.approx(theirs.intercept + 2000 * theirs.slope, rel=1e-9)


def test_the_exact_exponential_is_found_exactly():
    years = np.arange(1985, 2025)
    line = trends.fit(years, 5 * np.exp(-0.01 * (years - 1985)))
    assert line.slope == pytest.approx(-0.01, abs=1e-14)
    assert line.total_change == pytest.approx(math.exp(-0.39) - 1)


def test_the_sign_of_the_total_change_is_that_of_the_later_minus_the_earlier_area():
    line = trends.fit([2000, 2001, 2010], [1.0, 0.99, 0.9])
    assert line.total_change < 0


@pytest.mark.parametrize(
    ("years", "km2", "reason"),
    [
        ([], [], "no observations"),
        ([2000.0], [1.0], "a single observation"),
        ([2000.0, 2000.0], [1.0, 1.1], "zero_time_span"),
        ([2000.0, 2001.0], [0.0, 0.0], "all areas are zero"),
        ([2000.0, 2001.0], [0.0, 1.0], "a single observation"),
        ([2000.0, 2001.0], [float("nan"), float("nan")], "no observations"),
    ],
)
def test_where_there_is_no_trend_the_reason_is_said(years, km2, reason):
    with pytest.raises(trends.NoTrend, match=reason):
        trends.fit(years, km2)


def test_two_scenes_have_a_slope_and_no_standard_error():
    line = trends.fit([2000.0, 2010.0], [1.0, math.exp(-0.1)])
    assert line.slope == pytest.approx(-0.01)
    assert standard_errors.slope_errors(line) == []
    with pytest.raises(ValueError, match="two areas"):
        standard_errors.ols(line)


def test_zero_areas_are_counted_and_left_out():
    line = trends.fit([2000, 2001, 2002, 2003], [1.0, 0.9, 0.0, 0.8])
    assert (line.n, line.n_zero) == (3, 1)


def test_a_short_or_brief_series_is_not_published(noisy):
    years, km2 = noisy
    assert trends.unpublished(trends.fit(years, km2)) == ""
    assert "fewer than 10 observations (9)" in trends.unpublished(trends.fit(years[:9], km2[:9]))
    brief = trends.fit(np.linspace(2019, 2022, 12), np.linspace(2, 1.9, 12))
    assert "less than 5 years" in trends.unpublished(brief)


def test_what_a_published_trend_takes_is_a_setting(noisy):
    line = trends.fit(*noisy)
    assert trends.unpublished(line, observations=line.n) == ""
    assert trends.unpublished(line, observations=line.n + 1) == f"fewer than {line.n + 1} observations ({line.n})"
    assert trends.unpublished(line, span_years=100).startswith("less than 100 years")


def test_one_wild_scene_is_flagged_and_a_steady_trend_is_not(noisy):
    years, _ = noisy
    steady = 3.0 * np.exp(-0.02 * (years - 2000)) * np.exp(0.002 * np.sin(np.arange(80) * 2.3))
    assert not trends.outliers(years, steady).any()
    wild = steady.copy()
    wild[[0, 40]] *= 1.6
    assert np.flatnonzero(trends.outliers(years, wild)).tolist() == [0, 40]


def test_the_exact_exponential_has_no_outliers():
    years = np.arange(1985, 2025)
    assert not trends.outliers(years, np.exp(-0.01 * years)).any()


def test_zero_areas_are_no_outliers(noisy):
    years, km2 = noisy
    km2 = np.where(np.arange(80) == 10, 0.0, km2)
    assert not trends.outliers(years, km2)[10]


def test_annual_means_carry_their_number_and_error():
    days = [date(2019, 7, 1), date(2019, 9, 1), date(2019, 12, 1)]
    assert trends.annual_means(days, [1.0, 3.0, 5.0], southern=True) == [(2019, 2.0, 1.0, 2), (2020, 5.0, None, 1)]
    (whole,) = trends.annual_means(days, [1.0, 3.0, 5.0])
    assert whole == (2019, 3.0, pytest.approx(stats.sem([1, 3, 5])), 3)


@pytest.mark.parametrize("lag", [0, 9])
def test_newey_west_is_that_of_statsmodels(noisy, lag):
    years, km2 = noisy
    used = max(lag, math.floor(4 * (80 / 100) ** (2 / 9)))
    theirs = sm.OLS(np.log(km2), sm.add_constant(years - years.mean())).fit(
        cov_type="HAC", cov_kwds={"maxlags": used}
    )
    assert standard_errors.newey_west(trends.fit(years, km2), lag) == pytest.approx(theirs.bse[1], rel=1e-8)


def test_the_interval_uses_students_t(noisy):
    line = trends.fit(*noisy)
    shown = standard_errors.slope_errors(line)[0]
    theirs = sm.OLS(line.logs, sm.add_constant(line.years)).fit().conf_int(0.05)[1]
    assert (shown.lo, shown.hi) == pytest.approx(tuple(theirs), rel=1e-7)
    assert shown.label == "assumes independent scenes; mapper error not included"


def test_smoothing_widens_the_error_by_the_published_factor():
    assert standard_errors.smoothing_corrected(1.0, 20) == pytest.approx(8.42, abs=0.005)


def test_the_error_that_is_shown_first_fits_how_the_series_was_made(noisy):
    line = trends.fit(*noisy)
    first = [
        standard_errors.slope_errors(line)[0].method,
        standard_errors.slope_errors(line, mapper_sd=0.001)[0].method,
        standard_errors.slope_errors(line, smoothing_sigma=20, mapper_sd=0.001)[0].method,
    ]
    assert first == ["ols", "with_mapper", "smoothing_corrected"]
    every = {error.method for error in standard_errors.slope_errors(line, 20, 0.001)}
    assert every == set(standard_errors.LABELS)


def test_the_mappers_error_adds_in_squares(noisy):
    line = trends.fit(*noisy)
    both = standard_errors.slope_errors(line, mapper_sd=0.003)[0]
    assert both.se == pytest.approx(math.sqrt(standard_errors.ols(line) ** 2 + 0.003**2))


def test_the_year_bootstrap_agrees_with_the_ordinary_error_where_years_are_independent():
    draw = np.random.default_rng(3)
    ratios = []
    for _ in range(20):
        years = np.repeat(np.arange(1985, 2025), 4) + draw.uniform(0, 1, 160)
        line = trends.fit(years, np.exp(-0.01 * (years - 2000) + draw.normal(0, 0.05, 160)))
        ratios.append(standard_errors.year_block_bootstrap(line) / standard_errors.ols(line))
    assert 0.85 < np.mean(ratios) < 1.1


def test_the_year_bootstrap_sees_what_the_years_share():
    draw = np.random.default_rng(4)
    years = np.repeat(np.arange(1985, 2025), 10) + draw.uniform(0, 1, 400)
    shared = np.repeat(draw.normal(0, 0.05, 40), 10)
    line = trends.fit(years, np.exp(shared + draw.normal(0, 0.005, 400)))
    assert standard_errors.year_block_bootstrap(line) > 2 * standard_errors.ols(line)


def test_the_ordinary_interval_covers_the_truth_as_often_as_it_says():
    draw, hits = np.random.default_rng(5), 0
    years = np.linspace(1985, 2025, 60)
    for _ in range(400):
        line = trends.fit(years, np.exp(-0.005 * (years - 2000) + draw.normal(0, 0.04, 60)))
        shown = next(e for e in standard_errors.slope_errors(line) if e.method == "ols")
        hits += shown.lo <= -0.005 <= shown.hi
    assert 0.92 <= hits / 400 <= 0.98


def test_the_band_is_that_of_statsmodels(noisy):
    line = trends.fit(*noisy)
    at = np.array([1985.0, 2005.0, 2025.0])
    fitted, lo, hi = standard_errors.band(line, standard_errors.ols(line), at)
    theirs = sm.OLS(line.logs, sm.add_constant(line.years)).fit().get_prediction(sm.add_constant(at))
    expected = np.exp(theirs.summary_frame(alpha=0.05)[["mean", "mean_ci_lower", "mean_ci_upper"]].to_numpy())
    assert np.stack([fitted, lo, hi], axis=1) == pytest.approx(expected, rel=1e-6)


def read_areas(path, column="year"):
    with path.open(encoding="utf-8-sig") as stream:
        rows = [row for row in csv.DictReader(stream) if row["area_km2"]]
    return np.array([float(row[column]) for row in rows]), np.array([float(row["area_km2"]) for row in rows])


@pytest.mark.real
def test_the_published_areas_of_tuyuksu_shrink_and_the_known_outlier_is_found(real_data):
    years, km2 = read_areas(real_data / "tables" / "tuyuksu_areas.csv")
    wild = trends.outliers(years, km2)
    assert 1980 in years[wild]
    assert years[wild].max() == 1980
    line = trends.fit(years[~wild], km2[~wild])
    assert trends.unpublished(line) == ""
    shown = standard_errors.slope_errors(line)[0]
    assert shown.hi < 0
    assert line.slope == pytest.approx(stats.linregress(years[~wild], np.log(km2[~wild])).slope)


@pytest.mark.real
def test_the_published_areas_of_quelccaya_give_a_significant_loss(real_data):
    years, km2 = read_areas(real_data / "tables" / "quelccaya_glacier_area_results.csv")
    line = trends.fit(years, km2)
    assert line.n == 18
    assert all(error.hi < 0 for error in standard_errors.slope_errors(line))
