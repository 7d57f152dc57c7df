"""A forecaster on an image larger than it reads at once: half-overlapping windows, stitched with Gaussian weights."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np

from workers.imagery.windows import Stitcher, patches

WHOLE_PX = 512
"""Fully convolutional networks read the whole image up to this side; beyond it windows bound the memory."""
BATCH = 64

Call = Callable[[np.ndarray], np.ndarray]


def in_windows(call: Call, image: np.ndarray, size: int | None) -> np.ndarray:
    """Apply ``call`` (B, C, h, w) -> (B, L, h, w) to ``image`` (C, H, W) without NaN; (L, H, W) float32.

    ``size`` is the side of the windows a network insists on; None lets it read everything up to 512 px. Windows
    overlap by half; an image smaller than a window is reflected outwards and cut back.
    """
    if size is None and max(image.shape[-2:]) <= WHOLE_PX:
        return call(image[None])[0]
    batch, size = (BATCH, size) if size else (1, WHOLE_PX)
    windows = patches(image, size, max(1, size // 2), cover=True)
    stitcher: Stitcher | None = None
    while some := list(islice(windows, batch)):
        said = call(np.stack([window for _, _, window in some]))
        stitcher = stitcher or Stitcher((said.shape[1], *image.shape[-2:]), size)
        for (row, col, _), window in zip(some, said, strict=True):
            stitcher.add(row, col, window)
    return stitcher.result() if stitcher else image[:0]
