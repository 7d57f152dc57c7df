"""Augmentations, drawn from a generator that is handed in. Labels move with the image, by nearest neighbour only.

Two published lists: that of the 384-px networks (geometry, contrast, noise, shift, feature occlusion) and that of the
ResNet-50 U-Net (flips and a blur).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

Augment = Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]
"""(image (..., H, W), truth (H, W), generator) -> the same, changed."""

BLUR_SIGMA = 0.8
OCCLUSION_P = 0.5


def strong(sources: Sequence[Sequence[int]] | None = None) -> Augment:
    """The list of the Fusion U-Net, SETR and GlaViTU, in order; `sources` are groups of channels that are occluded
    together (default: each channel on its own). Images are scaled to 0..1 by the training set's limits.
    """

    def augment(image: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        image, truth = flipped(image, truth, rng)
        image, truth = turned(image, truth, rng)
        image, truth = cropped(image, truth, rng)
        for change in (contrast, noise, shift):
            image = change(image, rng)
        groups = sources if sources is not None else [[k] for k in range(len(image))]
        return occluded(image, groups, rng), np.ascontiguousarray(truth)

    return augment


def light(image: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The list of the ResNet-50 U-Net: vertical flip, horizontal flip, Gaussian blur 3 x 3 sigma 0.8 of the image
    only, each with p = 0.5 independently."""
    image, truth = flipped(image, truth, rng)
    if rng.random() < 0.5:
        image = blurred(image)
    return np.ascontiguousarray(image), np.ascontiguousarray(truth)


def mirrored(image: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Flips alone, for a training of a few hundred steps: random places of the windows vary the rest."""
    image, truth = flipped(image, truth, rng)
    return np.ascontiguousarray(image), np.ascontiguousarray(truth)


def flipped(image: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Vertical flip p 0.5, then horizontal flip p 0.5."""
    for axis in (-2, -1):
        if rng.random() < 0.5:
            image, truth = np.flip(image, axis), np.flip(truth, axis)
    return image, truth


def turned(image: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A rotation by 90, 180 or 270 degrees, p 0.75 (each of the four turns alike)."""
    quarters = int(rng.integers(4))
    return np.rot90(image, quarters, (-2, -1)), np.rot90(truth, quarters, (-2, -1))


def cropped(image: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """With p 0.5 a part of 80 to 100 % of the side, brought back to the old size: bilinear; truth nearest."""
    if rng.random() >= 0.5:
        return image, truth
    height, width = truth.shape
    share = rng.uniform(0.8, 1.0)
    h, w = max(1, round(share * height)), max(1, round(share * width))
    row, col = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    part = np.ascontiguousarray(image[..., row : row + h, col : col + w].reshape(-1, h, w))
    wide = np.stack([cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in part])
    rows, cols = (np.minimum(((np.arange(n) + 0.5) * m / n).astype(int), m - 1) for n, m in ((height, h), (width, w)))
    return wide.reshape(image.shape), truth[row : row + h, col : col + w][np.ix_(rows, cols)]


def contrast(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With p 0.5 each channel to the power of its own U(0.8, 1.2); negative values become 0 first."""
    if rng.random() >= 0.5:
        return image
    gamma = rng.uniform(0.8, 1.2, _per_channel(image))
    return np.power(np.maximum(image, 0), gamma).astype(np.float32)


def noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With p 0.5 Gaussian noise of 0.01 of each channel's standard deviation."""
    if rng.random() >= 0.5:
        return image
    sd = image.std(axis=tuple(range(1, image.ndim)), keepdims=True)
    return (image + 0.01 * sd * rng.standard_normal(image.shape)).astype(np.float32)


def shift(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """With p 0.25 each channel moved by its own N(0, 0.025)."""
    if rng.random() >= 0.25:
        return image
    return (image + 0.025 * rng.standard_normal(_per_channel(image))).astype(np.float32)


def occluded(image: np.ndarray, sources: Sequence[Sequence[int]], rng: np.random.Generator) -> np.ndarray:
    """With p 0.5 for each source a rectangle with sides U(0, half the patch) set to 0, in the image only."""
    image = np.array(image, dtype=np.float32, order="C")
    height, width = image.shape[-2:]
    for channels in sources:
        if rng.random() >= OCCLUSION_P:
            continue
        h, w = round(rng.uniform(0, height / 2)), round(rng.uniform(0, width / 2))
        row, col = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
        image[list(channels), ..., row : row + h, col : col + w] = 0
    return image


def blurred(image: np.ndarray) -> np.ndarray:
    """Gaussian blur with a 3 x 3 kernel, sigma 0.8, edges mirrored."""
    flat = np.ascontiguousarray(image.reshape(-1, *image.shape[-2:]))
    soft = [cv2.GaussianBlur(one, (3, 3), BLUR_SIGMA, borderType=cv2.BORDER_REFLECT_101) for one in flat]
    return np.stack(soft).reshape(image.shape)


def _per_channel(image: np.ndarray) -> tuple[int, ...]:
    return (len(image), *[1] * (image.ndim - 1))
