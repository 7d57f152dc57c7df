"""Filling gaps from their neighbourhood by a weighted 5 x 5 mean of what is valid (after Müller 2023)."""

from __future__ import annotations

import cv2
import numpy as np

KERNEL = np.array([1, 2, 3, 2, 1], dtype=np.float32)  # the 5 x 5 weights are its outer product: centre 9, corners 1


def gap_fill(image: np.ndarray, passes: int | None = 5) -> tuple[np.ndarray, np.ndarray, str | None]:
    """Fill NaN by sum(W x) / sum(W) over valid neighbours; (filled image, filled mask, reason or None).

    image: (H, W) or (C, H, W) float; `passes=None` goes on until nothing changes. A pass computes all its fills
    from the image before it. What no pass reaches stays NaN. Reason "no_valid_pixels": a band without any value.
    """
    filled = np.array(image[None] if image.ndim == 2 else image, dtype=np.float32, order="C")
    mask = np.zeros(filled.shape, dtype=np.uint8)
    seen = [_fill_band(band, was_filled, passes) for band, was_filled in zip(filled, mask, strict=True)]
    reason = None if all(seen) else "no_valid_pixels"
    return filled.reshape(image.shape), mask.view(bool).reshape(image.shape), reason


def _fill_band(band: np.ndarray, was_filled: np.ndarray, passes: int | None) -> bool:
    """Fill one (H, W) band in place and mark what was filled; False when it has no value to fill from."""
    missing = np.isnan(band).view(np.uint8) * np.uint8(255)
    left = cv2.countNonZero(missing)
    if left in (0, band.size):
        return left == 0
    cv2.patchNaNs(band, 0.0)
    done = 0
    while left and (passes is None or done < passes):
        reached = _one_pass(band, missing)
        was_filled |= reached & 1
        cv2.subtract(missing, reached, missing)
        before, left, done = left, cv2.countNonZero(missing), done + 1
        if left == before:
            break
    if left:
        band[missing > 0] = np.nan
    return True


def _one_pass(band: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Fill what lies within reach in place, missing pixels being 0 before; returns it as 0/255."""
    valid = cv2.threshold(missing, 0, 1, cv2.THRESH_BINARY_INV)[1]
    reach = cv2.sepFilter2D(valid, cv2.CV_32F, KERNEL, KERNEL, borderType=cv2.BORDER_CONSTANT)
    total = cv2.sepFilter2D(band, -1, KERNEL, KERNEL, borderType=cv2.BORDER_CONSTANT)
    reached = cv2.bitwise_and(missing, cv2.inRange(reach, 0.5, np.inf))  # the smallest weight is 1
    with np.errstate(divide="ignore", invalid="ignore"):
        np.divide(total, reach, out=total)
    cv2.copyTo(total, reached, band)
    return reached
