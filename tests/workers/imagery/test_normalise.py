from __future__ import annotations

import numpy as np
import pytest

from workers.imagery.normalise import Limits, per_image


def test_an_image_is_scaled_band_by_band_and_nan_is_left_out() -> None:
    image = np.array([[[1.0, 3.0], [np.nan, 2.0]], [[5.0, 5.0], [5.0, np.nan]]])
    out = per_image(image)
    np.testing.assert_allclose(out[0], [[0, 1], [np.nan, 0.5]])
    np.testing.assert_allclose(out[1], [[0, 0], [0, np.nan]])


def test_percentiles_ignore_an_outlier() -> None:
    image = np.arange(1000, dtype=np.float64).reshape(1, 20, 50)
    image[0, 0, 0] = 1e6
    out = per_image(image, (2, 98))
    assert np.median(out) == pytest.approx(0.5, abs=0.01)


def test_limits_of_the_training_split_do_not_clip_what_lies_outside() -> None:
    limits = Limits.of([np.array([[[0.0, 2.0]]]), np.array([[[np.nan, 4.0]]])])
    assert (limits.low, limits.high) == ((0.0,), (4.0,))
    np.testing.assert_allclose(limits.apply(np.array([[[8.0, -4.0, np.nan]]])), [[[2.0, -1.0, np.nan]]])
    with pytest.raises(ValueError, match="no valid value"):
        Limits.of([np.full((1, 2, 2), np.nan)])
