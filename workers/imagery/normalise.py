"""Pixel values to the range a network was taught on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


def per_image(pixels: np.ndarray, percentiles: tuple[float, float] | None = None) -> np.ndarray:
    """(C, H, W) -> each band of this image to 0..1 between its own minimum and maximum, NaN left out; constant -> 0.

    It forgets absolute brightness and depends on the crop. `percentiles`, such as (2, 98), is the robust form.
    """
    flat = pixels.reshape(pixels.shape[0], -1)
    low, high = np.zeros(len(flat)), np.zeros(len(flat))
    for index, band in enumerate(flat):
        seen = band[np.isfinite(band)]
        if seen.size:
            low[index], high[index] = np.percentile(seen, percentiles or (0, 100))
    return Limits(tuple(low), tuple(high)).apply(pixels)


@dataclass(frozen=True)
class Limits:
    """Minimum and maximum of each band over the training split; stored with the weights, never refitted later."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, images: Iterable[np.ndarray]) -> Limits:
        """Limits over many (C, H, W) images, one at a time; ValueError when there is not one valid value a band."""
        low: np.ndarray | None = None
        high: np.ndarray | None = None
        for image in images:
            flat = image.reshape(image.shape[0], -1)
            least = np.where(np.isfinite(flat), flat, np.inf).min(axis=1)
            most = np.where(np.isfinite(flat), flat, -np.inf).max(axis=1)
            low = least if low is None else np.minimum(low, least)
            high = most if high is None else np.maximum(high, most)
        if low is None or high is None or not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise ValueError("A band has no valid value in the training images; check its name and nodata.")
        return cls(tuple(map(float, low)), tuple(map(float, high)))

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """(C, H, W) to 0..1 within the limits, float32; values outside are not clipped; a constant band becomes 0."""
        low = np.asarray(self.low, dtype=np.float32)[:, None, None]
        span = np.asarray(self.high, dtype=np.float32)[:, None, None] - low
        scaled = (pixels - low) / np.where(span > 0, span, 1)
        return np.where((span > 0) | np.isnan(pixels), scaled, 0).astype(np.float32)
