"""Filling gaps from their neighbourhood by a weighted 5 x 5 mean of what is valid (after Müller 2023)."""

from __future__ import annotations

import cv2
import numpy as np

KERNEL = np.array([1, 2, 3, 2, 1], dtype=np.float32)  # the 5 x 5 weights are its outer product: centre 9, corners 1


def gap_fill(image: np.ndarray, passes: int | None = 5) -> tuple[np.ndarray, np.ndarray, str | None]:
    """Fill NaN by sum(W x) / sum(W) over valid neighbours; (filled image, filled mask, reason or None).

    image: (H, W) or (C, H, W) float; `passes=None` goes on until nothing changes. A pass computes all its fills
    from the image before it. What no pass reaches stays NaN. Reason "no_valid_pixels": a band without any value.
    ValueError for another number of axes.
    """
    if image.ndim not in (2, 3):
        raise ValueError(f"An image is (H, W) or (C, H, W), got {image.shape}; fill a series image by image.")
    filled = np.array(image[None] if image.ndim == 2 else image, dtype=np.float32, order="C")
    mask = np.zeros(filled.shape, dtype=np.uint8)
    seen = [_fill_band(band, was_filled, passes) for band, was_filled in zip(filled, mask, strict=True)]
    reason = None if all(seen) else "no_valid_pixels"
    return filled.reshape(image.shape), mask.view(bool).reshape(image.shape), reason


def _fill_band(band: np.ndarray, was_filled: np.ndarray, passes: int | None) -> bool:
    """Fill one (H, W) band in place and mark what was filled; False when it has no value to fill from."""
    np.isnan(band, out=was_filled.view(bool))
    missing = was_filled * np.uint8(255)
    left = cv2.countNonZero(missing)
    if left in (0, band.size):
        was_filled.fill(0)
        return left == 0
    cv2.patchNaNs(band, 0.0)
    _fill_known(band, missing, left, passes)
    if cv2.countNonZero(missing):
        cv2.copyTo(np.full_like(band, np.nan), missing, band)
    cv2.subtract(was_filled, missing, was_filled)  # saturates: 1 - 255 is 0
    return True


def _fill_known(band: np.ndarray, missing: np.ndarray, left: int, passes: int | None) -> None:
    """Pass after pass over a band that is 0 where `missing` (H, W) is 255, `left` pixels of it."""
    reached, (total, weight) = np.empty_like(missing), np.empty((2, *band.shape), dtype=np.float32)
    done = 0
    while left and (passes is None or done < passes):
        _one_pass(band, missing, reached, total, weight)
        before, left, done = left, cv2.countNonZero(missing), done + 1
        if left == before:
            break


def _one_pass(
    band: np.ndarray, missing: np.ndarray, reached: np.ndarray, total: np.ndarray, weight: np.ndarray
) -> None:
    """Fill what lies within reach and take it from `missing`, both in place; the other three are written over."""
    cv2.threshold(missing, 0, 1, cv2.THRESH_BINARY_INV, reached)
    cv2.sepFilter2D(reached, cv2.CV_32F, KERNEL, KERNEL, weight, borderType=cv2.BORDER_CONSTANT)
    cv2.sepFilter2D(band, -1, KERNEL, KERNEL, total, borderType=cv2.BORDER_CONSTANT)
    cv2.compare(weight, 0.5, cv2.CMP_GT, reached)  # type: ignore[call-overload]  # the smallest weight is 1
    cv2.min(missing, reached, reached)
    with np.errstate(divide="ignore", invalid="ignore"):
        np.divide(total, weight, out=total)
    cv2.copyTo(total, reached, band)
    cv2.subtract(missing, reached, missing)
