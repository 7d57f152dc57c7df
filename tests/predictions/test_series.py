"""Area series: what analysts drew, what the network measured, and snow and ice stay apart; none claims too much."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from predictions import regional_series, results, series, versions
from predictions.models import Mask


@pytest.fixture
def glacier(world):
    return world.glacier(region=world.region())


def measure(world, glacier, version, scene, km2, product="ice", **values):
    areas = [results.MeasuredArea(glacier.glac_id, km2, km2 * 1.02, km2 * 0.95, km2 * 1.05, "held-out", **values)]
    run = world.running("area_series")
    return results.save_mask(run, scene, version, product, world.raster(), 0.5, [], areas, 1.0)


def measured_years(world, glacier, version, years, rate=-0.01, **values):
    noise = np.random.default_rng(7).normal(0, 0.01, len(years))
    for year, wobble in zip(years, noise, strict=True):
        km2 = 2.0 * math.exp(rate * (year - years[0]) + wobble)
        measure(world, glacier, version, world.scene(date(year, 8, 20), simulated=glacier.simulated), km2, **values)


def named(found, source):
    return next(one for one in found["series"] if one["source"] == source)


def test_a_glacier_of_which_nothing_is_known_has_no_series_and_says_so(glacier):
    assert series.areas(glacier) == {
        "glac_id": glacier.glac_id, "unit": "km2", "series": [], "sensor_changes": [], "identity": None,
    }  # fmt: skip
    summary = series.summary(glacier)
    assert summary["sentence"] == "No area is known yet."
    assert "Simulated: nothing here was observed." in summary["notes"]


def test_the_interval_of_an_outline_is_its_perimeter_times_the_digitising_uncertainty(world, glacier):
    world.outline(glacier, date(1998, 8, 1), 2.0, loc_unc_m=15.0)
    world.outline(glacier, date(2010, 8, 1), 1.0)
    first, second = named(series.areas(glacier), "outlines")["observations"]
    assert (first["lo"], first["hi"]) == pytest.approx((2.0 - 0.12, 2.0 + 0.12))
    assert (second["lo"], second["hi"], second["interval_method"]) == (0.95, 1.05, "± 5 % assumed")


def test_few_outlines_give_the_change_between_dates_and_no_trend(world, glacier):
    for year, km2 in ((1850, 8.0), (1969, 4.0), (2016, 2.0)):
        world.outline(glacier, date(year, 8, 1), km2)
    found = named(series.areas(glacier), "outlines")
    assert found["trend"] is None
    assert found["no_trend_reason"] == "fewer than 10 observations (3)"
    assert found["change"]["percent"] == pytest.approx(-75)
    assert found["change"]["hi_percent"] < 0
    sentence = series.summary(glacier)["sentence"]
    assert sentence == "2.00 ± 0.10\u202fkm² in 2016; \u221275\u202f% since 1850"


def test_ten_outlines_over_five_years_have_a_trend_of_their_own(world, glacier):
    for year in range(2000, 2012):
        world.outline(glacier, date(year, 8, 1), 3.0 * math.exp(-0.02 * (year - 2000)))
    found = named(series.areas(glacier), "outlines")
    assert found["trend"]["slope_percent_per_year"] == pytest.approx(-2.0, abs=0.01)
    assert found["version"] is None


def test_only_the_preferred_outline_of_a_date_enters(world, glacier):
    world.outline(glacier, date(2016, 8, 1), 2.0)
    world.outline(glacier, date(2016, 8, 1), 3.0, preferred=False)
    assert [one["km2"] for one in named(series.areas(glacier), "outlines")["observations"]] == [2.0]


def test_expert_labels_are_a_series_of_their_own(world, glacier):
    world.outline(glacier, date(2016, 8, 1), 2.0)
    label = world.outline(glacier, date(2019, 1, 1), 1.0, src_date_end=date(2019, 12, 31), src_date_precision="year",
                          source="experts")  # fmt: skip
    label.source.kind = "expert label"
    label.source.save()
    found = series.areas(glacier)
    assert {one["source"] for one in found["series"]} == {"outlines", "expert label"}
    assert named(found, "expert label")["observations"][0]["date_end"] == "2019-12-31"


def test_the_active_versions_measurements_have_a_trend_that_excludes_what_may_not_enter(world, glacier):
    version = versions.promote(world.version())
    measured_years(world, glacier, version, range(1990, 2020))
    measure(world, glacier, version, world.scene(date(2020, 8, 1)), 0.4, valid_fraction=0.5)
    measure(world, glacier, version, world.scene(date(2021, 8, 1)), 6.0)
    measure(world, glacier, version, world.scene(date(2022, 8, 1)), 0.0)
    measure(world, glacier, version, world.scene(date(2018, 9, 1), refusals={"area": [{"rule": "cloud"}]}), 9.0)
    found = named(series.areas(glacier), "network")
    trend = found["trend"]
    assert (trend["n"], trend["n_excluded"], len(found["observations"])) == (30, 3, 33)
    assert trend["slope_percent_per_year"] == pytest.approx(-1.0, abs=0.05)
    assert trend["lo_percent"] < -1.0 < trend["hi_percent"]
    assert trend["se_label"] == "assumes independent scenes; mapper error not included"
    by_year = {one["date"][:4]: one for one in found["observations"]}
    assert by_year["2020"]["flags"] == ["partial_coverage"]
    assert by_year["2021"]["outlier"]
    assert by_year["2022"]["flags"] == ["zero_area"]
    assert len(found["notes"]) == 3


def test_measurements_of_another_version_are_not_mixed_in(world, glacier):
    old = versions.promote(world.version())
    measured_years(world, glacier, old, range(1990, 2020))
    new = versions.promote(world.version())
    measured_years(world, glacier, new, range(2000, 2003))
    assert len(named(series.areas(glacier), "network")["observations"]) == 3
    assert len(named(series.areas(glacier, old), "network")["observations"]) == 30


def test_the_mappers_own_error_widens_the_interval(world, glacier):
    plain = world.version()
    careful = world.version(metrics={"overall": {"iou": 0.8}, "s_m": 0.002})
    for version in (plain, careful):
        measured_years(world, glacier, version, range(1990, 2020))
    narrow, wide = (named(series.areas(glacier, version), "network")["trend"] for version in (plain, careful))
    assert wide["se_method"] == "with_mapper"
    assert wide["se"] == pytest.approx(math.hypot(narrow["se"], 0.002))


def test_smoothed_series_show_the_error_that_is_corrected_for_it(world, glacier):
    version = world.version()
    measured_years(world, glacier, version, range(1990, 2020))
    plain = named(series.areas(glacier, version), "network")["trend"]
    for mask in version.masks.all():
        mask.product = mask.Product.ICE_PAPER
        mask.save()
    found = series.areas(glacier, version)["series"]
    assert [one["source"] for one in found] == ["smoothed"]  # never pooled with areas of scenes as they are
    smoothed = found[0]["trend"]
    assert (plain["se_method"], smoothed["se_method"]) == ("ols", "smoothing_corrected")
    assert smoothed["se"] == pytest.approx(plain["se"] * math.sqrt(2 * math.sqrt(math.pi) * 20))


def test_four_years_of_which_only_the_year_is_known_support_no_claim(world):
    glacier = world.glacier(simulated=False)
    version = versions.promote(world.version(scope="general", simulated=False))
    for year in range(2019, 2023):
        scene = world.scene(date(year, 1, 1), False, end=date(year, 12, 31), date_precision="year",
                            refusals={"area": [{"rule": "date"}]})  # fmt: skip
        measure(world, glacier, version, scene, 2.0 - 0.2 * (year - 2019))
    found = named(series.areas(glacier), "network")
    assert found["trend"] is None
    assert len(found["observations"]) == 4
    notes = " ".join(series.summary(glacier)["notes"])
    assert "4 observations in 2019–2022: no claim of retreat or growth" in notes
    assert "Only the year of some of these is known" in notes
    assert "no change beyond" in series.summary(glacier)["sentence"]


def test_a_series_holds_masks_of_one_threshold(world, glacier):
    active = versions.promote(world.version())
    scene = world.scene(date(2010, 8, 20))
    areas = [results.MeasuredArea(glacier.glac_id, 2.0, 2.0)]
    for threshold in (0.5, 0.3):
        results.save_mask(
            world.running("segment"), scene, active, "ice", world.raster(b"%f" % threshold), threshold, [], areas, 1.0
        )
    assert len(named(series.areas(glacier), "network")["observations"]) == 1


def test_gaps_of_landsat_7_in_the_domain_and_suspiciously_large_areas_are_flagged(world, glacier):
    active = versions.promote(world.version())
    for year, km2 in zip(range(2000, 2008), (2.0, 2.0, 2.0, 2.4, 2.0, 2.0, 2.0, 2.0), strict=True):
        measure(world, glacier, active, world.scene(date(year, 8, 20)), km2)
    measure(world, glacier, active, world.scene(date(2009, 8, 20)), 2.0, flags=("slc_off",), valid_fraction=0.97)
    flags = [one["flags"] for one in named(series.areas(glacier), "network")["observations"]]
    assert [("snow_suspect" in one) for one in flags] == [False] * 3 + [True] + [False] * 5
    assert flags[-1] == ["slc_off", "slc_gap"]


def test_a_sensor_whose_areas_lie_apart_is_a_step_in_the_diagnostic_of_the_trend(world, glacier):
    active = versions.promote(world.version())
    noise = np.random.default_rng(3).normal(0, 0.003, 24)
    for number, wobble in enumerate(noise):
        sensor, step = ("Landsat 5", 0.0) if number < 12 else ("Landsat 8", 0.05)
        scene = world.scene(date(1990 + number, 8, 20), sensor=sensor)
        measure(world, glacier, active, scene, 2.0 * math.exp(wobble + step * (number % 24 >= 12)))
    before, after = named(series.areas(glacier), "network")["trend"]["sensors"]
    assert (before["sensor"], before["n"], before["flags"]) == ("Landsat 5", 12, [])
    assert (after["sensor"], after["n"], after["flags"]) == ("Landsat 8", 12, ["sensor_step"])
    assert after["residual_percent"] > 0 > before["residual_percent"]


def test_snow_and_ice_never_has_a_trend(world, glacier):
    for year in range(1990, 2020):
        measure(world, glacier, None, world.scene(date(year, 8, 1)), 3.0, Mask.Product.SNOW_ICE)
    found = named(series.areas(glacier), "snow_ice")
    assert found["trend"] is None
    assert "not glacier" in found["label"]
    assert found["no_trend_reason"].startswith("snow and ice, not glacier")


def test_a_southern_november_counts_to_the_next_year(world):
    glacier = world.glacier()
    glacier.point.y = -46.0
    glacier.save()
    version = world.version()
    measure(world, glacier, version, world.scene(date(2019, 11, 20)), 1.0)
    measure(world, glacier, version, world.scene(date(2020, 2, 1)), 3.0)
    (annual,) = named(series.areas(glacier, version), "network")["annual"]
    assert (annual["year"], annual["km2"], annual["n"]) == (2020, 2.0, 2)


def test_sensor_changes_are_dated_by_the_first_scene_of_each(world, glacier):
    version = versions.promote(world.version())
    for year, sensor in ((1990, "Landsat 5"), (2000, "Landsat 7"), (2001, "Landsat 5"), (2014, "Landsat 8")):
        measure(world, glacier, version, world.scene(date(year, 8, 1), sensor=sensor), 1.0)
    assert series.areas(glacier)["sensor_changes"] == [
        {"date": "2000-08-01", "label": "Landsat 7"},
        {"date": "2014-08-01", "label": "Landsat 8"},
    ]


def test_the_sentence_says_area_trend_and_scenes(world, glacier):
    version = versions.promote(world.version())
    measured_years(world, glacier, version, range(1990, 2020))
    sentence = series.summary(glacier)["sentence"]
    assert sentence.endswith("per year since 1990, 30 scenes")
    assert "\u2212" in sentence


def test_a_region_joins_the_published_trends_of_its_glaciers(world):
    region = world.region()
    version = versions.promote(world.version(scope="general", simulated=False))
    for at, rate in enumerate((-0.01, -0.02)):
        one = world.glacier(f"G{at}", simulated=False, region=region)
        measured_years(world, one, version, range(1990, 2020), rate)
    short = world.glacier("G9", simulated=False, region=region)
    measured_years(world, short, version, range(2000, 2003))
    measured_years(
        world, world.glacier("S1", region=region), versions.promote(world.version()), range(1990, 2020), 0.05
    )
    found = regional_series.regional_trend(region)
    assert found["n_glaciers"] == 2
    assert found["method_1"]["slope_per_year"] == pytest.approx(-0.015, abs=3e-4)
    assert found["method_2"]["balanced"]["slope_per_year"] == pytest.approx(-0.015, abs=3e-4)
    assert found["percent_shrinking"] == 100
    assert not found["simulated"]
    total = regional_series.totals()
    assert total["total"]["slope_per_year"] == total["regions"]["Europe"]["slope_per_year"]
    assert "Asia" in total["missing"]
    row = total["regions"]["Europe"]
    assert (row["n_glaciers"], row["n_observations"], row["percent_shrinking"]) == (2, 60, 100)
    assert row["method_2"] == found["method_2"]["balanced"]
    assert row["lo"] < row["slope_per_year"] < row["hi"]


@pytest.mark.parametrize(("west", "counted"), [(-78.0, True), (37.3, False)])
def test_low_latitudes_count_for_south_america_only_west_of_thirty_degrees(world, west, counted):
    region = world.region("16", "South America")
    version = versions.promote(world.version(scope="general", simulated=False))
    measured_years(world, world.glacier("G1", west=west, simulated=False, region=region), version, range(1990, 2020))
    assert regional_series.regional_trend(region)["n_glaciers"] == 1
    assert ("South America" in regional_series.totals()["regions"]) is counted


def test_a_value_on_the_edge_of_a_bin_belongs_to_the_bin_above():
    assert regional_series.histogram([0.3, 0.35, -0.2, -0.15, -0.25]) == [(-0.3, 1), (-0.2, 2), (0.3, 2)]


def test_a_region_without_published_trends_says_what_that_takes(world):
    found = regional_series.regional_trend(world.region())
    assert found["method_1"] is None
    assert "at least 10 observations over 5 years" in found["notes"][0]
