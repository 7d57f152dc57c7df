"""Series of snow and ice on a regular calendar: three-month or six-month means of scenes (after Müller 2023).

A frame is the arithmetic mean of all scenes of its calendar bin. Holes are closed by linear interpolation of NDSI
before the threshold; what lies before the first or after the last frame with data is never invented.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from workers.imagery import bands
from workers.imagery.calendar_year import decimal_year
from workers.imagery.gaps import gap_fill
from workers.imagery.grid import Grid, WrongGrid
from workers.imagery.rasters import MissingBands, Stack

__all__ = ["Cube", "EmptySeries", "decimal_year", "records", "stack"]

MAX_HOLE = 3  # frames; a longer hole cuts the record
MONTHS = (1, 2, 3, 4, 6, 12)
ORDERS = ("reflectance_mean", "mask_mean")
INTERPOLATED = ("ndsi", "mask")
ONE_WINDOW = 4  # frames a forecaster looks back on


class EmptySeries(ValueError):
    """No scene of a series carries a value."""


@dataclass(frozen=True)
class Cube:
    """values float32 (T, H, W): NDSI where it reaches the threshold, else 0, NaN where never observed.

    starts: first day of each bin of `months` months, in order, without a break unless the cube was made with
    `cut=False`; then the frames of a long hole are all NaN and "missing". n_scenes, status ("observed",
    "interpolated"), interpolated_fraction (share of the frame's pixels with a value) and filled_fraction (share of all
    its pixels that were filled from their neighbours) go frame by frame. registration: scenes by the motion that
    brought them into register, "identity" where they were left as they were; empty when none was tried.
    """

    values: np.ndarray
    starts: tuple[date, ...]
    months: int
    n_scenes: tuple[int, ...]
    status: tuple[str, ...]
    grid: Grid
    interpolated_fraction: tuple[float, ...] = ()
    threshold: float = 0.3
    filled_fraction: tuple[float, ...] = ()
    registration: Mapping[str, int] = field(default_factory=dict)

    @property
    def ends(self) -> tuple[date, ...]:
        """First day after each bin."""
        return tuple(_first_day(_bin(start, self.months) + 1, self.months) for start in self.starts)

    def next_starts(self, count: int) -> tuple[date, ...]:
        """First days of the `count` bins that follow the last frame."""
        last = _bin(self.starts[-1], self.months)
        return tuple(_first_day(last + k, self.months) for k in range(1, count + 1))


def _bin(day: date, months: int) -> int:
    return (day.year * 12 + day.month - 1) // months


def _first_day(number: int, months: int) -> date:
    year, month = divmod(number * months, 12)
    return date(year, month + 1, 1)


def stack(
    stacks: Iterable[Stack], months: int = 3, threshold: float = 0.3, order: str = "reflectance_mean",
    cut: bool = True, interpolate: str = "ndsi", fill_passes: int = 0,
) -> Cube:  # fmt: skip
    """The record to forecast from: the latest of at least 4 frames, else the longest (see `records`).

    Stacks come one by one in any order and are not kept. `cut=False`: one cube over everything, long holes left NaN.
    """
    found = records(stacks, months, threshold, order, cut, interpolate, fill_passes)
    long_enough = [cube for cube in found if len(cube.starts) >= ONE_WINDOW]
    return long_enough[-1] if long_enough else max(found, key=lambda cube: len(cube.starts))


def records(
    stacks: Iterable[Stack], months: int = 3, threshold: float = 0.3, order: str = "reflectance_mean",
    cut: bool = True, interpolate: str = "ndsi", fill_passes: int = 0,
) -> list[Cube]:  # fmt: skip
    """Every unbroken record of the series, oldest first; a hole of more than 3 frames cuts.

    Stacks carry `acquired` and either green and swir1 or ndsi. order "reflectance_mean": mean of reflectances, then
    NDSI, then threshold; "mask_mean": mean of thresholded NDSI. interpolate "ndsi": holes are closed before the
    threshold; "mask": after it, and what falls below the threshold between two frames becomes 0. fill_passes: what no
    scene of a bin saw is filled from its neighbours in the mean reflectances, so many passes, before NDSI.
    Memory: two sums and two counts a bin that has scenes.
    EmptySeries without a value; WrongGrid, MissingBands, ValueError for stacks or settings that do not fit.
    """
    if months not in MONTHS or order not in ORDERS or interpolate not in INTERPOLATED:
        raise ValueError(
            f"A series needs months among {MONTHS}, an order of {ORDERS} and interpolate of {INTERPOLATED}; "
            f"got {months}, {order!r} and {interpolate!r}."
        )
    grid, bins = _gather(stacks, months, threshold, order)
    frames = {number: bins[number].frame(fill_passes) for number in sorted(bins)}
    frames = {number: frame for number, frame in frames.items() if np.isfinite(frame.ndsi).any()}
    if grid is None or not frames:
        raise EmptySeries("No scene of the series carries a value; choose another period or a wider profile.")
    if interpolate == "mask":
        frames = {number: one._replace(ndsi=bands.snow_ice(one.ndsi, threshold)) for number, one in frames.items()}
    runs = _runs(list(frames)) if cut else [list(frames)]
    return [_cube({n: frames[n] for n in run}, months, threshold, grid) for run in runs]


class _Frame(NamedTuple):
    """One bin with data: unthresholded NDSI (or mean mask) (H, W), its scenes, share of its pixels that were filled."""

    ndsi: np.ndarray
    n_scenes: int
    filled: float


class _Bin:
    """Sums of one calendar bin."""

    def __init__(self) -> None:
        self.n_scenes = 0
        self._sums: dict[str, np.ndarray] = {}
        self._counts: dict[str, np.ndarray] = {}

    def add(self, layers: dict[str, np.ndarray]) -> None:
        """Take one scene's (H, W) layers in; NaN does not count."""
        self.n_scenes += 1
        for name, layer in layers.items():
            seen = np.isfinite(layer)
            self._sums.setdefault(name, np.zeros(layer.shape, dtype=np.float32))
            self._counts.setdefault(name, np.zeros(layer.shape, dtype=np.uint16))
            self._sums[name] += np.where(seen, layer, 0)
            self._counts[name] += seen

    def frame(self, fill_passes: int) -> _Frame:
        """Index of the mean reflectances; where there are none, the mean of index rasters (or of masks)."""
        means = {name: self._mean(name) for name in self._sums}
        ready, filled = means.get("ndsi"), 0.0
        if "green" not in means:
            return _Frame(means["ndsi"].astype(np.float32), self.n_scenes, filled)
        both = np.stack([means["green"], means["swir1"]])
        if fill_passes:
            both, reached, _ = gap_fill(both, fill_passes)
            filled = float(reached.any(axis=0).mean())
        index = bands.ndsi(*both)
        if ready is not None:
            index = np.where(np.isnan(index), ready, index).astype(np.float32)
        return _Frame(index, self.n_scenes, filled)

    def _mean(self, name: str) -> np.ndarray:
        count = self._counts[name]
        return np.where(count > 0, self._sums[name] / np.maximum(count, 1), np.nan)


