"""Augmentations: labels stay labels, images move with them, and chance comes only from the generator."""

from __future__ import annotations

import numpy as np
import pytest

from workers.learning import augment


@pytest.fixture
def pair():
    rng = np.random.default_rng(2)
    truth = (rng.random((48, 48)) < 0.5).astype(np.float32)
    truth[:5, :5] = np.nan
    return np.stack([np.nan_to_num(truth), rng.random((48, 48)).astype(np.float32)]).astype(np.float32), truth


def test_the_same_generator_gives_the_same_sample(pair):
    change = augment.strong([[0], [1]])
    one, other = (change(*pair, np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1], equal_nan=True)


@pytest.mark.parametrize("change", [augment.strong(), augment.light])
def test_labels_hold_only_the_values_they_had(pair, change):
    for seed in range(30):
        image, truth = change(*pair, np.random.default_rng(seed))
        assert set(np.unique(truth[~np.isnan(truth)])) <= {0.0, 1.0}
        assert image.shape == pair[0].shape and truth.shape == pair[1].shape
        assert image.dtype == np.float32 and np.isfinite(image).all()


@pytest.mark.parametrize("move", [augment.flipped, augment.turned])
def test_the_image_moves_with_its_label(pair, move):
    for seed in range(20):
        image, truth = move(*pair, np.random.default_rng(seed))
        assert np.array_equal(image[0], np.nan_to_num(truth))


def test_a_crop_keeps_image_and_label_on_each_other():
    row, col = np.mgrid[:64, :64]
    truth = (row < col).astype(np.float32)
    for seed in range(20):
        image, cut = augment.cropped(truth[None], truth, np.random.default_rng(seed))
        assert ((image[0] >= 0.5) == (cut >= 0.5)).mean() > 0.97


def test_the_blur_is_a_normalised_gaussian_and_never_touches_the_label(pair):
    spot = np.zeros((1, 9, 9), np.float32)
    spot[0, 4, 4] = 1
    kernel = augment.blurred(spot)[0, 3:6, 3:6]
    g = np.exp(-np.array([-1.0, 0, 1]) ** 2 / (2 * 0.8**2))
    assert kernel == pytest.approx(np.outer(g, g) / g.sum() ** 2, abs=1e-6)
    for seed in range(20):
        assert np.nansum(augment.light(*pair, np.random.default_rng(seed))[1]) == np.nansum(pair[1])


def test_occlusion_hides_a_rectangle_of_at_most_half_the_side_in_half_of_the_sources():
    hidden, rng = [], np.random.default_rng(0)
    for _ in range(1500):
        image = augment.occluded(np.ones((2, 40, 40), np.float32), [[0], [1]], rng)
        for channel in image:
            rows, cols = np.flatnonzero((channel == 0).any(1)), np.flatnonzero((channel == 0).any(0))
            hidden.append(len(rows) > 0)
            assert len(rows) <= 20 and len(cols) <= 20
            assert (channel == 0).sum() == len(rows) * len(cols)
    assert np.mean(hidden) == pytest.approx(0.5 * (1 - 0.5 / 20) ** 2, abs=0.03)  # a side below half a pixel is none


def test_channels_of_one_source_are_hidden_together():
    for seed in range(30):
        image = augment.occluded(np.ones((3, 32, 32), np.float32), [[0, 1], [2]], np.random.default_rng(seed))
        assert np.array_equal(image[0], image[1])


def test_light_changes_come_as_often_as_written():
    """None 0.125, one 0.375, two 0.375, three 0.125: each of three with p = 0.5 independently."""
    rng, counts = np.random.default_rng(0), np.zeros(4)
    row, col = np.mgrid[:8, :8].astype(np.float32)
    image = (row**2 + 20 * col**2)[None]
    shapes = {}
    for up in (0, 1):
        for left in (0, 1):
            turned = np.flip(np.flip(image, -2) if up else image, -1) if left else (np.flip(image, -2) if up else image)
            shapes[up + left, turned.tobytes()] = 1
            shapes[up + left + 1, augment.blurred(np.ascontiguousarray(turned)).tobytes()] = 1
    for _ in range(4000):
        seen = augment.light(image, row, rng)[0].tobytes()
        counts[min(n for (n, key) in shapes if key == seen)] += 1
    assert counts / 4000 == pytest.approx([0.125, 0.375, 0.375, 0.125], abs=0.03)


def test_contrast_clamps_negatives_and_keeps_zero_and_one():
    image = np.array([[[-0.5, 0.0, 1.0]]], np.float32)
    for seed in range(20):
        changed = augment.contrast(image, np.random.default_rng(seed))
        assert changed[0, 0, 1] == 0 and changed[0, 0, 2] == 1 and changed[0, 0, 0] in (0, -0.5)
