"""Clouds as a thresholded fractal, and the shadows that they cast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, shift

from .noise import fractal
from .profiles import Profile

SPECTRUM = np.array([0.62, 0.62, 0.62, 0.60, 0.48, 0.38], np.float32)  # blue to swir2
SHADOW_LEFT = 0.35  # of the light, under a cloud
HEIGHT_M = 1500.0  # above the ground
CLEAR_AT_MOST = 0.03
DILATION_PX = 3


@dataclass(frozen=True)
class Sky:
    """`opacity` and `shade` (H, W) float32 in 0..1, with the true masks of both."""

    opacity: np.ndarray
    shade: np.ndarray

    @property
    def cloud(self) -> np.ndarray:
        """True cloud mask (H, W)."""
        return self.opacity > 0.05

    @property
    def shadow(self) -> np.ndarray:
        """True cloud-shadow mask (H, W), without what the clouds hide."""
        return (self.shade > 0.3) & ~self.cloud


def amount(rng: np.random.Generator, profile: Profile) -> float:
    """Cloud-covered share of a pass: nearly nothing or anything."""
    if rng.random() < profile.clear_share:
        return float(rng.uniform(0, CLEAR_AT_MOST))
    return float(np.clip(rng.beta(0.9, 1.1), CLEAR_AT_MOST, 1.0))


def sky(
    rng: np.random.Generator, shape: tuple[int, int], share: float, sun: tuple[float, float], pixel_m: float
) -> Sky:
    """Clouds over exactly `share` of the image; `sun` = (azimuth, elevation) in degrees."""
    if share * shape[0] * shape[1] < 1:
        return Sky(np.zeros(shape, np.float32), np.zeros(shape, np.float32))
    field = fractal(rng, shape, 2.0)
    edge = np.quantile(field, 1 - min(share, 1.0))
    depth = np.clip(field - edge, 0, None)
    opacity = np.where(field >= edge, np.clip(0.1 + depth / 0.35, 0, 1), 0).astype(np.float32)
    return Sky(opacity, _shade(opacity, sun, pixel_m))


def _shade(opacity: np.ndarray, sun: tuple[float, float], pixel_m: float) -> np.ndarray:
    """Shadows lie away from the sun, the farther the lower it stands."""
    azimuth, elevation = np.radians(sun)
    far = HEIGHT_M / np.tan(elevation) / pixel_m
    # away from the sun: row 0 is north
    return shift(opacity, (np.cos(azimuth) * far, -np.sin(azimuth) * far), order=1, mode="grid-wrap", prefilter=False)


def dilated(mask: np.ndarray) -> np.ndarray:
    """The rim that the mask's producer adds around clouds."""
    return binary_dilation(mask, iterations=DILATION_PX) & ~mask