def _gather(stacks: Iterable[Stack], months: int, threshold: float, order: str) -> tuple[Grid | None, dict[int, _Bin]]:
    grid: Grid | None = None
    bins: dict[int, _Bin] = {}
    for one in stacks:
        grid = grid or one.grid
        if not one.grid.same_as(grid):
            raise WrongGrid("The scenes of a series lie on different grids; prepare them on one work grid first.")
        if one.acquired is None:
            raise ValueError("A scene of a series has no acquisition date; read it with its date.")
        bins.setdefault(_bin(one.acquired.date(), months), _Bin()).add(_layers(one, threshold, order))
    return grid, bins


def _layers(one: Stack, threshold: float, order: str) -> dict[str, np.ndarray]:
    if {"green", "swir1"} <= set(one.bands):
        green, swir1 = one.band("green"), one.band("swir1")
        if order == "mask_mean":
            return {"ndsi": bands.snow_ice(bands.ndsi(green, swir1), threshold)}
        return {"green": green, "swir1": swir1}
    if "ndsi" in one.bands:
        index = one.band("ndsi")
        return {"ndsi": bands.snow_ice(index, threshold) if order == "mask_mean" else index}
    raise MissingBands(f"A snow and ice series needs green and swir1, or ndsi; this scene has {', '.join(one.bands)}.")


