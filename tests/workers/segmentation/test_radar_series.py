"""A season of radar scenes: which are read, and what stands in for those that are missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from affine import Affine
from torch import nn

from workers.imagery.grid import Grid, WrongGrid
from workers.imagery.rasters import MissingBands, Stack
from workers.segmentation import radar_series, sar_conv3d, sar_conv_lstm

GRID = Grid("EPSG:32633", Affine(10, 0, 480_000, 0, -10, 8_700_000), 24, 16)
BANDS = ("co_pol", "coherence")


def scene(day_of_year: int, value: float = 0.0, grid: Grid = GRID, year: int = 2016) -> Stack:
    day = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day_of_year - 1)
    return Stack(np.full((2, *grid.shape), value), BANDS, grid, day)


YEAR = [scene(10 + 24 * k, float(k)) for k in range(15)]


def test_the_scenes_nearest_the_peak_of_the_ablation_season_are_read_in_order():
    middle_of_august = 228
    for count in (1, 3, 5):
        days = [one.acquired.timetuple().tm_yday for one in radar_series.chosen(YEAR, count, 78.0, 2016)]
        assert days == sorted(days) and len(days) == count
        rest = {one.acquired.timetuple().tm_yday for one in YEAR} - set(days)
        assert max(abs(d - middle_of_august) for d in days) <= min(abs(d - middle_of_august) for d in rest)


def test_in_the_south_the_season_peaks_in_february():
    (one,) = radar_series.chosen(YEAR, 1, -45.0, 2016)
    assert one.acquired.month == 2


@pytest.mark.parametrize("count", [1, 3, 5, 15])
def test_a_whole_season_is_taken_as_it_is(count):
    values = radar_series.series(YEAR, BANDS, count, 78.0, 2016)
    assert values.shape == (count, 2, 16, 24) and values.dtype == np.float32
    np.testing.assert_array_equal(values[:, 0, 0, 0], sorted(values[:, 0, 0, 0]))


def test_a_gap_is_interpolated_in_time_and_its_ends_take_the_nearest():
    days = np.array([0.0, 10, 30, 40])
    nan = np.nan
    values = np.array([[nan, 1, 5, nan], [2, nan, 5, nan], [6, nan, nan, nan], [8, 4, nan, nan]])
    found = radar_series.filled_in_time(values, days, days)
    np.testing.assert_allclose(found[:, 0], [2, 2, 6, 8])
    np.testing.assert_allclose(found[:, 1], [1, 1.75, 3.25, 4])
    np.testing.assert_allclose(found[:, 2], [5, 5, 5, 5])
    assert np.isnan(found[:, 3]).all()


def test_interpolation_agrees_with_numpy():
    rng = np.random.default_rng(0)
    days = np.sort(rng.uniform(0, 360, 12))
    values = rng.normal(size=(12, 6))
    values[rng.random(values.shape) < 0.4] = np.nan
    at = np.linspace(-5, 365, 15)
    found = radar_series.filled_in_time(values, days, at)
    for pixel in range(6):
        known = np.isfinite(values[:, pixel])
        expected = np.interp(at, days[known], values[known, pixel])
        np.testing.assert_allclose(found[:, pixel], expected, rtol=1e-5, atol=1e-6)


def test_up_to_a_fifth_of_the_scenes_may_be_missing():
    values = radar_series.series(YEAR[:6] + YEAR[7:9] + YEAR[10:], BANDS, 15, 78.0, 2016)
    np.testing.assert_allclose(values[:, 0, 3, 3], np.arange(15), atol=1e-5)       # the two holes are the widest gaps


def test_more_missing_scenes_are_refused_with_the_number():
    with pytest.raises(radar_series.TooFewScenes, match=r"15 acquisitions are needed.*11 of 11"):
        radar_series.series(YEAR[:11], BANDS, 15, 78.0, 2016)


def test_scenes_without_a_pixel_count_as_missing():
    empty = [scene(100 + k, np.nan) for k in range(8)]
    with pytest.raises(radar_series.TooFewScenes, match="7 of 15"):
        radar_series.series(YEAR[:7] + empty, BANDS, 15, 78.0, 2016)
    assert radar_series.series([*YEAR[:3], *empty], BANDS, 3, 78.0, 2016).shape[0] == 3


def test_scenes_on_different_grids_or_without_a_date_or_band_are_refused():
    other = Grid(GRID.crs, Affine(10, 0, 0, 0, -10, 0), 24, 16)
    with pytest.raises(WrongGrid):
        radar_series.series([scene(220), scene(230, grid=other)], BANDS, 2, 78.0, 2016)
    with pytest.raises(ValueError, match="date of every scene"):
        radar_series.series([Stack(np.zeros((2, 16, 24)), BANDS, GRID)], BANDS, 1, 78.0, 2016)
    with pytest.raises(MissingBands, match="cross_pol"):
        radar_series.series([scene(220)], ("co_pol", "cross_pol"), 1, 78.0, 2016)


@pytest.mark.parametrize(("build", "config"), [
    (sar_conv3d.SARConv3d, sar_conv3d.Config(base=4, acquisitions=5, patch=16)),
    (sar_conv_lstm.SARConvLSTM, sar_conv_lstm.Config(base=4, acquisitions=5, patch=16))])
def test_a_season_becomes_one_map_with_its_gaps(build, config):
    torch.manual_seed(0)
    stacks = [scene(150 + 12 * k, float(k)) for k in range(9)]
    for one in stacks:
        one.pixels[1, :3, :4] = np.nan
    recipe = SimpleNamespace(bands=BANDS, options={},
                             normalisation={"kind": "dataset_minmax", "low": [-30, 0], "high": [5, 1]})
    version = SimpleNamespace(network=build(config).eval(), recipe=recipe)
    probability = radar_series.segment_series(stacks, version, 78.0, 2016)
    assert probability.shape == GRID.shape and np.isnan(probability).sum() == 12
    assert np.isnan(probability[:3, :4]).all()


def test_the_network_sees_scaled_values_in_the_recipes_order():
    class Look(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.config = SimpleNamespace(acquisitions=3, patch=16)
            self.unused = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            self.seen = x
            return torch.zeros(x.shape[0], 2, *x.shape[-2:])

    network = Look()
    pixels = np.stack([np.full(GRID.shape, -10.0), np.full(GRID.shape, 0.5)])
    stacks = [Stack(pixels, BANDS, GRID, one.acquired) for one in YEAR]
    recipe = SimpleNamespace(bands=BANDS[::-1], options={},
                             normalisation={"kind": "dataset_minmax", "low": [0, -30], "high": [1, 5]})
    radar_series.segment_series(stacks, SimpleNamespace(network=network, recipe=recipe), 78.0, 2016)
    assert network.seen.shape[1:3] == (3, 2)
    np.testing.assert_allclose(network.seen[0, :, :, 0, 0].numpy(), [[0.5, 20 / 35]] * 3, rtol=1e-5)


def day(year: int, month: int, number: int = 15) -> datetime:
    return datetime(year, month, number, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "latitude", "year"),
    [
        (day(2016, 1), 78.0, 2016), (day(2016, 12), 0.0, 2016),
        (day(2016, 6), -45.0, 2016), (day(2016, 7), -45.0, 2017), (day(2017, 2), -45.0, 2017),
    ],
)  # fmt: skip
def test_a_season_is_a_calendar_year_and_in_the_south_ends_with_june(moment, latitude, year):
    assert radar_series.season_of(moment, latitude) == year


def test_the_acquisition_nearest_the_end_of_the_melt_stands_for_its_season():
    north = [one.acquired for one in YEAR]
    assert north[radar_series.nearest_to_end(north, 78.0, 2016)] == datetime(2016, 9, 6, tzinfo=UTC)
    south = [day(2015, 12), day(2016, 1), day(2016, 3, 9)]
    assert radar_series.nearest_to_end(south, -45.0, 2016) == 2


def test_two_swaths_of_one_day_are_one_acquisition_averaged_in_linear_power():
    first, second = np.full((2, 16, 24), np.nan, np.float32), np.full((2, 16, 24), 0.3, np.float32)
    first[:, :, :10], second[:, :, :4] = 0.1, np.nan
    pair = [Stack(one, BANDS, GRID, day(2016, 8).replace(hour=hour)) for one, hour in ((first, 6), (second, 7))]
    (merged,) = radar_series.mosaicked(pair)
    np.testing.assert_allclose(merged.pixels[0, 0, [0, 5, 20]], [0.1, 0.2, 0.3], rtol=1e-6)
    assert radar_series.series([*pair, scene(250)], BANDS, 1, 78.0, 2016).shape[0] == 1
    with pytest.raises(radar_series.TooFewScenes, match="1 of 2"):
        radar_series.series(pair, BANDS, 3, 78.0, 2016)


def test_swaths_with_different_bands_are_refused_by_date_and_name():
    poor = Stack(np.ones((1, 16, 24)), ("co_pol",), GRID, scene(220).acquired)
    with pytest.raises(MissingBands, match=r"2016-08-07 have different bands: co_pol, coherence and co_pol"):
        radar_series.mosaicked([scene(220), poor])


def test_the_acquisition_that_lacks_a_band_is_named_by_its_date():
    poor = Stack(np.ones((1, 16, 24)), ("co_pol",), GRID, scene(230).acquired)
    with pytest.raises(MissingBands, match=r"acquisition of 2016-08-17: Missing bands: coherence"):
        radar_series.series([scene(220), poor, scene(240)], BANDS, 3, 78.0, 2016)
