from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from workers.imagery.smoothing import smooth_in_time


@pytest.mark.parametrize(("n", "sigma"), [(464, 20.0), (90, 20.0), (30, 20.0), (7, 3.0)])
def test_smoothing_over_scenes_agrees_with_scipy_also_where_the_kernel_is_longer_than_the_series(n, sigma) -> None:
    values = np.random.default_rng(n).random((n, 2, 3, 5)).astype(np.float32)
    expected = gaussian_filter1d(values.astype(np.float64), sigma, axis=0, mode="reflect", truncate=4.0)
    np.testing.assert_allclose(smooth_in_time(values, "scenes", sigma), expected, atol=2e-6)


def test_missing_values_are_left_out_by_normalised_convolution() -> None:
    rng = np.random.default_rng(1)
    values = rng.random((60, 4)).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = np.nan
    seen = np.isfinite(values)
    kernel = {"sigma": 5.0, "axis": 0, "mode": "reflect", "truncate": 4.0}
    expected = gaussian_filter1d(np.where(seen, values, 0).astype(float), **kernel) / gaussian_filter1d(
        seen.astype(float), **kernel
    )
    np.testing.assert_allclose(smooth_in_time(values, "scenes", 5.0), expected, atol=1e-5)
    assert np.isnan(smooth_in_time(np.full((5, 2), np.nan, dtype=np.float32), "scenes", 2.0)).all()


def test_one_scene_reaches_as_far_as_the_kernel_however_many_are_missing_beside_it() -> None:
    daily = np.full((2000, 1), np.nan, dtype=np.float32)
    daily[0] = 3.0
    out = smooth_in_time(daily, "days", 180.0, np.arange(2000.0))
    np.testing.assert_allclose(out[:721], 3.0, rtol=1e-5)
    assert np.isnan(out[721:]).all()


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan")])
def test_a_kernel_without_width_is_refused(sigma: float) -> None:
    with pytest.raises(ValueError, match="needs a sigma above 0"):
        smooth_in_time(np.ones((5, 1), dtype=np.float32), "scenes", sigma)


def test_the_published_smoothing_is_refused_below_two_hundred_scenes() -> None:
    with pytest.raises(ValueError, match="needs 200 scenes, there are 199"):
        smooth_in_time(np.zeros((199, 2, 2), dtype=np.float32), "paper")
    assert smooth_in_time(np.ones((200, 2, 2), dtype=np.float32), "paper") == pytest.approx(1, abs=1e-6)


def test_a_single_scene_and_the_default_change_nothing() -> None:
    one = np.random.default_rng(0).random((1, 3, 3)).astype(np.float32)
    np.testing.assert_array_equal(smooth_in_time(one, "paper"), one)
    many = np.random.default_rng(0).random((9, 3, 3)).astype(np.float32)
    assert smooth_in_time(many) is many


def test_smoothing_in_days_weighs_scenes_by_the_days_between_them() -> None:
    days = np.array([0.0, 16.0, 400.0, 2000.0])
    values = np.array([[1.0], [3.0], [10.0], [7.0]], dtype=np.float32)
    out = smooth_in_time(values, "days", 180.0, days)
    weight = np.exp(-0.5 * ((days[:, None] - days) / 180) ** 2) * (np.abs(days[:, None] - days) <= 720)
    np.testing.assert_allclose(out, weight @ values / weight.sum(axis=1, keepdims=True), rtol=1e-5)
    assert out[3, 0] == 7
    with pytest.raises(ValueError, match="the day of each"):
        smooth_in_time(values, "days", 180.0, days[:2])
    with pytest.raises(ValueError, match="is not known"):
        smooth_in_time(values, "median")
