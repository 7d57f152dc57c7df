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
    bands = image[None] if image.ndim == 2 else image
    filled = bands.astype(np.float32)  # a copy
    mask = np.isnan(filled)
    empty = mask.all(axis=(1, 2))
    for index in np.flatnonzero(mask.any(axis=(1, 2)) & ~empty):
        _fill_band(filled[index], passes)
    mask &= ~np.isnan(filled)
    reason = "no_valid_pixels" if empty.any() else None
    return filled.reshape(image.shape), mask.reshape(image.shape), reason


def _fill_band(band: np.ndarray, passes: int | None) -> None:
    """Fill one (H, W) band in place."""
    valid = (~np.isnan(band)).astype(np.float32)
    np.nan_to_num(band, copy=False, nan=0.0)
    done = 0
    while (passes is None or done < passes) and not valid.all():
        reach = cv2.sepFilter2D(valid, -1, KERNEL, KERNEL, borderType=cv2.BORDER_CONSTANT)
        new = (reach > 0) & (valid == 0)
        if not new.any():
            break
        total = cv2.sepFilter2D(band, -1, KERNEL, KERNEL, borderType=cv2.BORDER_CONSTANT)
        band[new] = total[new] / reach[new]
        valid[new] = 1
        done += 1
    band[valid == 0] = np.nan
