from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.imagery import windows
from workers.imagery.grid import Grid


def test_the_published_sample_counts_are_reproduced() -> None:
    assert len(windows.origins(800, 50, 10)) == 76
    assert windows.count_samples(800, 800, frames=35) == 161_728
    assert windows.count_samples(800, 800, frames=36) == 167_504
    assert windows.count_samples(600, 600, frames=19) == 37_632


def test_the_published_split_has_its_published_sizes() -> None:
    train, validation, test = windows.paper_split(161_728, seed=0)
    assert (len(train), len(validation), len(test)) == (116_444, 12_938, 32_346)
    assert len(np.unique(np.concatenate([train, validation, test]))) == 161_728


def test_the_purged_split_of_the_published_scale() -> None:
    split = windows.purged_split(35, 800)
    assert split.test_starts == (24, 25, 26, 27)
    assert split.purged_starts == (21, 22, 23)
    assert split.train_starts == tuple(range(21))
    rows = len(windows.origins(800, 50, 10))
    assert rows * rows * len(split.test_starts) == 23_104
    assert len(split.train_cols) * rows == 4_788
    assert len(split.purged_cols) * rows == 380
    assert len(split.validation_cols) * rows == 608
    assert (split.train_cols[-1], split.purged_cols[0], split.validation_cols[0]) == (620, 630, 680)


@settings(max_examples=60, deadline=None)
@given(
    frames=st.integers(20, 80), width=st.integers(120, 400), size=st.integers(8, 32), step=st.integers(4, 32),
    lead=st.integers(0, 3),
)  # fmt: skip
def test_no_training_sample_shares_a_frame_or_pixel_with_what_it_is_tested_on(frames, width, size, step, lead) -> None:
    split = windows.purged_split(frames, width, size, step, lead=lead)
    needed = 8 + lead
    last_taught = max(split.train_starts) + needed - 1
    assert all(start + 4 + lead > last_taught for start in split.test_starts)
    assert max(split.train_cols) + size < min(split.validation_cols) + 1


def test_the_spatial_split_leaves_one_window_between() -> None:
    split = windows.spatial_split(480, 50, 10)
    assert split.train[-1] + 50 < split.test[0]
    assert split.test[0] - split.purged[0] == 50
    with pytest.raises(ValueError, match="use smaller windows"):
        windows.spatial_split(70, 50, 10)


def test_origins_run_while_a_window_fits_and_cover_the_rest_on_demand() -> None:
    assert windows.origins(100, 30, 30) == [0, 30, 60]
    assert windows.origins(100, 30, 30, cover=True) == [0, 30, 60, 70]
    assert windows.origins(90, 30, 30, cover=True) == [0, 30, 60]
    assert windows.origins(20, 30, 30) == [0]
    with pytest.raises(ValueError, match="at least 1 pixel"):
        windows.origins(20, 0, 1)


def test_an_image_smaller_than_a_patch_is_mirrored_and_cropped_again() -> None:
    image = np.arange(30, dtype=np.float32).reshape(1, 5, 6)
    ((row, col, patch),) = windows.patches(image, 8, 4)
    assert (row, col) == (0, 0)
    np.testing.assert_array_equal(patch, np.pad(image, ((0, 0), (0, 3), (0, 2)), mode="reflect"))
    np.testing.assert_allclose(windows.stitch([(0, 0, patch)], (1, 5, 6)), image, rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(3, 40), width=st.integers(3, 40), size=st.integers(2, 16), step=st.integers(1, 16),
    kind=st.sampled_from(["gaussian", "uniform"]),
)  # fmt: skip
def test_stitching_the_untouched_windows_gives_the_image_back(height, width, size, step, kind) -> None:
    image = np.random.default_rng(height * 41 + width).random((2, height, width)).astype(np.float32)
    cut = windows.patches(image, size, min(step, size), cover=True)
    np.testing.assert_allclose(windows.stitch(cut, image.shape, kind), image, rtol=1e-5)


def test_blending_is_the_weighted_mean_by_the_gaussian_of_the_distance_to_the_middle() -> None:
    size, sigma = 5, 1.0
    u = np.linspace(-1, 1, size)
    w = np.exp(-(u[:, None] ** 2 + u[None, :] ** 2) / 2)
    np.testing.assert_allclose(windows.weights(size, "gaussian", sigma), w, rtol=1e-6)
    stitched = windows.stitch([(0, 0, np.zeros((5, 5))), (0, 3, np.ones((5, 5)))], (5, 8))
    assert stitched[2, 3] == pytest.approx(w[2, 0] / (w[2, 3] + w[2, 0]), rel=1e-6)
    assert stitched[2, 0] == 0
    assert stitched[2, 7] == 1


def test_where_no_window_lies_and_where_it_is_nan_the_result_is_nan() -> None:
    holed = np.ones((4, 4))
    holed[0, 0] = np.nan
    stitched = windows.stitch([(0, 0, holed)], (6, 6))
    assert np.isnan(stitched[0, 0])
    assert np.isnan(stitched[5, 5])
    assert stitched[1, 1] == 1
    assert np.isnan(windows.stitch([], (3, 3))).all()
    with pytest.raises(ValueError, match="not known"):
        windows.weights(4, "cosine")


def test_too_few_frames_are_refused_with_the_number_needed() -> None:
    with pytest.raises(windows.TooFewFrames, match=r"needs 8 frames.*has 7"):
        windows.sequences(7)
    assert list(windows.sequences(12, lead=4)) == [0]
    with pytest.raises(ValueError, match="leave no purged split"):
        windows.purged_split(9, 800)


def test_a_tile_always_falls_into_the_same_set_in_the_asked_shares() -> None:
    sets = Counter(windows.tile_set("alps", f"{i}_{j}") for i in range(60) for j in range(60))
    assert sets["train"] / 3600 == pytest.approx(0.6, abs=0.03)
    assert sets["validation"] / 3600 == pytest.approx(0.2, abs=0.03)
    assert windows.tile_set("alps", "3_4") == windows.tile_set("alps", "3_4")
    assert {windows.tile_set("alps", "3_4", seed) for seed in range(30)} == {"train", "validation", "test"}


def test_tiles_belong_to_the_place_and_not_to_the_raster() -> None:
    grid = Grid("EPSG:32632", Affine(30, 0, 500_100, 0, -30, 5_200_200), 700, 500)
    whole = {name: (rows, cols) for name, rows, cols in windows.tiles(grid)}
    covered = np.zeros(grid.shape, dtype=int)
    for rows, cols in whole.values():
        covered[rows, cols] += 1
    assert (covered == 1).all()
    part = grid.part(0, 350, 500, 350)
    assert {name for name, _, _ in windows.tiles(part)} <= set(whole)


def test_regions_and_last_years_are_held_out_whole() -> None:
    regions = ["alps", "andes", "alps", "altai"]
    held = {name: (list(train), list(test)) for name, train, test in windows.leave_one_region_out(regions)}
    assert held["alps"] == ([1, 3], [0, 2])
    train, test = windows.leave_last_years_out([2001, 2005, 2003, 2005], 1)
    assert (list(train), list(test)) == ([0, 2], [1, 3])
