"""Gaussian smoothing along a series of scenes (after Waismann et al.), as one banded matrix times the stack.

Successive values become strongly dependent: an ordinary confidence interval of a trend in a smoothed series is far too
narrow, and says so wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PAPER_SIGMA, PAPER_MIN_SCENES, DEFAULT_DAYS = 20.0, 200, 180.0
TRUNCATE = 4.0
BLOCK_ROWS, BLOCK_PIXELS = 24, 192  # what lies in the cache at once


def smooth_in_time(
    values: np.ndarray, mode: str = "none", sigma: float | None = None, days: Sequence[float] | None = None
) -> np.ndarray:
    """(T, ...) float32 smoothed along time; NaN is left out by normalised convolution.

    mode "none": as it is. "paper": sigma = 20 scenes, ValueError below 200 scenes. "scenes": `sigma` in scenes.
    "days": `sigma` in days (180), `days` = day of each scene, ascending. Where no valid scene is within reach: NaN.
    ValueError also for a mode that is not known and a sigma that is not above 0.
    """
    if sigma is not None and not sigma > 0:
        raise ValueError(f"Smoothing needs a sigma above 0 (scenes or days), got {sigma}; choose none to leave it out.")
    if mode == "none" or len(values) == 1:
        return values
    refuse_too_few(mode, len(values))
    return _apply(_matrix(len(values), mode, sigma, days), values)


def refuse_too_few(mode: str, n_scenes: int) -> None:
    """ValueError where the published smoothing has fewer scenes than it needs."""
    if mode == "paper" and n_scenes < PAPER_MIN_SCENES:
        raise ValueError(f"Smoothing over 20 scenes needs {PAPER_MIN_SCENES} scenes, there are {n_scenes}; use days.")


def _matrix(n: int, mode: str, sigma: float | None, days: Sequence[float] | None) -> np.ndarray:
    if mode in ("paper", "scenes"):
        return scene_matrix(n, PAPER_SIGMA if mode == "paper" or sigma is None else sigma)
    if mode == "days":
        if days is None or len(days) != n:
            raise ValueError(f"Smoothing in days needs the day of each of the {n} scenes.")
        return day_matrix(np.asarray(days, dtype=np.float64), DEFAULT_DAYS if sigma is None else sigma)
    raise ValueError(f"Smoothing {mode!r} is not known; use none, paper, scenes or days.")


def scene_matrix(n: int, sigma: float) -> np.ndarray:
    """(n, n): Gaussian over the scene index, cut at 4 sigma, half-sample symmetric ends (b a | a b c | c b)."""
    radius = int(TRUNCATE * sigma + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weight = np.exp(-0.5 * (offsets / sigma) ** 2)
    weight /= weight.sum()
    source = (np.arange(n)[:, None] + offsets) % (2 * n)
    source = np.where(source < n, source, 2 * n - 1 - source)
    matrix = np.zeros((n, n))
    np.add.at(matrix, (np.repeat(np.arange(n), len(offsets)), source.ravel()), np.tile(weight, n))
    return matrix


def day_matrix(days: np.ndarray, sigma: float) -> np.ndarray:
    """(n, n): Gaussian over the days between scenes, cut at 4 sigma, rows summing to 1."""
    apart = (days[:, None] - days[None, :]) / sigma
    weight = np.where(np.abs(apart) <= TRUNCATE, np.exp(-0.5 * apart**2), 0.0)
    return weight / weight.sum(axis=1, keepdims=True)


def _apply(matrix: np.ndarray, values: np.ndarray) -> np.ndarray:
    """matrix (T, T) on values (T, ...), some pixels at a time; NaN is left out by normalised convolution."""
    flat = np.ascontiguousarray(values, dtype=np.float32).reshape(len(values), -1)
    bands, out = _bands(matrix.astype(np.float32)), np.empty_like(flat)
    blocks = np.empty((2, len(flat), BLOCK_PIXELS), dtype=np.float32)  # used again: fresh memory costs a third more
    for first in range(0, flat.shape[1], BLOCK_PIXELS):
        part = out[:, first : first + BLOCK_PIXELS]
        block, smooth = blocks[:, :, : part.shape[1]]
        block[:] = flat[:, first : first + BLOCK_PIXELS]  # rows side by side: whole images apart they miss the cache
        if np.isfinite(np.add.reduce(block, axis=None)):  # a sum is cheaper than asking every value
            part[:] = _smoothed(bands, block, smooth)
            continue
        seen = ~np.isnan(block)
        block[~seen] = 0
        part[:] = _smoothed(bands, block, smooth)
        share = _smoothed(bands, seen.astype(np.float32), smooth)
        np.divide(part, share, out=part, where=share > 0)
        part[share == 0] = np.nan
    return out.reshape(values.shape)


def _bands(matrix: np.ndarray) -> list[tuple[slice, slice, np.ndarray]]:
    """Some rows of a (T, T) matrix at a time: the rows, the columns where they are not all zero, and what is there."""
    bands = []
    for first in range(0, len(matrix), BLOCK_ROWS):
        rows = slice(first, first + BLOCK_ROWS)
        used = np.flatnonzero(matrix[rows].any(axis=0))
        columns = slice(used[0], used[-1] + 1)
        bands.append((rows, columns, np.ascontiguousarray(matrix[rows, columns])))
    return bands


def _smoothed(bands: Sequence[tuple[slice, slice, np.ndarray]], block: np.ndarray, out: np.ndarray) -> np.ndarray:
    """block (T, pixels) smoothed into `out`; zeros outside the bands are never multiplied."""
    for rows, columns, weights in bands:
        np.matmul(weights, block[columns], out=out[rows])
    return out
