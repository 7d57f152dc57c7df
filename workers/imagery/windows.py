"""Windows cut out of rasters and put together again, and the samples of a series.

Origins run row-major from the north-west corner. Overlapping predictions are blended by a weighted mean
(U-Net's overlap-tile strategy, Ronneberger et al. 2015, with a Gaussian weight instead of a crop).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from workers.imagery.splits import (
    PurgedSplit,
    SpatialSplit,
    leave_last_years_out,
    leave_one_region_out,
    paper_split,
    purged_split,
    spatial_split,
    tile_set,
    tiles,
)  # fmt: skip

__all__ = [
    "PurgedSplit", "SpatialSplit", "Stitcher", "TooFewFrames", "count_samples", "leave_last_years_out",
    "leave_one_region_out", "origins", "padded", "paper_split", "patches", "purged_split", "sequences", "spatial_split",
    "stitch", "tile_set", "tiles", "weights",
]  # fmt: skip


class TooFewFrames(ValueError):
    """A series too short for one sample."""


def origins(n: int, size: int, step: int, cover: bool = False) -> list[int]:
    """First pixels of the windows on one axis: 0, step, 2 step, ... while the window fits.

    With `cover` a last one at n - size is added where the regular ones leave a rest. An axis shorter than a
    window has the origin 0 (see `padded`).
    """
    if size < 1 or step < 1:
        raise ValueError(f"Window size and step must be at least 1 pixel, got {size} and {step}.")
    if n <= size:
        return [0]
    found = list(range(0, n - size + 1, step))
    if cover and found[-1] != n - size:
        found.append(n - size)
    return found


def padded(array: np.ndarray, size: int) -> np.ndarray:
    """(..., H, W) mirrored at its south and east edges to at least size x size; unchanged when it is large enough."""
    height, width = array.shape[-2:]
    if height >= size and width >= size:
        return array
    rest = [(0, 0)] * (array.ndim - 2) + [(0, max(0, size - height)), (0, max(0, size - width))]
    return np.pad(array, rest, mode="reflect")


def patches(array: np.ndarray, size: int, step: int, cover: bool = False) -> Iterator[tuple[int, int, np.ndarray]]:
    """(row, col, window (..., size, size)) one after the other; windows are views; a small image is padded."""
    height, width = array.shape[-2:]
    whole = padded(array, size)
    for row in origins(height, size, step, cover):
        for col in origins(width, size, step, cover):
            yield row, col, whole[..., row : row + size, col : col + size]


def weights(size: int, kind: str = "gaussian", sigma: float = 1.0) -> np.ndarray:
    """(size, size) float32 blending weights: exp(-(u^2 + v^2) / (2 sigma^2)) with u, v from -1 to 1, or uniform."""
    if kind == "uniform":
        return np.ones((size, size), dtype=np.float32)
    if kind != "gaussian":
        raise ValueError(f"Blending weight {kind!r} is not known; use gaussian or uniform.")
    u = np.linspace(-1, 1, size) if size > 1 else np.zeros(1)
    return np.exp(-(u[:, None] ** 2 + u[None, :] ** 2) / (2 * sigma**2)).astype(np.float32)


class Stitcher:
    """Sums windows into one (..., H, W) raster as they come; memory is that of the raster, whatever their number."""

    def __init__(self, shape: tuple[int, ...], size: int, kind: str = "gaussian", sigma: float = 1.0) -> None:
        self._total = np.zeros(shape, dtype=np.float64)
        self._weight = np.zeros(shape, dtype=np.float64)
        self._window = weights(size, kind, sigma)

    def add(self, row: int, col: int, window: np.ndarray) -> None:
        """Blend one (..., size, size) window in; what lies outside the raster (padding) and NaN do not count."""
        height, width = self._total.shape[-2:]
        rows, cols = min(window.shape[-2], height - row), min(window.shape[-1], width - col)
        values, weight = window[..., :rows, :cols], self._window[:rows, :cols]
        seen = np.isfinite(values)
        place = (..., slice(row, row + rows), slice(col, col + cols))
        self._total[place] += np.where(seen, values, 0) * weight
        self._weight[place] += seen * weight

    def result(self) -> np.ndarray:
        """float32 (..., H, W); NaN where no window has spoken."""
        with np.errstate(invalid="ignore"):
            return np.where(self._weight > 0, self._total / np.where(self._weight > 0, self._weight, 1), np.nan).astype(
                np.float32
            )


def stitch(
    windows: Iterable[tuple[int, int, np.ndarray]], shape: tuple[int, ...], kind: str = "gaussian", sigma: float = 1.0
) -> np.ndarray:
    """sum(w p) / sum(w) over windows (row, col, (..., size, size)); float32 `shape`, NaN where none lies."""
    stitcher: Stitcher | None = None
    for row, col, window in windows:
        stitcher = stitcher or Stitcher(shape, window.shape[-1], kind, sigma)
        stitcher.add(row, col, window)
    return stitcher.result() if stitcher else np.full(shape, np.nan, dtype=np.float32)


def sequences(n_frames: int, inputs: int = 4, outputs: int = 4, lead: int = 0) -> range:
    """First frames of the samples: inputs from t on, targets from t + inputs + lead on; TooFewFrames names the need."""
    needed = inputs + lead + outputs
    if n_frames < needed:
        raise TooFewFrames(
            f"Forecasting needs {needed} frames ({inputs} in, lead {lead}, {outputs} out); this series has {n_frames}."
        )
    return range(n_frames - needed + 1)


def count_samples(
    height: int,
    width: int,
    frames: int,
    size: int = 50,
    step: int = 10,
    inputs: int = 4,
    outputs: int = 4,
    lead: int = 0,
) -> int:
    """Number of samples: windows on both axes times sequences (800 x 800 px and 35 frames give 161,728)."""
    places = len(origins(height, size, step)) * len(origins(width, size, step))
    return places * len(sequences(frames, inputs, outputs, lead))
