"""Flow of textures moved by a known amount, exactly, in Fourier space."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import fourier_shift, gaussian_filter

from workers.motion import farneback


def texture(size=192, sigma=2.0, seed=0):
    return gaussian_filter(np.random.default_rng(seed).normal(size=(size, size)), sigma, mode="wrap")


def moved(image, rows, cols):
    """The image, periodic, moved south by ``rows`` and east by ``cols`` px without interpolation error."""
    return np.fft.ifft2(fourier_shift(np.fft.fft2(image), (rows, cols))).real


def error_px(flow, rows, cols, rim=16):
    inner = flow[rim:-rim, rim:-rim]
    return np.hypot(inner[..., 0] - cols, inner[..., 1] - rows)


@pytest.mark.parametrize("sigma", [1.5, 2.5])
@pytest.mark.parametrize(("shift", "bar"), [(0.5, 0.08), (1.0, 0.02), (2.0, 0.02), (4.0, 0.02), (6.0, 0.02)])
def test_a_pure_translation_is_recovered(shift, bar, sigma):
    image = texture(sigma=sigma, seed=int(10 * shift))
    error = error_px(farneback.dense_flow(image, moved(image, 0, shift)), 0, shift)
    assert np.isfinite(error).mean() > 0.99
    assert np.nanmean(error) <= bar


def test_the_first_component_points_east_and_the_second_south():
    image = texture()
    flow = farneback.dense_flow(image, moved(image, -2, 3))
    np.testing.assert_allclose(np.nanmedian(flow, (0, 1)), [3, -2], atol=0.05)


@pytest.mark.parametrize(("gain", "offset"), [(1e-4, 0.0), (1.0, 0.0), (1e4, -3e4)])
def test_units_of_the_image_do_not_matter(gain, offset):
    """Reflectances of 0..1 would otherwise give a flow of nothing."""
    image = texture()
    flow = farneback.dense_flow(image * gain + offset, moved(image, 0, 2) * gain + offset)
    assert np.nanmean(error_px(flow, 0, 2)) < 0.02


def test_both_images_are_scaled_by_the_same_limits():
    image = np.linspace(0, 1, 400).reshape(20, 20)
    a, b = farneback.scale_together(image, image / 2)
    np.testing.assert_allclose(b[5:15], a[5:15] / 2, atol=2.0)
    assert 0 <= min(a.min(), b.min()) < max(a.max(), b.max()) <= 255


def test_a_brightness_slope_disturbs_the_flow_less_when_high_passed():
    image = texture(sigma=1.5)
    slope = np.add.outer(np.zeros(192), np.linspace(0, 8 * image.std(), 192))
    first, second = image, moved(image, 0, 2) + slope
    plain, passed = (error_px(farneback.dense_flow(first, second, high_pass_px=p, agree_px=None), 0, 2)
                     for p in (None, 5.0))
    assert np.mean(passed) < 0.5 * np.mean(plain)


def test_pixels_unknown_in_either_image_are_unknown_in_the_flow():
    image = texture()
    second = moved(image, 0, 2)
    first = image.copy()
    first[50:60, 50:60] = np.nan
    second[100:110, 100:110] = np.nan
    flow = farneback.dense_flow(first, second)
    assert np.isnan(flow[50:60, 50:60]).all()
    assert np.isnan(flow[100:110, 100:110]).all()
    far = error_px(flow, 0, 2)[120:, :]
    assert np.nanmean(far) < 0.05


def test_flow_that_does_not_lead_back_is_unknown():
    image = texture()
    second = moved(image, 0, 2)
    second[60:130, 60:130] = texture(70, seed=9)                   # something else lies there now
    checked = farneback.dense_flow(image, second)
    unchecked = farneback.dense_flow(image, second, agree_px=None)
    assert np.isfinite(unchecked).all()
    lost = np.isnan(checked[..., 0])
    assert lost[65:125, 65:125].mean() > 0.3
    assert lost[10:40, 10:180].mean() < 0.05


def test_the_way_back_starts_where_the_way_forth_ended():
    forth = np.full((20, 30, 2), (3, 1), np.float32)
    back = np.zeros((20, 30, 2), np.float32)
    back[:, 15:] = (-3, -1)
    apart = farneback.disagreement(forth, back)
    np.testing.assert_allclose(apart[:19, 12:26], 0, atol=1e-6)
    np.testing.assert_allclose(apart[:19, :12], np.hypot(3, 1), rtol=1e-6)
    np.testing.assert_allclose(apart[:19, 26], 0, atol=1e-6)
    assert np.isnan(apart[:, 27:]).all()
    assert np.isnan(apart[19]).all()


def test_flow_out_of_the_image_is_unknown():
    image = texture()
    flow = farneback.dense_flow(image, moved(image, 0, 6))
    assert np.isnan(flow[:, -3:]).mean() > 0.8


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_images_without_contrast_have_no_flow(value):
    flat = np.full((64, 64), value)
    assert np.isnan(farneback.dense_flow(flat, flat)).all()


def test_images_of_different_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(64, 64\).*\(64, 32\)"):
        farneback.dense_flow(np.zeros((64, 64)), np.zeros((64, 32)))


def test_arrows_stand_forty_pixels_apart_where_the_flow_is_known():
    flow = np.ones((100, 130, 2), np.float32) * [1, 2]
    flow[20, 20] = np.nan
    found = farneback.arrows(flow)
    assert [(a.row, a.col) for a in found] == [(20, 60), (20, 100), (60, 20), (60, 60), (60, 100)]
    assert (found[0].u, found[0].v) == (1, 2)
