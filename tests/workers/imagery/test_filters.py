from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from workers.imagery.filters import PROFILES, SceneFacts, count_by_rule, flags, judge

GOOD = SceneFacts(
    n_pixels=52 * 51,
    n_values=6 * 52 * 51,
    n_bands=6,
    nodata_fraction=0,
    zero_fraction=0,
    invalid_fraction=0,
    valid_fraction=1,
)
META = {
    "sensor": "landsat-8",
    "acquired": datetime(2018, 8, 20, tzinfo=UTC),
    "cloud_percent": 3.0,
    "image_quality": 9,
    "category": "T1",
}
LAT = 46.0


def rules(profile: str, lat: float = LAT, facts: SceneFacts = GOOD, **meta: object) -> list[str]:
    return [refusal.rule for refusal in judge(profile, {**META, **meta}, facts, lat)]


@pytest.mark.parametrize("profile", ["forecast", "area", "strict", "train_composite", "outline"])
def test_a_clear_summer_scene_passes(profile: str) -> None:
    assert rules(profile) == []


@pytest.mark.parametrize(
    ("profile", "passes", "fails"),
    [
        ("forecast", 20.0, 20.1),
        ("area", 9.99, 10.0),
        ("trient", 19.99, 20.0),
        ("strict", 5.0, 5.01),
        ("outline", 9.99, 10.0),
    ],
)
def test_the_cloud_limit_of_each_profile_includes_or_excludes_its_edge(profile, passes, fails) -> None:
    sensor = "landsat-7" if profile == "trient" else "landsat-8"
    assert rules(profile, cloud_percent=passes, sensor=sensor) == []
    assert rules(profile, cloud_percent=fails, sensor=sensor) == ["cloud"]


def test_measured_cloud_stands_in_where_the_catalogue_is_silent() -> None:
    cloudy = replace(GOOD, cloud_fraction_aoi=0.3)
    assert rules("area", facts=cloudy, cloud_percent=None) == ["cloud"]
    assert rules("area", facts=cloudy, cloud_percent=2.0) == []
    assert rules("area", cloud_percent=None) == []


def test_half_a_window_missing_passes_for_forecasts_and_more_does_not() -> None:
    assert rules("forecast", facts=replace(GOOD, zero_fraction=0.3, nodata_fraction=0.2)) == []
    assert rules("forecast", facts=replace(GOOD, zero_fraction=0.31, nodata_fraction=0.2)) == ["missing"]


def test_the_pixel_rule_counts_all_nineteen_layers() -> None:
    assert 2632 * 19 > 50_000 >= 2631 * 19
    assert rules("area", facts=replace(GOOD, n_pixels=2632)) == []
    assert rules("area", facts=replace(GOOD, n_pixels=2631)) == ["values"]
    assert judge("area", META, replace(GOOD, n_pixels=100), LAT, min_values=1000) == []
    assert [r.rule for r in judge("strict", META, GOOD, LAT, min_values=10**6)] == ["values"]
    assert judge("outline", META, GOOD, LAT, min_values=10**6) == []  # never asks for a number of values


def test_slc_gaps_are_seen_by_the_zero_rule_and_only_by_it() -> None:
    striped = replace(GOOD, zero_fraction=0.10, slc_off=True)
    assert rules("area", facts=striped, sensor="landsat-7") == ["zeros"]
    assert rules("trient", facts=striped, sensor="landsat-7") == []
    assert rules("strict", facts=striped, sensor="landsat-7") == []
    assert rules("area", facts=replace(striped, zero_fraction=0.09), sensor="landsat-7") == []


def test_one_nodata_pixel_is_one_too_many() -> None:
    assert rules("area", facts=replace(GOOD, nodata_fraction=1 / GOOD.n_pixels)) == ["nodata"]


def test_image_quality_below_nine_is_refused_and_silence_passes_with_a_flag() -> None:
    assert rules("area", image_quality=8) == ["image_quality"]
    for silent in (None, 0):
        assert rules("area", image_quality=silent) == []
        assert "image_quality_unreported" in flags({**META, "image_quality": silent}, GOOD)


def test_the_season_follows_the_hemisphere_and_can_be_dropped() -> None:
    january = datetime(2018, 1, 20, tzinfo=UTC)
    assert rules("area", acquired=january) == ["months"]
    assert rules("area", lat=-50.0, acquired=january) == []
    assert rules("area", lat=-50.0) == ["months"]
    assert judge("area", {**META, "acquired": january}, GOOD, LAT, all_months=True) == []
    assert rules("forecast", acquired=january) == []


def test_a_date_of_which_only_the_year_is_known_cannot_break_the_season() -> None:
    middle = datetime(2018, 7, 2, tzinfo=UTC)
    assert rules("area", lat=-50.0, acquired=middle, date_precision="year") == []
    assert "day_unknown" in flags({**META, "date_precision": "year"}, GOOD)


def test_outline_mapping_wants_the_end_of_the_ablation_season() -> None:
    assert rules("outline", acquired=datetime(2018, 6, 1, tzinfo=UTC)) == ["months"]
    assert rules("outline", acquired=datetime(2018, 3, 1, tzinfo=UTC), lat=-50.0, sensor="sentinel-2") == []
    assert rules("outline", facts=replace(GOOD, invalid_fraction=0.1)) == ["invalid"]


def test_each_profile_takes_its_sensors_only() -> None:
    assert rules("forecast", sensor="landsat-7") == ["sensor"]
    assert rules("area", sensor="sentinel-2") == ["sensor"]
    assert rules("area", sensor="landsat-4") == []
    assert rules("trient", sensor="landsat-8") == ["sensor"]


def test_a_training_composite_lies_within_fifty_days_of_the_outline_and_is_tier_one() -> None:
    assert rules("train_composite", outline_date=date(2018, 10, 9)) == []
    assert rules("train_composite", outline_date=date(2018, 10, 10)) == ["outline_date"]
    assert rules("train_composite", category="T2") == ["category"]


def test_a_scene_without_one_valid_pixel_is_refused_before_all_else() -> None:
    refusals = judge("area", META, replace(GOOD, valid_fraction=0, zero_fraction=1), LAT)
    assert [(r.rule, r.value) for r in refusals] == [("no_valid_pixels", 0.0)]
    dead = replace(GOOD, band_mean={"green": 0.3, "swir1": None, "thermal": None})
    assert judge("area", META, dead, LAT) == [("no_valid_pixels", "swir1", "> 0 in every band")]
    assert rules("area", facts=replace(dead, band_mean={"green": 0.3, "thermal": None})) == []


def test_every_refusal_names_rule_value_and_limit_and_they_can_be_counted() -> None:
    bad = judge("area", {**META, "cloud_percent": 55.0, "image_quality": 7}, GOOD, LAT)
    assert [(r.rule, r.value, r.limit) for r in bad] == [("cloud", 55.0, "< 10 %"), ("image_quality", 7, ">= 9")]
    assert count_by_rule([bad, bad, []]) == {"cloud": 2, "image_quality": 2}


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match="use one of forecast, area"):
        judge("best", META, GOOD, LAT)
    assert set(PROFILES) == {"forecast", "area", "trient", "strict", "train_composite", "outline"}
