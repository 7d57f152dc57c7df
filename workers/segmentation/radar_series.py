"""Radar scenes of one season, brought together for a network that reads them all.

Scenes nearest the peak of the ablation season; a missing one is interpolated in time, pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

import numpy as np

from workers.imagery.grid import WrongGrid
from workers.imagery.rasters import MissingBands, Stack

from . import features
from .segment import Learned, Predict, Report, mosaic

PEAK_NORTH, PEAK_SOUTH = (8, 15), (2, 15)       # month, day
END_NORTH, END_SOUTH = (9, 1), (3, 1)
"""End of the ablation season (month, day): what the map of a season shows."""
FIRST_MONTH_SOUTH = 7
MOST_MISSING = 0.2


class TooFewScenes(ValueError):
    """Too many acquisitions of a season are missing."""


def season_of(moment: datetime, latitude: float) -> int:
    """The year in whose ablation season an acquisition is read: the calendar year, in the south July to June, called
    by the year in which it ends."""
    return moment.year + (latitude < 0 and moment.month >= FIRST_MONTH_SOUTH)


def nearest_to_end(moments: Sequence[datetime], latitude: float, year: int) -> int:
    """Position of the acquisition nearest the end of the year's ablation season: it stands for the whole season."""
    end = datetime(year, *(END_NORTH if latitude >= 0 else END_SOUTH), 12, tzinfo=UTC)
    apart = [abs((_aware(moment) - end).total_seconds()) for moment in moments]
    return apart.index(min(apart))


def mosaicked(stacks: Sequence[Stack]) -> list[Stack]:
    """Scenes of one day (UTC; neighbouring swaths of one orbit) as one acquisition, the mean in linear power where they
    overlap; in order of time. Raises ValueError for a scene without a date, MissingBands where their bands differ."""
    found = []
    for day, group in groupby(sorted(stacks, key=_day), key=lambda stack: int(_day(stack))):
        parts = list(group)
        if any(set(part.bands) != set(parts[0].bands) for part in parts):
            raise MissingBands(f"The radar scenes of {_date_of(day)} have different bands: "
                               f"{' and '.join(', '.join(part.bands) for part in parts)}. Deliver all with the same.")
        found.append(_mean(parts))
    return found


def _mean(parts: list[Stack]) -> Stack:
    if len(parts) == 1:
        return parts[0]
    _require_one_grid(parts)
    pixels = np.stack([part.select(parts[0].bands).pixels for part in parts])
    count = np.isfinite(pixels).sum(axis=0)
    mean = np.divide(np.nansum(pixels, axis=0), count, out=np.full(count.shape, np.nan, np.float32), where=count > 0)
    return Stack(mean, parts[0].bands, parts[0].grid, parts[0].acquired)


def chosen(stacks: Sequence[Stack], count: int, latitude: float, year: int) -> list[Stack]:
    """The `count` dated scenes nearest the peak of the year's ablation season, in order of time.

    Raises ValueError for a scene without a date.
    """
    peak = datetime(year, *(PEAK_NORTH if latitude >= 0 else PEAK_SOUTH), 12, tzinfo=UTC).timestamp() / 86_400
    return sorted(sorted(stacks, key=lambda stack: abs(_day(stack) - peak))[:count], key=_day)


def series(stacks: Sequence[Stack], names: Sequence[str], count: int, latitude: float, year: int) -> np.ndarray:
    """(T = count, C, H, W) float32 of the named bands, gaps closed in time; NaN where a pixel was never observed.

    Scenes of one day are one acquisition. Raises MissingBands by name and date, WrongGrid when scenes do not share one
    grid, and TooFewScenes when more than 20 % of the acquisitions are missing (absent, or without any known pixel).
    """
    seen = mosaicked([stack for stack in stacks if np.isfinite(stack.pixels).any()])
    some = chosen(seen, count, latitude, year)
    if count - len(some) > MOST_MISSING * count:
        raise TooFewScenes(f"{count} acquisitions are needed, at most {MOST_MISSING:.0%} missing; "
                           f"{len(some)} of {len(stacks)} given are usable. Take a version that reads fewer.")
    _require_one_grid(some)
    values = np.stack([_features(stack, names) for stack in some])
    days = np.array([_day(stack) for stack in some])
    return filled_in_time(values, days, _with_midpoints(days, count))


