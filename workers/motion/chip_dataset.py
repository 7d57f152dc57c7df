"""Sequences of chips for video prediction: 12 frames of one place, each band a sequence of its own.

Min et al. (2019, IceNet): 1,525 chips x 7 bands = 10,675 sequences of 12 frames of 128 x 128 px, 2 weeks to 9 months
apart; the first 8 frames condition, the last 4 are to be said. Chips follow the ice (see chips.track).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np

from .chips import SEARCH, SIZE_PX, track

CONDITIONING = 8
FRAMES = 12
MOST_MISSING = 0.05
FEWEST_DAYS, MOST_DAYS = 14, 275


@dataclass(frozen=True)
class ChipSequence:
    """One place in one band through all frames."""

    band: str
    row: int
    col: int
    """Upper left pixel in the first frame."""
    rows: tuple[int, ...]
    cols: tuple[int, ...]
    """Upper left pixel in every frame."""
    frames: np.ndarray
    """(T, size, size) float32 in the image's units, NaN where unknown."""


def places(shape: tuple[int, int], size: int = SIZE_PX, step: int | None = None) -> list[tuple[int, int]]:
    """Upper left pixels of chips on a regular lattice, row-major; ``step`` is ``size`` unless given."""
    rows, cols = (range(0, n - size + 1, step or size) for n in shape)
    return [(r, c) for r in rows for c in cols]


def sequences(frames: np.ndarray, bands: Sequence[str], size: int = SIZE_PX, step: int | None = None,
              tracked_band: str | None = None, search: float = SEARCH) -> Iterator[ChipSequence]:
    """Every chip of ``frames`` (T, bands, H, W) in every band, one after another.

    The places are tracked in ``tracked_band`` (the first unless given) and the other bands are cut there too. A chip of
    which any frame lacks more than 5 % of its pixels (scene corners) is left out: in all bands where it is the tracked
    one that lacks them. Raises ValueError when frames and names do not fit.
    """
    if frames.ndim != 4 or frames.shape[1] != len(bands):
        raise ValueError(f"frames {frames.shape} with {len(bands)} band names: give (T, bands, H, W)")
    lead = list(bands).index(tracked_band) if tracked_band else 0
    for row, col in places(frames.shape[-2:], size, step):
        chain = track(list(frames[:, lead]), row, col, size, search)
        if missing(chain.chips) > MOST_MISSING:
            continue
        for k, band in enumerate(bands):
            cut = np.stack([frame[k, r : r + size, c : c + size]
                            for frame, r, c in zip(frames, chain.rows, chain.cols, strict=True)])
            if missing(cut) <= MOST_MISSING:
                yield ChipSequence(band, row, col, chain.rows, chain.cols, cut.astype(np.float32))


def missing(chips: np.ndarray) -> float:
    """The largest share of unknown pixels in any frame of (T, size, size)."""
    return float(np.isnan(chips).mean((1, 2)).max())


def unit_range(frames: np.ndarray, conditioning: int = CONDITIONING) -> tuple[np.ndarray, float, float]:
    """(T, size, size) to [0, 1] by the limits of the conditioning frames: what comes must not choose the scale.

    Later values outside are clipped; unknown pixels become the mean of the conditioning frames. A chip without
    contrast is all 0. Returns the frames and the limits (lo, hi).
    """
    seen = frames[:conditioning]
    if not np.isfinite(seen).any():
        return np.zeros_like(frames, dtype=np.float32), float("nan"), float("nan")
    lo, hi = float(np.nanmin(seen)), float(np.nanmax(seen))
    if hi <= lo:
        return np.zeros_like(frames, dtype=np.float32), lo, hi
    scaled = np.clip((frames - lo) / (hi - lo), 0, 1)
    return np.where(np.isfinite(scaled), scaled, np.nanmean(scaled[:conditioning])).astype(np.float32), lo, hi


def odd_gaps(dates: Sequence[date]) -> list[int]:
    """Steps (index of the later frame) that are not two weeks to nine months long, or run backwards."""
    gaps = [(b - a).days for a, b in pairwise(dates)]
    return [k + 1 for k, days in enumerate(gaps) if not FEWEST_DAYS <= days <= MOST_DAYS]
