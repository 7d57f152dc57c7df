"""The card of a mapper: what it says of held-out maps follows from the maps."""

from __future__ import annotations

import json
from datetime import datetime

import numpy as np
import pytest
from affine import Affine

from workers.imagery.bands import CANONICAL
from workers.imagery.grid import Grid
from workers.imagery.rasters import Stack
from workers.learning import forest_recipe, mapping_report, recipes, weights
from workers.learning.samples import SegmentSample
from workers.segmentation.segment import segment_stack

GRID = Grid("EPSG:32626", Affine(30, 0, 500_000, 0, -30, 5_100_000), 48, 48)
ICE = np.array([0.52, 0.50, 0.45, 0.36, 0.05, 0.035])
ROCK = np.array([0.10, 0.12, 0.14, 0.17, 0.22, 0.20])


def sample(year: int, rows_of_ice: int = 24, noise: float = 0.1, seed: int = 0, extra: bool = False) -> SegmentSample:
    ice = np.zeros(GRID.shape, bool)
    ice[:rows_of_ice] = True
    pixels = np.where(ice, ICE[:, None, None], ROCK[:, None, None])
    pixels = pixels + np.random.default_rng([year, seed]).normal(0, noise, pixels.shape)
    bands = CANONICAL
    if extra:
        slope = np.arange(48.0)[:, None] * np.ones(48)
        pixels, bands = np.concatenate([pixels, [slope * 30]]), (*CANONICAL, "elevation")
    west = np.zeros(GRID.shape, bool)
    west[:, :24] = True
    stack = Stack(pixels, bands, GRID, datetime(year, 8, 1))
    return SegmentSample(stack, ice, str(year), {"west": west, "east": ~west})


def on(one: SegmentSample, day: datetime) -> SegmentSample:
    stack = Stack(one.stack.pixels, one.stack.bands, one.stack.grid, day)
    return SegmentSample(stack, one.truth, one.group, one.domains)


def test_a_known_area_error_and_a_known_slope_error_are_found():
    found = []
    for k, year in enumerate(range(1990, 2010)):
        one = sample(year, rows_of_ice=20)
        said = np.zeros(GRID.shape)
        said[: 20 + k] = 1
        found.append(mapping_report.judge(said, one))
    card = mapping_report.report(found)
    assert card["area_errors"][::2] == pytest.approx([k / 20 for k in range(20)], abs=1e-6)
    years = np.arange(20.0)
    assert card["slope_errors"] == pytest.approx([np.polyfit(years, np.log(1 + years / 20), 1)[0]] * 2, rel=1e-3)
    assert card["s_m"] is None  # two series are too few


def test_margins_have_their_mean_and_95th_percentile_and_none_where_there_is_no_margin():
    one = sample(2000, rows_of_ice=20)
    moved = np.zeros(GRID.shape)
    moved[:20, :24], moved[:26, 24:] = 1, 1                 # right in the west, 6 px too far in the east
    card = mapping_report.report([mapping_report.judge(moved, one), mapping_report.judge(np.zeros(GRID.shape), one)])
    assert card["boundary_p95_m"] == pytest.approx(180, rel=0.01)
    assert 0 < card["boundary_m"] < 90
    card = mapping_report.report([mapping_report.judge(np.zeros(GRID.shape), one)])
    assert (card["boundary_m"], card["boundary_p95_m"]) == (None, None)


def test_the_slope_error_is_given_from_five_series_on():
    areas = []
    for number, slope in enumerate((-0.004, -0.002, 0.0, 0.002, 0.004)):
        areas += [mapping_report.Area(f"g{number}", 2000.0 + t, float(np.exp(slope * t)), 1.0) for t in range(10)]
    slopes = mapping_report.slope_errors(areas)
    assert slopes == pytest.approx([-0.004, -0.002, 0, 0.002, 0.004], abs=1e-12)
    assert mapping_report.slope_spread(slopes) == (pytest.approx(0.0031623, rel=1e-4), "5 held-out series")


def test_few_series_give_a_wider_slope_error_and_two_give_none():
    s_m, told = mapping_report.slope_spread([-0.001, 0.0, 0.001])
    assert s_m == pytest.approx(0.001 * 4.302653 / 1.959964, rel=1e-5)  # t table, 2 degrees of freedom
    assert told == "3 held-out series, widened 2.20 times for so few"
    assert mapping_report.slope_spread([-0.001, 0.001]) == (None, "too few held-out series: 2")


@pytest.mark.parametrize("count", [3, 4])
def test_the_widened_slope_error_covers_the_next_glacier_and_the_plain_one_does_not(count):
    rng = np.random.default_rng(count)
    errors, following = rng.normal(0, 0.002, (4000, count)), rng.normal(0, 0.002, 4000)
    widened = np.array([mapping_report.slope_spread(list(some))[0] for some in errors])
    assert np.mean(np.abs(following) <= 1.96 * widened) == pytest.approx(0.95, abs=0.015)
    assert np.mean(np.abs(following) <= 1.96 * errors.std(axis=1, ddof=1)) < 0.9


def test_area_errors_come_from_the_end_of_the_melt_season_where_there_is_one():
    right, wrong = np.zeros(GRID.shape), np.ones(GRID.shape)
    right[:24] = 1
    late = [mapping_report.judge(right, sample(year)) for year in range(2000, 2003)]
    spring = [mapping_report.judge(wrong, on(sample(year), datetime(year, 5, 20))) for year in range(2000, 2003)]
    card = mapping_report.report([*late, *spring])
    assert card["area_errors"] == pytest.approx([0.0] * 6) and card["area_errors_from"] == "end of the melt season"
    assert len(card["area_sizes_km2"]) == 6 and card["samples"] == 6 and card["pooled"]["iou"] < 0.8
    card = mapping_report.report(spring)
    assert card["area_errors"] == pytest.approx([1.0] * 6) and card["area_errors_from"] == "all dates"


