"""Training composites around the date of an outline (after Waismann et al.).

The box of the outline is enlarged by a tenth of its extent, the scenes of the 100 days about the outline's date are
averaged, and windows whose mask hardly varies are left out.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from workers.imagery.grid import WrongGrid
from workers.imagery.rasters import Stack

MIN_MASK_VARIANCE = 1e-3


def mean_composite(stacks: Iterable[Stack]) -> Stack:
    """Arithmetic mean of all scenes, band by band and pixel by pixel, NaN left out; scenes come one by one.

    The bands are those of the first scene. ValueError without a scene; WrongGrid and MissingBands for one that differs.
    """
    first: Stack | None = None
    for one in stacks:
        if first is None:
            first = one
            total, count = np.zeros(one.pixels.shape, dtype=np.float64), np.zeros(one.pixels.shape, dtype=np.uint16)
        if not one.grid.same_as(first.grid):
            raise WrongGrid("The scenes of a composite lie on different grids; prepare them on one work grid first.")
        pixels = one.select(first.bands).pixels
        seen = np.isfinite(pixels)
        total += np.where(seen, pixels, 0)
        count += seen
    if first is None:
        raise ValueError("A composite needs at least one scene; widen the period around the outline's date.")
    return Stack(np.where(count > 0, total / np.maximum(count, 1), np.nan), first.bands, first.grid)


def enlarged(bounds: tuple[float, float, float, float], share: float = 0.10) -> tuple[float, float, float, float]:
    """(left, bottom, right, top) with `share` of the extent added on each axis, half of it at each side."""
    left, bottom, right, top = bounds
    x, y = share / 2 * (right - left), share / 2 * (top - bottom)
    return left - x, bottom - y, right + x, top + y


def informative(mask: np.ndarray) -> bool:
    """False for a mask that is nearly all glacier or nearly all not (variance up to 0.001): nothing to learn there."""
    return float(np.nanvar(mask.astype(np.float64))) > MIN_MASK_VARIANCE
