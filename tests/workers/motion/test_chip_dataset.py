"""Sequences of chips: how many, which are left out, how they are scaled."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from workers.motion import chip_dataset

SEVEN = ("coastal", "blue", "green", "red", "nir", "swir1", "swir2")


def test_1525_chips_of_seven_bands_are_10675_sequences():
    frames = np.random.default_rng(0).random((2, 7, 25 * 4, 61 * 4)).astype(np.float32)
    found = list(chip_dataset.sequences(frames, SEVEN, size=4, search=1.0))
    assert len(found) == 1525 * 7 == 10_675
    assert found[7].band == "coastal"
    assert found[0].frames.shape == (2, 4, 4)


def test_every_band_is_cut_where_the_tracked_one_went():
    still = gaussian_filter(np.random.default_rng(0).normal(size=(60, 60)), 1.2)
    frames = np.stack([np.stack([np.roll(still, 2 * t, 1), np.full((60, 60), t)]) for t in range(4)])
    first, second = list(chip_dataset.sequences(frames, ("green", "nir"), size=20, step=40))[:2]
    assert first.cols == (0, 2, 4, 6)
    np.testing.assert_allclose(first.frames[3], first.frames[0])
    np.testing.assert_array_equal(second.frames[:, 0, 0], [0, 1, 2, 3])


def test_chips_in_the_corner_of_a_scene_are_left_out():
    frames = np.random.default_rng(0).random((12, 1, 40, 40)).astype(np.float32)
    frames[5, 0, :20, :20] = np.nan
    frames[5, 0, 20, 20:40] = np.nan                                   # 5 % of that chip
    found = {(s.row, s.col) for s in chip_dataset.sequences(frames, ("green",), size=20, search=1.0)}
    assert found == {(0, 20), (20, 0), (20, 20)}


def test_a_band_that_lacks_a_corner_of_a_chip_gives_no_sequence_of_it():
    frames = np.random.default_rng(0).random((3, 2, 40, 40)).astype(np.float32)
    frames[2, 1, 20:30, :10] = np.nan                                  # of the second band alone
    found = {(s.band, s.row, s.col) for s in chip_dataset.sequences(frames, ("green", "nir"), size=20, search=1.0)}
    assert len(found) == 7
    assert ("green", 20, 0) in found and ("nir", 20, 0) not in found


def test_the_limits_come_from_the_conditioning_frames_alone():
    frames = np.random.default_rng(0).random((12, 6, 6)).astype(np.float32)
    frames[9] = 50
    scaled, lo, hi = chip_dataset.unit_range(frames)
    assert (lo, hi) == (frames[:8].min(), frames[:8].max())
    assert scaled[:8].min() == 0
    assert scaled[:8].max() == 1
    assert (scaled[9] == 1).all()
    np.testing.assert_allclose(scaled[3], (frames[3] - lo) / (hi - lo), rtol=1e-5)


def test_holes_are_filled_and_chips_without_contrast_are_zero():
    frames = np.random.default_rng(0).random((12, 6, 6)).astype(np.float32)
    frames[2, 1, 1] = np.nan
    assert np.isfinite(chip_dataset.unit_range(frames)[0]).all()
    assert not chip_dataset.unit_range(np.full((12, 4, 4), 0.3))[0].any()
    assert not chip_dataset.unit_range(np.full((12, 4, 4), np.nan))[0].any()


def test_frames_too_close_too_far_apart_or_out_of_order_are_named():
    dates = [date(2016, 1, 1), date(2016, 1, 10), date(2016, 6, 1), date(2017, 6, 1), date(2017, 5, 1)]
    assert chip_dataset.odd_gaps(dates) == [1, 3, 4]


def test_band_names_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="2 band names"):
        next(chip_dataset.sequences(np.zeros((12, 3, 9, 9)), ("green", "nir"), size=4))