def _runs(numbers: list[int]) -> list[list[int]]:
    """Bins with data, cut where more than MAX_HOLE frames are missing between two."""
    runs = [[numbers[0]]]
    for number in numbers[1:]:
        if number - runs[-1][-1] - 1 > MAX_HOLE:
            runs.append([])
        runs[-1].append(number)
    return runs


def _cube(frames: dict[int, _Frame], months: int, threshold: float, grid: Grid) -> Cube:
    numbers = range(min(frames), max(frames) + 1)
    values = np.full((len(numbers), *grid.shape), np.nan, dtype=np.float32)
    for number, frame in frames.items():
        values[number - numbers[0]] = frame.ndsi
    holes = _long_holes(numbers, frames)
    observed = np.isfinite(values)
    _interpolate(values)
    values[holes] = np.nan
    made = np.isfinite(values) & ~observed
    shares = made.sum(axis=(1, 2)) / np.maximum(np.isfinite(values).sum(axis=(1, 2)), 1)
    return Cube(
        bands.snow_ice(values, threshold),
        tuple(_first_day(n, months) for n in numbers),
        months,
        tuple(frames[n].n_scenes if n in frames else 0 for n in numbers),
        tuple(_status(n in frames, hole) for n, hole in zip(numbers, holes, strict=True)),
        grid,
        tuple(float(share) for share in shares),
        threshold,
        tuple(frames[n].filled if n in frames else 0.0 for n in numbers),
    )


def _status(has_data: bool, in_long_hole: bool) -> str:
    return "observed" if has_data else "missing" if in_long_hole else "interpolated"


def _long_holes(numbers: range, frames: dict[int, _Frame]) -> np.ndarray:
    """bool (T,): frames in a hole that is too long to close."""
    holes = np.zeros(len(numbers), dtype=bool)
    known = sorted(frames)
    for before, after in pairwise(known):
        if after - before - 1 > MAX_HOLE:
            holes[before + 1 - numbers[0] : after - numbers[0]] = True
    return holes


def _interpolate(values: np.ndarray) -> None:
    """Close NaN in (T, H, W) in place: linear in the frame index, the nearest value at a pixel's own ends."""
    n = len(values)
    for rows in np.array_split(np.arange(values.shape[1]), max(1, values.shape[1] // 64)):
        part = values[:, rows[0] : rows[-1] + 1]
        if np.isnan(part).any():
            part[...] = _interpolated(part, n)


def _interpolated(part: np.ndarray, n: int) -> np.ndarray:
    frame = np.arange(n, dtype=np.int32)[:, None, None]
    seen = np.isfinite(part)
    before = np.maximum.accumulate(np.where(seen, frame, -1), axis=0)
    after = np.flip(np.minimum.accumulate(np.flip(np.where(seen, frame, n), axis=0), axis=0), axis=0)
    low = np.where(before < 0, after, before).clip(max=n - 1)
    high = np.where(after >= n, before, after).clip(min=0)
    first, last = np.take_along_axis(part, low, axis=0), np.take_along_axis(part, high, axis=0)
    share = (frame - low) / np.maximum(high - low, 1)
    return np.where(seen, part, first + (last - first) * np.clip(share, 0, 1))
