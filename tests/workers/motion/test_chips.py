"""Correlation of chips, search and chains, against loops, scikit-image and shifts that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import fourier_shift, gaussian_filter
from scipy.stats import pearsonr
from skimage.feature import match_template

from workers.motion import chips


def texture(size=96, sigma=1.2, seed=0):
    return gaussian_filter(np.random.default_rng(seed).normal(size=(size, size)), sigma, mode="wrap")


def moved(image, rows, cols):
    return np.fft.ifft2(fourier_shift(np.fft.fft2(image), (rows, cols))).real


def by_loop(chip, window):
    h, w = chip.shape
    return np.array([[chips.correlation_index(chip, window[y : y + h, x : x + w])
                      for x in range(window.shape[1] - w + 1)] for y in range(window.shape[0] - h + 1)])


def test_the_correlation_index_is_that_of_pearson():
    a, b = np.random.default_rng(0).random((2, 9, 9))
    assert chips.correlation_index(a, b) == pytest.approx(pearsonr(a.ravel(), b.ravel()).statistic)


def test_gain_and_offset_do_not_matter_and_a_negative_is_minus_one():
    a = texture(20)
    assert chips.correlation_index(a, 300 * a + 7) == pytest.approx(1)
    assert chips.correlation_index(a, -a) == pytest.approx(-1)


def test_only_pixels_known_in_both_count():
    a, b = np.random.default_rng(1).random((2, 10, 10))
    a[0], b[:, 0] = np.nan, np.nan
    assert chips.correlation_index(a, b) == pytest.approx(pearsonr(a[1:, 1:].ravel(), b[1:, 1:].ravel()).statistic)


def test_a_constant_chip_has_no_correlation():
    assert np.isnan(chips.correlation_index(np.full((8, 8), 0.1), texture(8)))
    assert np.isnan(chips.correlation_surface(np.full((8, 8), 0.1), texture(20))).all()
    window = texture(24)
    window[:12, :12] = 0.25
    surface = chips.correlation_surface(texture(8, seed=3), window)
    np.testing.assert_array_equal(np.isnan(surface), np.isnan(by_loop(texture(8, seed=3), window)))
    assert np.isnan(surface[:5, :5]).all()


def test_with_less_than_half_of_the_pixels_known_there_is_no_correlation():
    a, b = np.random.default_rng(1).random((2, 10, 10))
    a[:5] = np.nan
    assert np.isfinite(chips.correlation_index(a, b))
    a[5, 0] = np.nan
    assert np.isnan(chips.correlation_index(a, b))


def test_the_surface_without_holes_is_that_of_a_loop_and_of_scikit_image():
    chip, window = texture(9, seed=1), texture(31, seed=2) + 1000
    surface = chips.correlation_surface(chip, window)
    np.testing.assert_allclose(surface, by_loop(chip, window), atol=2e-5)
    np.testing.assert_allclose(surface, match_template(window, chip), atol=2e-5)


def test_the_surface_with_holes_is_that_of_a_loop():
    chip, window = texture(9, seed=1), texture(31, seed=2) + 10
    rng = np.random.default_rng(0)
    chip[rng.random(chip.shape) < 0.15] = np.nan
    window[rng.random(window.shape) < 0.2] = np.nan
    window[20:, 20:] = np.nan
    expected = by_loop(chip, window)
    surface = chips.correlation_surface(chip, window)
    np.testing.assert_array_equal(np.isnan(surface), np.isnan(expected))
    np.testing.assert_allclose(surface, expected, atol=1e-9)


def test_a_chip_is_found_where_it_went():
    image = texture()
    match = chips.find(image[40:61, 30:51], moved(image, 3, -4), 40, 30)
    assert (match.row, match.col) == (43, 26)
    assert (match.d_row, match.d_col) == pytest.approx((3, -4), abs=0.02)
    assert match.ci == pytest.approx(1)
    assert match.flags == ()


def test_a_fraction_of_a_pixel_is_found_by_a_parabola():
    image = texture(sigma=2.5)
    match = chips.find(image[30:62, 30:62], moved(image, 1.3, -2.4), 30, 30)
    assert (match.d_row, match.d_col) == pytest.approx((1.3, -2.4), abs=0.1)


def test_the_vertex_of_a_parabola():
    def f(x):
        return 3 - (x - 0.27) ** 2
    assert chips.subpixel(f(-1), f(0), f(1)) == pytest.approx(0.27)
    assert chips.subpixel(1, 1, 1) == 0


def test_chips_of_21_px_are_found_under_noise_within_the_bar():
    rng = np.random.default_rng(4)
    image = texture(160, 1.5)
    image /= image.std()
    errors = []
    for _ in range(60):
        rows, cols = rng.uniform(-5, 5, 2)
        second = moved(image, rows, cols) + rng.normal(0, 0.5, image.shape)
        row, col = rng.integers(20, 119, 2)
        match = chips.find(image[row : row + 21, col : col + 21], second, row, col, search=1.7)
        errors.append(np.hypot(match.d_row - rows, match.d_col - cols))
    assert np.median(errors) <= 0.7
    assert np.mean(np.array(errors) <= 1) >= 0.55


def test_the_window_of_a_128_px_chip_reaches_32_px():
    image = texture(260, 2.0)
    for shift, found in ((32, True), (33, False)):
        match = chips.find(image[60:188, 60:188], moved(image, 0, shift), 60, 60)
        assert (match.col == 60 + shift) == found
        assert match.col <= 92


def test_on_ties_the_first_in_row_major_order_wins():
    tile = np.random.default_rng(0).random((8, 8))
    match = chips.find(tile, np.tile(tile, (3, 3)), 8, 8, search=3.0)
    assert (match.row, match.col) == (0, 0)
    assert "ambiguous" in match.flags


def test_at_the_edge_of_the_image_the_window_is_clipped_and_the_match_flagged():
    image = texture()
    match = chips.find(image[0:21, 0:21], image, 0, 0)
    assert (match.row, match.col) == (0, 0)
    assert (match.d_row, match.d_col) == (0, 0)
    assert match.flags == ("at_border",)


def test_a_match_that_is_no_match_is_flagged():
    match = chips.find(texture(96, 0.5)[40:61, 40:61], texture(96, 0.5, seed=1), 40, 40)
    assert "low_correlation" in match.flags or match.ci >= 0.3
    strong = chips.find(texture(96, 0.5)[20:61, 20:61], texture(96, 0.5, seed=1), 20, 20)
    assert "low_correlation" in strong.flags


@pytest.mark.parametrize("chip", [np.full((21, 21), np.nan), np.ones((21, 21))])
def test_where_nothing_can_be_compared_nothing_is_found(chip):
    match = chips.find(chip, texture(), 40, 40)
    assert (match.row, match.col) == (40, 40)
    assert np.isnan([match.ci, match.d_row, match.d_col]).all()
    assert match.flags == ("no_match",)


def test_a_chain_follows_from_the_new_place_further_than_one_window():
    image = texture(128)
    frames = [moved(image, 4 * t, 5 * t) for t in range(6)]
    chain = chips.track(frames, 20, 20, size=24)                        # one window reaches 6 px
    assert chain.rows == (20, 24, 28, 32, 36, 40)
    assert chain.cols == (20, 25, 30, 35, 40, 45)
    assert chain.chips.shape == (6, 24, 24)
    np.testing.assert_allclose(chain.chips[5], chain.chips[0], atol=1e-5)


def test_a_chip_outside_the_frame_is_refused():
    with pytest.raises(ValueError, match="does not lie inside"):
        chips.track([texture(), texture()], 80, 0, size=24)
    with pytest.raises(ValueError, match="does not fit"):
        chips.correlation_surface(texture(30), texture(20))


def test_a_chip_that_is_constant_where_both_are_known_is_no_match_however_bright_its_hidden_part():
    rng = np.random.default_rng(0)
    chip, image = np.full((64, 64), 0.1), rng.random((64, 64))
    chip[:, 32:] = 1e4 * rng.random((64, 32))
    image[:, 32:] = np.nan
    assert np.isfinite(chips.correlation_surface(chip, image)).any(), "rounding makes the flat part look textured"
    match = chips.find(chip, image, 0, 0, search=1.0)
    assert match.flags == ("no_match",) and np.isnan(match.ci)