def test_the_melt_season_of_the_south_ends_in_the_first_quarter():
    south = Grid("EPSG:32719", Affine(30, 0, 500_000, 0, -30, 5_100_000), 48, 48)
    some = [SegmentSample(Stack(one.stack.pixels, CANONICAL, south, datetime(2001, month, 1)), one.truth, "a")
            for one in [sample(2001)] for month in (3, 9)]
    assert [mapping_report.judge(np.ones(GRID.shape), one).areas[0].late for one in some] == [True, False]
    undated = SegmentSample(Stack(some[0].stack.pixels, CANONICAL, south, None), some[0].truth, "a")
    assert not mapping_report.judge(np.ones(GRID.shape), undated).areas[0].late


def test_pixels_that_were_not_observed_count_in_neither_area():
    said = np.ones(GRID.shape)
    said[:, 24:] = np.nan
    judged = mapping_report.judge(said, sample(2000))
    assert [a.glacier for a in judged.areas] == ["west"]
    assert judged.areas[0].km2 == pytest.approx(2 * judged.areas[0].true_km2)


def test_a_forest_is_measured_on_years_that_it_never_saw():
    told = []
    trained = recipes.train_segmenter("random-forest", "small", [sample(year) for year in range(2000, 2006)],
                                      report=lambda f, s, **c: told.append(f))
    card = trained.metrics
    assert card["samples"] == 6 and len(card["area_errors"]) == 12 and card["held_out"].startswith("5 parts")
    assert card["pooled"]["iou"] > 0.95 and set(card["per_group"]["regions"]) == {str(y) for y in range(2000, 2006)}
    assert told[-1] == 1.0 and told == sorted(told)
    json.dumps(card, allow_nan=False)


def test_labels_at_random_give_a_forest_that_admits_knowing_nothing():
    rng = np.random.default_rng(0)
    some = [SegmentSample(s.stack, rng.random(GRID.shape) < 0.5, s.group) for s in map(sample, range(2000, 2004))]
    pooled = recipes.train_segmenter("random-forest", "small", some).metrics["pooled"]
    accuracy = (pooled["tp"] + pooled["tn"]) / (4 * 48 * 48)
    assert accuracy == pytest.approx(0.5, abs=0.04)


def test_a_forest_takes_elevation_and_slope_where_every_stack_has_elevation(tmp_path):
    trained = recipes.train_segmenter("random-forest", "small", [sample(y, extra=True) for y in (2000, 2001)])
    assert trained.learned.recipe.bands == (*CANONICAL, "ndsi", "elevation", "slope")
    weights.save(tmp_path / "w", trained.learned.network, trained.learned.recipe)
    again = weights.load(tmp_path / "w")
    one = sample(2005, extra=True).stack
    assert np.array_equal(segment_stack(one, again), segment_stack(one, trained.learned), equal_nan=True)
    mixed = recipes.train_segmenter("random-forest", "small", [sample(2000, extra=True), sample(2001)])
    assert mixed.learned.recipe.bands == (*CANONICAL, "ndsi")
    assert set(mixed.metrics["feature_sets"]) == {"optical"}


def test_what_each_kind_of_layer_adds_is_told_on_the_same_held_out_pixels():
    noisy = [sample(year, noise=0.6, extra=True) for year in range(2000, 2003)]
    for one in noisy:                               # elevation knows the ice that the bands can hardly see
        one.stack.pixels[-1] = np.where(one.truth, 3000, 2000)
    card = recipes.train_segmenter("random-forest", "small", noisy).metrics
    assert list(card["feature_sets"]) == ["optical", "optical, elevation"]
    assert card["feature_sets"]["optical, elevation"] == card["pooled"]
    assert card["feature_sets"]["optical"]["iou"] < card["pooled"]["iou"] - 0.05
    names = forest_recipe.feature_sets((*CANONICAL, "ndsi", "elevation", "slope", "co_pol_db"))
    assert list(names) == ["optical", "optical, elevation", "optical, elevation, radar"]
    assert forest_recipe.feature_sets((*CANONICAL, "coherence"))["optical, radar"] == (*CANONICAL, "coherence")


def test_no_samples_and_one_class_are_refused():
    with pytest.raises(ValueError, match="at least one stack"):
        recipes.train_segmenter("random-forest", "small", [])
    with pytest.raises(ValueError, match="both classes"):
        recipes.train_segmenter("random-forest", "small", [sample(2000, rows_of_ice=0)])


def test_a_forecaster_is_not_taught_to_map():
    with pytest.raises(ValueError, match="forecast"):
        recipes.train_segmenter("lstm", "small", [sample(2000)])


def test_a_date_that_a_series_would_set_aside_does_not_widen_the_interval():
    rng = np.random.default_rng(5)
    regular = [
        mapping_report.Area("A", 1990.0 + k, 5.0 * float(np.exp(rng.normal(0, 0.02))), 5.0) for k in range(20)
    ]
    snowed = mapping_report.Area("A", 2011.0, 2.0, 5.0)
    assert mapping_report.without_outliers([*regular, snowed]) == regular
    assert mapping_report.without_outliers([snowed] * 4) == [snowed] * 4
