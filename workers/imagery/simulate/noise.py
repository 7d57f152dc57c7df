"""Random fields with a stated spectrum, reproducible from named keys."""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter


def generator(*keys: int | str) -> np.random.Generator:
    """A generator that depends on the keys alone: the world's seed first, then what the numbers are for."""
    words = [zlib.crc32(key.encode()) if isinstance(key, str) else int(key) for key in keys]
    return np.random.default_rng(np.random.SeedSequence(words))


@lru_cache(maxsize=32)
def _amplitude(shape: tuple[int, int], slope: float) -> np.ndarray:
    rows = np.fft.fftfreq(shape[0])[:, None] * max(shape)
    cols = np.fft.rfftfreq(shape[1])[None, :] * max(shape)
    wavenumber = np.hypot(rows, cols)
    wavenumber[0, 0] = np.inf  # no mean
    return (wavenumber ** (-(slope + 1) / 2)).astype(np.float32)


def fractal(rng: np.random.Generator, shape: tuple[int, int], slope: float) -> np.ndarray:
    """Gaussian field (H, W) float32, mean 0, sd 1, periodic.

    `slope` is the spectral slope of a profile: power ~ k^-slope along any line, ~ k^-(slope+1) in the plane
    (Turcotte 1997, Fractals and Chaos in Geology and Geophysics; natural terrain has about 2).
    """
    white = rng.standard_normal(shape, dtype=np.float32)
    field = fft.irfft2(fft.rfft2(white) * _amplitude(shape, slope), s=shape)
    return _standardised(field)


def patches(rng: np.random.Generator, shape: tuple[int, int], scale_px: float) -> np.ndarray:
    """Gaussian field (H, W) float32, mean 0, sd 1, whose blobs are about `scale_px` across."""
    white = rng.standard_normal(shape, dtype=np.float32)
    return _standardised(gaussian_filter(white, scale_px / 2, mode="wrap"))


def top_share(field: np.ndarray, share: float, within: np.ndarray) -> np.ndarray:
    """Mask (H, W) of the `share` of the pixels of `within` in which `field` is largest; exact to a pixel."""
    values = field[within]
    count = round(share * values.size)
    chosen = np.zeros(values.size, bool)
    if count:
        chosen[np.argpartition(values, values.size - count)[values.size - count :]] = True
    mask = np.zeros(field.shape, bool)
    mask[within] = chosen
    return mask


def _standardised(field: np.ndarray) -> np.ndarray:
    field = field - field.mean()
    return (field / (field.std() or 1.0)).astype(np.float32)