def filled_in_time(values: np.ndarray, days: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(T, ...) at rising `days` -> (len(at), ...): linear between known neighbours, beyond them the nearest."""
    flat = values.reshape(len(values), -1)
    known = np.isfinite(flat)
    before = np.maximum.accumulate(np.where(known, np.arange(len(flat))[:, None], -1), axis=0)
    after = np.minimum.accumulate(np.where(known, np.arange(len(flat))[:, None], len(flat))[::-1], axis=0)[::-1]
    out = np.empty((len(at), flat.shape[1]), np.float32)
    for number, day in enumerate(at):
        left = before[np.searchsorted(days, day, side="right") - 1] if day >= days[0] else np.full(flat.shape[1], -1)
        first_not_before = np.searchsorted(days, day, side="left")
        right = after[first_not_before] if first_not_before < len(days) else np.full(flat.shape[1], len(flat))
        out[number] = _between(flat, days, day, left, right)
    return out.reshape(len(at), *values.shape[1:])


def segment_series(
    stacks: Sequence[Stack],
    learned: Learned,
    latitude: float,
    year: int,
    report: Report = lambda fraction, step: None,
    predict: Predict | None = None,
) -> np.ndarray:
    """Probability of glacier at the end of the ablation season, (H, W) float32; NaN where never observed.

    Raises what `series` raises.
    """
    recipe, config = learned.recipe, learned.network.config
    values = series(stacks, recipe.bands, config.acquisitions, latitude, year)
    known = features.limits(list(np.moveaxis(values, 1, 0)), recipe.bands, recipe.normalisation)
    image = np.stack([known.apply(one) for one in values])
    return mosaic(lambda rows, cols: image[..., rows, cols], image.shape[-2:], learned, report, predict)


def _features(stack: Stack, names: Sequence[str]) -> np.ndarray:
    try:
        return features.features(stack, names)
    except MissingBands as error:
        raise MissingBands(f"Radar acquisition of {_date_of(_day(stack))}: {error}") from error


def _require_one_grid(stacks: Sequence[Stack]) -> None:
    if not all(stack.grid.same_as(stacks[0].grid) for stack in stacks):
        raise WrongGrid("The scenes of a radar series lie on different grids; bring them onto one.")


def _between(flat: np.ndarray, days: np.ndarray, day: float, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Linear between the known values at positions left and right; one of them alone where the other is outside."""
    left, right = np.where(left < 0, right, left), np.where(right >= len(flat), left, right)
    never = left >= len(flat)
    left, right = np.where(never, 0, left), np.where(never, 0, right)
    pixel = np.arange(flat.shape[1])
    low, high = flat[left, pixel], flat[right, pixel]
    span = days[right] - days[left]
    share = np.where(span > 0, (day - days[left]) / np.where(span > 0, span, 1), 0)
    return np.where(never, np.nan, low + share * (high - low))


def _with_midpoints(days: np.ndarray, count: int) -> np.ndarray:
    """The days, and where there are fewer than `count` the middles of their widest gaps, in order."""
    found = list(days)
    while len(found) < count:
        widest = int(np.argmax(np.diff(found))) if len(found) > 1 else 0
        found.insert(widest + 1, (found[widest] + found[min(widest + 1, len(found) - 1)]) / 2)
    return np.array(found, dtype=float)


def _day(stack: Stack) -> float:
    """Days since 1970, UTC."""
    if stack.acquired is None:
        raise ValueError("a radar series needs the date of every scene; one has none")
    return _aware(stack.acquired).timestamp() / 86_400


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date_of(day: float) -> str:
    return f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}"
