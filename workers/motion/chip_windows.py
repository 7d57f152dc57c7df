"""From dated scenes to sequences of chips for video prediction: twelve clear views of one place, and which may teach.

Every place looks for its own views: a cloud over one chip spoils no other. Min et al. (2019, IceNet): 12 frames, two
weeks to nine months apart; 8 condition, 4 are to be said. Their rule of at most 5 % missing pixels is about the corners
of scenes; what a quality mask took out of a chip (cloud, shadow) may be up to half of it (decision: as many as leave a
correlation defined). A network is shown the clear conditioning frames there; nothing is compared there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from workers.imagery.rasters import Stack

from .chip_dataset import CONDITIONING, FEWEST_DAYS, FRAMES, MOST_DAYS, places, unit_range
from .chips import SEARCH, SIZE_PX, track

MOST_HIDDEN = 0.5
TARGET_SHARE = 0.2
"""The last fifth of the scenes is held out as targets (the purged split in time)."""


@dataclass(frozen=True)
class Window:
    """Scenes, by their position in the list, that see one place clearly one after another."""

    row: int
    col: int
    """Upper left pixel in the first of them."""
    scenes: tuple[int, ...]


@dataclass(frozen=True)
class Chips:
    """Sequences ready for the network, one a window and band."""

    frames: np.ndarray
    """(N, T, size, size) float32 in 0..1 by the limits of the conditioning frames, NaN where hidden (see `filled`)."""
    windows: tuple[Window, ...]
    bands: tuple[str, ...]
    corners: tuple[tuple[tuple[int, int], ...], ...]
    """Upper left pixel (row, col) in every frame."""
    limits: np.ndarray
    """(N, 2) what became 0 and 1."""


def views(stacks: Sequence[Stack], band: str, row: int, col: int, size: int = SIZE_PX) -> list[list[int]]:
    """Runs of scenes that see a place: at most half of it hidden, each two weeks to nine months after the one before.

    Scenes carry their dates and come in order of time. A longer gap ends a run; a scene too soon after another is
    passed over.
    """
    runs: list[list[int]] = [[]]
    for number, stack in enumerate(stacks):
        part = stack.band(band)[row : row + size, col : col + size]
        if np.isnan(part).mean() > MOST_HIDDEN:
            continue
        days = (_date(stack) - _date(stacks[runs[-1][-1]])).days if runs[-1] else FEWEST_DAYS
        if days > MOST_DAYS:
            runs.append([])
        if days >= FEWEST_DAYS:
            runs[-1].append(number)
    return [run for run in runs if run]


def windows(stacks: Sequence[Stack], band: str, size: int = SIZE_PX, frames: int = FRAMES) -> list[Window]:
    """Every window of so many views, at places half a chip apart, the earliest first."""
    shape = stacks[0].grid.shape
    found = [
        Window(row, col, tuple(run[first : first + frames]))
        for row, col in places(shape, size, size // 2)
        for run in views(stacks, band, row, col, size)
        for first in range(len(run) - frames + 1)
    ]
    return sorted(found, key=lambda one: (one.scenes[-1], one.row, one.col))


def divided(some: Sequence[Window], scenes: int, conditioning: int = CONDITIONING) -> tuple[list[Window], list[Window]]:
    """(those that teach, those that judge): every target of the latter lies in the last fifth of the scenes, no frame
    of the former does; what straddles the border is left out."""
    border = scenes - max(1, round(TARGET_SHARE * scenes))
    teach = [one for one in some if one.scenes[-1] < border]
    return teach, [one for one in some if one.scenes[conditioning] >= border]


def thinned(some: Sequence[Window], most: int) -> list[Window]:
    """At most so many, evenly from all of them."""
    if len(some) <= most:
        return list(some)
    return [some[number * len(some) // most] for number in range(most)]


def cut(stacks: Sequence[Stack], some: Sequence[Window], bands: Sequence[str], lead: str, size: int = SIZE_PX,
        conditioning: int = CONDITIONING, search: float = SEARCH,
        report: Callable[[float], None] = lambda fraction: None) -> Chips:
    """Follow each window's chip in the band `lead` and cut every band where it went; a band of which a frame hides more
    than half there, or that has no contrast, is left out. Limits come from the conditioning frames."""
    chips, whose, names, where, limits = [], [], [], [], []
    for number, window in enumerate(some):
        report(number / len(some))
        seen = [stacks[k] for k in window.scenes]
        chain = track([stack.band(lead) for stack in seen], window.row, window.col, size, search)
        corners = list(zip(seen, chain.rows, chain.cols, strict=True))
        for band in bands:
            frames = np.stack([stack.band(band)[row : row + size, col : col + size] for stack, row, col in corners])
            _, low, high = unit_range(frames, conditioning)
            if high > low and np.isnan(frames).mean((1, 2)).max() <= MOST_HIDDEN:
                chips.append(np.clip((frames - low) / (high - low), 0, 1).astype(np.float32))
                whose.append(window)
                names.append(band)
                where.append(tuple(zip(chain.rows, chain.cols, strict=True)))
                limits.append((low, high))
    shape = (0, len(some[0].scenes) if some else FRAMES, size, size)
    frames = np.stack(chips) if chips else np.empty(shape, np.float32)
    return Chips(frames, tuple(whose), tuple(names), tuple(where), np.array(limits).reshape(-1, 2))


def filled(chips: np.ndarray, conditioning: int = CONDITIONING) -> np.ndarray:
    """(N, T, size, size) without NaN: hidden pixels take the median of the conditioning frames that see them, pixels
    that none of those sees the mean of the chip's conditioning frames."""
    seen = chips[:, :conditioning]
    known = np.isfinite(seen)
    mean = np.nanmean(np.where(known.any((1, 2, 3), keepdims=True), seen, 0), axis=(1, 2, 3), keepdims=True)[:, 0]
    usual = np.nanmedian(np.where(known.any(1, keepdims=True), seen, mean[:, None]), axis=1)       # (N, size, size)
    return np.where(np.isfinite(chips), chips, usual[:, None]).astype(np.float32)


def _date(stack: Stack) -> date:
    assert stack.acquired is not None, "scenes of a chip sequence carry their dates"
    return stack.acquired.date()
