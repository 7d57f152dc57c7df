from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from workers.imagery.gaps import gap_fill


def reference(image: np.ndarray, passes: int) -> np.ndarray:
    """The definition in words, pixel by pixel."""
    weight = np.outer([1, 2, 3, 2, 1], [1, 2, 3, 2, 1])
    image = image.astype(np.float64)
    for _ in range(passes):
        before = np.pad(image, 2, constant_values=np.nan)
        for row, col in np.argwhere(np.isnan(image)):
            part = before[row : row + 5, col : col + 5]
            seen = ~np.isnan(part)
            if seen.any():
                image[row, col] = (weight * np.where(seen, part, 0)).sum() / weight[seen].sum()
    return image


@pytest.mark.parametrize("passes", [1, 2, 5])
def test_every_pass_follows_the_definition(passes: int) -> None:
    rng = np.random.default_rng(3)
    image = rng.random((40, 33)).astype(np.float32)
    image[rng.random(image.shape) < 0.6] = np.nan
    image[10:24, 8:25] = np.nan
    filled, mask, reason = gap_fill(image, passes)
    np.testing.assert_allclose(filled, reference(image, passes), rtol=2e-5)
    assert reason is None
    np.testing.assert_array_equal(mask, np.isnan(image) & ~np.isnan(filled))


def test_the_denominator_counts_valid_weights_only() -> None:
    image = np.full((5, 5), np.nan, dtype=np.float32)
    image[0, 0] = 0.7
    filled, _, _ = gap_fill(image, passes=1)
    assert filled[2, 2] == np.float32(0.7)
    assert np.isnan(filled[3, 3])


def test_what_the_passes_do_not_reach_stays_nan_and_more_passes_reach_it() -> None:
    image = np.full((60, 60), np.nan, dtype=np.float32)
    image[0] = 1
    filled, mask, reason = gap_fill(image)
    assert np.isfinite(filled[:11]).all()
    assert np.isnan(filled[11:]).all()
    assert mask[1:11].all()
    assert reason is None
    assert np.isfinite(gap_fill(image, passes=None)[0]).all()


def test_a_gap_of_twenty_pixels_closes_in_five_passes_when_both_sides_are_valid() -> None:
    image = np.ones((30, 60), dtype=np.float32)
    image[:, 20:40] = np.nan
    assert np.isfinite(gap_fill(image)[0]).all()
    image[:, 20:41] = np.nan
    assert np.isnan(gap_fill(image)[0]).any()


def test_an_empty_image_is_left_alone_with_a_reason() -> None:
    empty = np.full((2, 6, 6), np.nan, dtype=np.float32)
    empty[1] = 1
    filled, mask, reason = gap_fill(empty)
    assert np.isnan(filled[0]).all()
    assert not mask.any()
    assert reason == "no_valid_pixels"


def test_a_full_image_and_the_input_itself_are_untouched() -> None:
    image = np.random.default_rng(0).random((300, 300)).astype(np.float32)
    holed = image.copy()
    holed[::7] = np.nan
    before = holed.copy()
    np.testing.assert_array_equal(gap_fill(image)[0], image)
    gap_fill(holed)
    np.testing.assert_array_equal(holed, before)


def striped(sigma_px: float) -> tuple[np.ndarray, np.ndarray]:
    """A smooth field of sd 0.1, and the same with stripes of two pixels missing every 17."""
    field = gaussian_filter(np.random.default_rng(5).standard_normal((300, 300)), sigma_px)
    field = (field / field.std() * 0.1 + 0.5).astype(np.float32)
    holed = field.copy()
    for start in range(0, 300, 17):
        holed[start : start + 2] = np.nan
    return field, holed


@pytest.mark.parametrize("sigma_px", [2.0, 3.0, 4.0])
def test_two_pixel_stripes_leave_a_smooth_field_true_to_a_fiftieth(sigma_px: float) -> None:
    field, holed = striped(sigma_px)
    filled, mask, _ = gap_fill(holed)
    assert np.sqrt(np.mean((filled - field) ** 2)) <= 0.02
    if sigma_px > 2:  # over the filled pixels alone a field of sigma 2 leaves 0.034: half a hill lies in the gap
        assert np.sqrt(np.mean((filled[mask] - field[mask]) ** 2)) <= 0.02


def test_a_series_is_not_taken_for_an_image() -> None:
    with pytest.raises(ValueError, match="fill a series image by image"):
        gap_fill(np.zeros((2, 3, 4, 5), dtype=np.float32))
