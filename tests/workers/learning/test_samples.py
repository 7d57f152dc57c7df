"""Samples: what belongs together stays together, and windows carry the truth of their own place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest
from affine import Affine

from workers.forecasting.default_forecaster import Config
from workers.imagery.grid import Grid
from workers.imagery.rasters import Stack
from workers.learning.samples import (
    ForecastWindows,
    Place,
    SegmentSample,
    TruthWindows,
    folds,
    manifest_of,
    offers,
    split_groups,
)  # fmt: skip


@dataclass(frozen=True)
class Frames:
    """The part of a cube that windows are cut from."""

    values: np.ndarray
    starts: tuple[date, ...]
    months: int = 3


def frames(count: int, side: int = 24) -> Frames:
    values = np.random.default_rng(0).random((count, side, side), dtype=np.float32)
    return Frames(values, tuple(date(2010 + k // 4, 3 * (k % 4) + 1, 1) for k in range(count)))


def test_groups_fall_into_sixty_twenty_twenty_and_stay_where_they_are():
    names = [f"tile {k}" for k in range(2000)]
    sets = split_groups(names, seed=1)
    shares = [sum(v == kind for v in sets.values()) / 2000 for kind in ("train", "validation", "test")]
    assert shares == pytest.approx([0.6, 0.2, 0.2], abs=0.03)
    assert {name: split_groups(names[:1000], seed=1)[name] for name in names[:1000]}.items() <= sets.items()


@pytest.mark.parametrize(("count", "expected"), [(1, {"train"}), (2, {"train", "validation"}),
                                                 (3, {"train", "validation", "test"})])
def test_few_groups_leave_no_set_empty_that_could_be_filled(count, expected):
    for seed in range(10):
        assert set(split_groups(map(str, range(count)), seed).values()) == expected


def test_folds_hold_every_group_out_once():
    parts = folds([str(year) for year in range(1990, 2003)] * 2)
    assert len(parts) == 5 and sorted(name for part in parts for name in part) == [str(y) for y in range(1990, 2003)]
    assert folds(["a", "b"]) == [{"a"}, {"b"}]


def test_the_manifest_changes_with_one_pixel_a_name_or_the_order():
    a, b = np.zeros((3, 3), np.float32), np.ones((3, 3), np.float32)
    first = manifest_of([("x", a), ("y", b)])
    assert len(first) == 64 and first == manifest_of([("x", a.copy()), ("y", b.copy())])
    other = b.copy()
    other[1, 1] = 2
    changed = [[("x", a), ("y", other)], [("x", a), ("z", b)], [("y", b), ("x", a)]]
    assert len({first, *map(manifest_of, changed)}) == 4


def test_windows_are_padded_and_what_is_missing_has_no_label():
    image = np.ones((2, 20, 30), np.float32)
    image[1, :4] = np.nan
    windows = TruthWindows([image], [np.ones((20, 30))], patch=32)
    images, truth = windows.batch(np.array([0]), None)
    assert images.shape == (1, 2, 32, 32) and np.isfinite(images.numpy()).all()
    truth = truth.numpy()
    assert np.isnan(truth[0, :4, :30]).all() and (truth[0, 4:20, :30] == 1).all()


def test_random_windows_show_the_truth_of_their_own_place():
    row, col = np.mgrid[:64, :64].astype(np.float32)
    windows = TruthWindows([np.stack([row, col])], [row * 100 + col], patch=16)
    images, truth = windows.batch(np.arange(8), np.random.default_rng(3))
    assert np.array_equal(truth, images[:, 0] * 100 + images[:, 1])
    assert len({float(t[0, 0]) for t in truth}) > 1


def test_series_windows_come_out_time_first():
    series = np.random.default_rng(0).random((2, 5, 32, 32), dtype=np.float32)     # (C, T, H, W)
    images, _ = TruthWindows([series], [np.ones((32, 32))], patch=32).batch(np.array([0]), None)
    assert np.array_equal(images[0], series.swapaxes(0, 1))


def test_a_forecast_sample_is_frames_climatology_and_what_came():
    cube, config = frames(16), Config(patch=8, forgetting=0.0)
    windows = ForecastWindows([cube], [Place(0, 5, 3, 2)], config, [np.ones(16, bool)])
    seen, usual, truth = (part[0].numpy() for part in windows.batch(np.array([0]), None))
    cut = cube.values[:, 3:11, 2:10]
    assert np.array_equal(seen, cut[5:9]) and np.array_equal(truth, cut[9:13])
    for k in range(8):
        others = [f for f in range(16) if f % 4 == (5 + k) % 4 and not 9 <= f < 13]
        assert usual[k] == pytest.approx(cut[others].mean(0), rel=1e-5)


def test_a_forecast_sample_counts_near_years_more_where_its_network_forgets():
    cube, config = frames(24), Config(patch=8, forgetting=0.5)
    usual = ForecastWindows([cube], [Place(0, 4, 0, 0)], config, [np.ones(24, bool)]).batch(np.array([0]), None)[1]
    years = cube.values[[1, 5, 13, 17, 21], :8, :8]                                 # the target is frame 9
    assert usual[0, 5].numpy() == pytest.approx(np.average(years, 0, [0.25, 0.5, 0.5, 0.25, 0.125]), rel=1e-5)


def test_the_climatology_of_a_training_sample_knows_neither_its_targets_nor_held_out_frames():
    cube, config = frames(24), Config(patch=8)
    keep = np.arange(24) < 16
    place = [Place(0, 4, 0, 0)]
    before = ForecastWindows([cube], place, config, [keep]).batch(np.array([0]), None)[1]
    cube.values[16:] = 9
    cube.values[8:12] = 9
    after = ForecastWindows([cube], place, config, [keep]).batch(np.array([0]), None)[1]
    assert np.array_equal(before, after)


def test_a_gap_lies_between_what_is_seen_and_what_is_to_be_said():
    cube, config = frames(12), Config(patch=8)
    windows = ForecastWindows([cube], [Place(0, 0, 0, 0)], config, [np.zeros(12, bool)], gap=4)
    seen, usual, truth = (part[0].numpy() for part in windows.batch(np.array([0]), None))
    assert np.array_equal(seen, cube.values[:4, :8, :8]) and np.array_equal(truth, cube.values[8:, :8, :8])
    assert np.isnan(usual).all()


def test_truth_that_does_not_lie_on_the_stack_is_refused():
    grid = Grid("EPSG:32626", Affine(30, 0, 500_000, 0, -30, 5_100_000), 4, 4)
    stack = Stack(np.zeros((2, 4, 4), np.float32), ("green", "swir1"), grid)
    with pytest.raises(ValueError, match="grid"):
        SegmentSample(stack, np.zeros((5, 4)), "a")
    assert offers(stack, "ndsi") and offers(stack, "green") and not offers(stack, "ndwi")
