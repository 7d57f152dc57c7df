from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import numpy as np
import pytest
from affine import Affine

from workers.imagery import cubes
from workers.imagery.gaps import gap_fill
from workers.imagery.grid import Grid, WrongGrid
from workers.imagery.rasters import MissingBands, Stack

GRID = Grid("EPSG:32632", Affine(30, 0, 500_010, 0, -30, 5_200_020), 6, 5)


def scene(day: date, ndsi: float | np.ndarray, bright: float = 1.0) -> Stack:
    """A scene with the wanted NDSI; `bright` scales both reflectances."""
    index = np.broadcast_to(np.asarray(ndsi, dtype=np.float32), GRID.shape)
    pixels = np.stack([(1 + index) / 2 * bright, (1 - index) / 2 * bright])
    return Stack(pixels, ("green", "swir1"), GRID, datetime(day.year, day.month, day.day, tzinfo=UTC))


def quarters(*values: float | None, first: int = 2000) -> list[Stack]:
    """One scene a quarter from January of `first`; None leaves the quarter empty."""
    return [
        scene(date(first + n // 4, 3 * (n % 4) + 2, 10), value) for n, value in enumerate(values) if value is not None
    ]


def test_quarters_and_half_years_begin_where_the_calendar_says() -> None:
    year = [scene(date(2013, month, 28), 0.5) for month in range(1, 13)]
    by_three = cubes.stack(year)
    assert by_three.starts == (date(2013, 1, 1), date(2013, 4, 1), date(2013, 7, 1), date(2013, 10, 1))
    assert by_three.n_scenes == (3, 3, 3, 3)
    by_six = cubes.stack(year, months=6)
    assert by_six.starts == (date(2013, 1, 1), date(2013, 7, 1))
    assert by_three.ends[-1] == date(2014, 1, 1)
    assert by_three.next_starts(2) == (date(2014, 1, 1), date(2014, 4, 1))


def test_a_frame_is_the_ndsi_of_the_mean_reflectance_and_not_the_mean_of_masks() -> None:
    pair = [scene(date(2020, 1, 5), 0.8), scene(date(2020, 2, 5), 0.0, bright=0.2)]
    green, swir1 = 0.9 + 0.1, 0.1 + 0.1
    assert cubes.stack(pair).values[0, 0, 0] == pytest.approx((green - swir1) / (green + swir1), rel=1e-5)
    assert cubes.stack(pair, order="mask_mean").values[0, 0, 0] == pytest.approx(0.4, rel=1e-5)


def test_the_mean_is_arithmetic_whatever_the_order_of_the_scenes() -> None:
    three = [scene(date(2020, 1, n), value) for n, value in ((1, 0.9), (2, 0.5), (3, 0.4))]
    forward, backward = cubes.stack(three), cubes.stack(reversed(three))
    np.testing.assert_allclose(forward.values, 0.6, rtol=1e-6)
    np.testing.assert_allclose(forward.values, backward.values, rtol=1e-6)


def test_a_missing_pixel_leaves_the_mean_to_the_other_scenes() -> None:
    holed = np.full(GRID.shape, 0.9, dtype=np.float32)
    holed[0, 0] = np.nan
    frame = cubes.stack([scene(date(2020, 1, 1), holed), scene(date(2020, 2, 1), 0.5)]).values[0]
    assert frame[0, 0] == pytest.approx(0.5, rel=1e-5)
    assert frame[1, 1] == pytest.approx(0.7, rel=1e-5)


def test_each_band_has_its_own_mean_of_what_was_seen() -> None:
    pixels = np.random.default_rng(5).uniform(0.05, 0.9, (6, 2, *GRID.shape)).astype(np.float32)
    pixels[np.random.default_rng(6).random(pixels.shape) < 0.3] = np.nan
    scenes = [Stack(p, ("green", "swir1"), GRID, datetime(2020, 1, 1 + n, tzinfo=UTC)) for n, p in enumerate(pixels)]
    green, swir1 = np.nanmean(pixels.astype(np.float64), axis=0)
    index = (green - swir1) / (green + swir1)
    np.testing.assert_allclose(cubes.stack(scenes).values[0], np.where(index >= 0.3, index, 0), atol=1e-6)


def test_what_no_scene_of_a_bin_saw_is_filled_on_demand_in_reflectance_and_counted() -> None:
    holed = np.full(GRID.shape, 0.5, dtype=np.float32)
    holed[2, 3] = np.nan
    left = scene(date(2020, 1, 9), holed)
    left.pixels[0, :, :3] *= 2  # green differs from west to east, so that the mean of NDSI is another number
    green, swir1 = (gap_fill(band, 2)[0] for band in left.pixels)
    cube = cubes.stack([left, scene(date(2020, 4, 9), 0.4)], fill_passes=2)
    assert cube.values[0, 2, 3] == pytest.approx((green - swir1)[2, 3] / (green + swir1)[2, 3], rel=1e-5)
    assert cube.filled_fraction == (pytest.approx(1 / 30), 0.0)
    assert cube.interpolated_fraction == (0.0, 0.0)
    assert cubes.stack([left, scene(date(2020, 4, 9), 0.4)]).values[0, 2, 3] == pytest.approx(0.4)


def test_masks_are_interpolated_on_demand_and_cut_at_the_threshold() -> None:
    cube = cubes.stack(quarters(0.8, None, None, None, 0.2), interpolate="mask")
    # 0.8, 0.6, 0.4, 0.2, 0.0: the last frame is no snow, so it is 0 before the line is drawn
    np.testing.assert_allclose(cube.values[:, 0, 0], [0.8, 0.6, 0.4, 0.0, 0.0], atol=1e-5)
    before = cubes.stack(quarters(0.8, None, None, None, 0.2))
    np.testing.assert_allclose(before.values[:, 0, 0], [0.8, 0.65, 0.5, 0.35, 0.0], atol=1e-5)


def test_empty_bins_at_both_ends_are_dropped_and_holes_are_interpolated_before_the_threshold() -> None:
    cube = cubes.stack(quarters(None, 0.8, None, None, None, 0.0))
    assert cube.starts[0] == date(2000, 4, 1)
    assert cube.status == ("observed", "interpolated", "interpolated", "interpolated", "observed")
    assert cube.n_scenes == (1, 0, 0, 0, 1)
    # 0.8, 0.6, 0.4, 0.2, 0.0 thresholded at 0.3 afterwards
    np.testing.assert_allclose(cube.values[:, 0, 0], [0.8, 0.6, 0.4, 0.0, 0.0], atol=1e-5)
    assert cube.interpolated_fraction == (0.0, 1.0, 1.0, 1.0, 0.0)


def test_a_hole_of_more_than_three_frames_cuts_the_record() -> None:
    series = quarters(0.8, 0.7, None, None, None, None, 0.6, 0.5, 0.4, 0.4, 0.5)
    old, new = cubes.records(series)
    assert (old.starts[0], len(old.starts)) == (date(2000, 1, 1), 2)
    assert (new.starts[0], len(new.starts)) == (date(2001, 7, 1), 5)
    assert cubes.stack(series).starts == new.starts
    assert cubes.stack(series[:4]).starts == cubes.records(series[:4])[0].starts


def test_a_cube_that_is_not_cut_keeps_the_hole_as_missing() -> None:
    whole = cubes.stack(quarters(0.8, 0.7, 0.6, 0.5, None, None, None, None, 0.6, 0.5, 0.4, 0.4), cut=False)
    assert len(whole.starts) == 12
    assert whole.status == ("observed",) * 4 + ("missing",) * 4 + ("observed",) * 4
    assert np.isnan(whole.values[4:8]).all()
    assert np.isfinite(whole.values[[0, 3, 8, 11]]).all()


def test_a_pixel_missing_at_the_ends_of_its_own_record_takes_its_nearest_value() -> None:
    first, last = np.full(GRID.shape, 0.9, dtype=np.float32), np.full(GRID.shape, 0.5, dtype=np.float32)
    first[0, 0] = np.nan
    last[1, 1] = np.nan
    first[2, 2] = last[2, 2] = np.nan
    middle = np.full(GRID.shape, 0.6, dtype=np.float32)
    middle[2, 2] = np.nan
    cube = cubes.stack([scene(date(2020, m, 1), v) for m, v in ((1, first), (4, middle), (7, last))])
    assert cube.values[0, 0, 0] == pytest.approx(0.6, rel=1e-5)
    assert cube.values[2, 1, 1] == pytest.approx(0.6, rel=1e-5)
    assert np.isnan(cube.values[:, 2, 2]).all()
    assert cube.status == ("observed",) * 3
    assert cube.interpolated_fraction[0] == pytest.approx(1 / 29)


def test_the_interpolation_agrees_with_numpys_pixel_by_pixel() -> None:
    rng = np.random.default_rng(4)
    series = rng.uniform(0.31, 0.95, (9, *GRID.shape)).astype(np.float32)
    holes = rng.random(series.shape) < 0.45
    series[holes] = np.nan
    days = [date(2000 + n // 4, 3 * (n % 4) + 1, 15) for n in range(9)]
    cube = cubes.stack([scene(day, frame) for day, frame in zip(days, series, strict=True)])
    offset = (cube.starts[0].year - 2000) * 4 + (cube.starts[0].month - 1) // 3
    for row, col in np.ndindex(GRID.shape):
        seen = np.flatnonzero(np.isfinite(series[:, row, col]))
        if seen.size:
            expected = np.interp(np.arange(len(cube.starts)) + offset, seen, series[seen, row, col])
            np.testing.assert_allclose(cube.values[:, row, col], expected, rtol=1e-4)


def test_a_scene_of_clouds_only_does_not_make_a_frame() -> None:
    cube = cubes.stack([*quarters(0.8, None, 0.6), scene(date(2000, 5, 1), np.nan)])
    assert cube.status == ("observed", "interpolated", "observed")
    with pytest.raises(cubes.EmptySeries, match="No scene of the series carries a value"):
        cubes.stack([scene(date(2000, 5, 1), np.nan)])
    with pytest.raises(cubes.EmptySeries):
        cubes.stack([])


def test_ndsi_rasters_make_a_series_too() -> None:
    ready = Stack(np.full((1, *GRID.shape), 0.45), ("ndsi",), GRID, datetime(2019, 2, 15, tzinfo=UTC))
    assert cubes.stack([ready]).values[0] == pytest.approx(0.45)


def test_scenes_come_one_by_one_and_are_not_kept() -> None:
    import weakref

    alive: list[weakref.ref] = []

    def one_by_one() -> Iterator[Stack]:
        for n in range(12):
            assert sum(ref() is not None for ref in alive) <= 2
            fresh = scene(date(2000 + n, 1, 1), 0.5)
            alive.append(weakref.ref(fresh))
            yield fresh
            del fresh

    assert len(cubes.stack(one_by_one(), months=12).starts) == 12


def test_what_does_not_fit_is_refused_with_a_sentence() -> None:
    with pytest.raises(MissingBands, match="needs green and swir1, or ndsi"):
        cubes.stack([Stack(np.zeros((1, *GRID.shape)), ("red",), GRID, datetime(2019, 2, 15, tzinfo=UTC))])
    elsewhere = Stack(
        np.zeros((1, 6, 5)), ("ndsi",), Grid(GRID.crs, GRID.transform, 5, 6), datetime(2019, 2, 1, tzinfo=UTC)
    )
    with pytest.raises(WrongGrid, match="different grids"):
        cubes.stack([*quarters(0.5), elsewhere])
    with pytest.raises(ValueError, match="no acquisition date"):
        cubes.stack([Stack(np.zeros((1, *GRID.shape)), ("ndsi",), GRID)])
    with pytest.raises(ValueError, match="needs months among"):
        cubes.stack(quarters(0.5), months=5)
