"""Which sample may teach and which may test. Overlapping windows never straddle a split.

The published forecasting study shuffled overlapping windows (`paper_split`); neighbours there share 80 % of their
pixels, so its test set leaks. `purged_split` is the default of everything that is reported.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workers.imagery.grid import Grid

TILE_SHARES = (("train", 0.6), ("validation", 0.2), ("test", 0.2))


@dataclass(frozen=True)
class SpatialSplit:
    """Column origins of windows left to teach, dropped, and right to test; one window lies between."""

    train: tuple[int, ...]
    purged: tuple[int, ...]
    test: tuple[int, ...]


@dataclass(frozen=True)
class PurgedSplit:
    """First frames by set, and for the training windows the column origins by set."""

    train_starts: tuple[int, ...]
    purged_starts: tuple[int, ...]
    test_starts: tuple[int, ...]
    train_cols: tuple[int, ...]
    purged_cols: tuple[int, ...]
    validation_cols: tuple[int, ...]


def spatial_split(width: int, size: int = 50, step: int = 10, share: float = 0.2) -> SpatialSplit:
    """Windows of the eastern `share` of origins to test; those less than a window west of them are dropped.

    ValueError when the raster is too narrow to leave a training window.
    """
    found = list(range(0, width - size + 1, step))
    kept = max(1, round(share * len(found)))
    if len(found) <= kept:
        raise ValueError(f"{width} px are too few to split with windows of {size} px; use smaller windows.")
    border = found[-kept]
    split = SpatialSplit(
        tuple(c for c in found if c < border - size),
        tuple(c for c in found if border - size <= c < border),
        tuple(found[-kept:]),
    )
    if not split.train:
        raise ValueError(f"{width} px leave no window of {size} px to teach; use smaller windows.")
    return split


def purged_split(
    n_frames: int, width: int, size: int = 50, step: int = 10, inputs: int = 4, outputs: int = 4, lead: int = 0,
    test_share: float = 0.2, validation_share: float = 0.1,
) -> PurgedSplit:  # fmt: skip
    """Temporal hold-out of the last frames as targets, and a spatial stripe for validation.

    A start is test when all its targets lie in the last `test_share` of the frames, training when all its frames
    lie before them, and dropped in between. ValueError when nothing is left to teach.
    """
    needed = inputs + lead + outputs
    first_held = _first_held_out(n_frames, outputs, test_share)
    starts = range(max(0, n_frames - needed + 1))
    train = tuple(s for s in starts if s + needed <= first_held)
    test = tuple(s for s in starts if s + inputs + lead >= first_held)
    if not train or not test:
        enough = next((n for n in range(n_frames + 1, 100 * needed)
                       if _first_held_out(n, outputs, test_share) >= needed), None)  # fmt: skip
        raise ValueError(f"{n_frames} frames leave no purged split of {needed}-frame samples; {enough} are needed.")
    columns = spatial_split(width, size, step, validation_share)
    dropped = tuple(s for s in starts if s not in train and s not in test)
    return PurgedSplit(train, dropped, test, columns.train, columns.purged, columns.test)


def _first_held_out(n_frames: int, outputs: int, test_share: float) -> int:
    """The frame from which on all are test targets."""
    return n_frames - max(outputs, round(test_share * n_frames))


def paper_split(n_samples: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(train, validation, test) indices: shuffled 80/20, and 10 % of the first for validation. Leaks; see above."""
    order = np.random.default_rng(seed).permutation(n_samples)
    first = n_samples * 8 // 10
    held = first // 10
    return order[held:first], order[:held], order[first:]


def tile_set(region: str, tile: str, seed: int = 0, shares: Sequence[tuple[str, float]] = TILE_SHARES) -> str:
    """The set of a whole tile, by a hash that stays the same wherever and whenever it is asked for."""
    digest = hashlib.sha256(f"{region}\x1f{tile}\x1f{seed}".encode()).digest()
    place, edge = int.from_bytes(digest[:8]) / 2**64, 0.0
    for name, share in shares:
        edge += share
        if place < edge:
            return name
    return shares[-1][0]


def tiles(grid: Grid, side_m: float = 10_000.0) -> Iterator[tuple[str, slice, slice]]:
    """(tile id, rows, columns) of the squares of a frozen metric lattice that a north-up grid touches.

    The id holds the lattice's own column and row, so one place has one id in every scene of its CRS.
    """
    left, bottom, right, top = grid.bounds
    for i in range(math.floor(left / side_m), math.ceil(right / side_m)):
        for j in range(math.floor(bottom / side_m), math.ceil(top / side_m)):
            first_col, last_row = ~grid.transform @ (i * side_m, j * side_m)
            last_col, first_row = ~grid.transform @ ((i + 1) * side_m, (j + 1) * side_m)
            rows = slice(max(0, round(first_row)), min(grid.height, round(last_row)))
            cols = slice(max(0, round(first_col)), min(grid.width, round(last_col)))
            if rows.start < rows.stop and cols.start < cols.stop:
                yield f"{i}_{j}", rows, cols


def leave_one_region_out(regions: Sequence[str]) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """(held-out region, training indices, test indices), one region after the other."""
    names = np.asarray(regions)
    for region in sorted(set(regions)):
        yield region, np.flatnonzero(names != region), np.flatnonzero(names == region)


def leave_last_years_out(years: Sequence[int], n_years: int) -> tuple[np.ndarray, np.ndarray]:
    """(training, test) indices: the last `n_years` calendar years that occur are held out."""
    values = np.asarray(years)
    held = np.isin(values, np.unique(values)[-n_years:]) if n_years > 0 else np.zeros(values.shape, bool)
    return np.flatnonzero(~held), np.flatnonzero(held)
