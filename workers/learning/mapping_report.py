"""What held-out maps say about a mapper: accuracy, area errors for intervals, and the error of its trends."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workers.imagery.calendar_year import decimal_year
from workers.imagery.filters import END_OF_ABLATION
from workers.learning import metrics
from workers.learning.samples import SegmentSample
from workers.learning.trained import plain

FEWEST_SERIES = 5
"""Held-out series of known slope below which no slope error is given."""
FEWEST_GLACIERS = 3
"""Glaciers below which nothing is said about how the slope error differs from glacier to glacier."""
FEWEST_DATES = 5
FEWEST_YEARS = 5.0
FEWEST_PIXELS = 10
"""A glacier of fewer true pixels gives no relative area error: one pixel would be more than 10 %."""


@dataclass(frozen=True)
class Area:
    """One glacier on one date: held-out prediction beside truth."""

    glacier: str
    year: float | None
    """Decimal year; None when the date is unknown."""
    km2: float
    true_km2: float
    late: bool = True
    """Seen at the end of the melt season, when seasonal snow does not pass for ice; unknown dates are not."""
    part: int = 0
    """The held-out part it belongs to: one part was mapped by one and the same trained mapper."""


@dataclass(frozen=True)
class Judged:
    """One sample, predicted by something that never saw its group."""

    group: str
    counts: metrics.Confusion
    glaciers: dict[str, metrics.Confusion]
    areas: tuple[Area, ...]
    boundary_m: float


def judge(probability: np.ndarray, sample: SegmentSample, part: int = 0) -> Judged:
    """Compare a map (H, W), NaN where not observed, with the sample's truth; areas only where both are known.

    part: which of several trained mappers made the map, where each was tested on its own held-out part.
    """
    truth = np.asarray(sample.truth, np.float32)
    known = np.isfinite(probability) & np.isfinite(truth)
    said, ice = known & (np.nan_to_num(probability) >= 0.5), known & (np.nan_to_num(truth) >= 0.5)
    grid = sample.stack.grid
    km2 = np.broadcast_to(grid.pixel_area_km2(), grid.shape)
    domains = sample.domains or {"window": np.ones(grid.shape, bool)}
    day = sample.stack.acquired
    year, late = (decimal_year(day), day.month in END_OF_ABLATION[grid.centre[1] >= 0]) if day else (None, False)
    areas = tuple(
        Area(name, year, float(km2[said & domain].sum()), float(km2[ice & domain].sum()), late, part)
        for name, domain in domains.items()
        if (ice & domain).sum() >= FEWEST_PIXELS
    )
    glaciers = {
        name: metrics.confusion(np.where(domain, probability, np.nan), truth) for name, domain in domains.items()
    }
    distance = metrics.boundary_distance_m(said, ice, grid.pixel_m)["mean"]
    return Judged(sample.group, metrics.confusion(probability, truth), glaciers, areas, distance)


def report(judged: Sequence[Judged]) -> dict[str, Any]:
    """The metrics of a card, ready for JSON; undefined values are None.

    Errors of areas and of their slopes come from scenes at the end of the melt season alone, as soon as there are such
    scenes: only those make an area series, and late snow elsewhere in the year would make the errors look larger.
    "area_errors_from" says which were used.
    """
    groups: dict[str, list[metrics.Confusion]] = defaultdict(list)
    glaciers: dict[str, metrics.Confusion] = defaultdict(lambda: metrics.NOTHING)
    for one in judged:
        groups[one.group].append(one.counts)
        for name, counts in one.glaciers.items():
            glaciers[name] += counts
    every = [area for one in judged for area in one.areas]
    areas = [area for area in every if area.late] or every
    errors = [metrics.relative_area_error(a.km2, a.true_km2) for a in areas]
    slopes, s_m, told = slope_spread(areas)
    distances = np.array([one.boundary_m for one in judged])
    return plain({
        "pooled": metrics.pooled(one.counts for one in judged).to_dict(),
        "per_group": metrics.per_region(groups),
        "per_glacier": metrics.per_glacier_mean(glaciers.values()),
        "boundary_m": float(np.nanmean(distances)) if np.isfinite(distances).any() else None,
        "area_errors": errors,
        "area_sizes_km2": [a.true_km2 for a in areas],
        "area_errors_from": "end of the melt season" if any(a.late for a in areas) else "all dates",
        "area_error_median": float(np.median(errors)) if errors else None,
        "slope_errors": slopes,
        "s_m": s_m,
        "s_m_from": told,
        "samples": len(judged),
    })


def slope_spread(areas: Sequence[Area]) -> tuple[list[float], float | None, str]:
    """Slope errors (per year), their standard deviation s_m, and in words what it is from; None where unknown.

    With at least five glaciers a series is a glacier, and s_m the standard deviation over glaciers. With three or four
    there are too few of those, and a series is a glacier within one held-out part: one trained mapper on dates it never
    saw, as in use. The parts of one glacier share what is particular to it, so their plain standard deviation would be
    too small. s_m is then the square root of the *sum of two variances* of a one-way analysis with random glaciers
    (Searle, Casella and McCulloch 1992, Variance Components, chapter 3): within glaciers, and between them, the latter
    not below 0. It holds for a new glacier on a series of the length of a part, and is too large rather than too small
    for longer series. Below three glaciers or five series it is None.
    """
    by_glacier = slope_errors(areas)
    whole = [error for errors in by_glacier.values() for error in errors]
    if len(by_glacier) >= FEWEST_SERIES:
        return whole, float(np.std(whole, ddof=1)), f"{len(whole)} glaciers"
    parted = slope_errors(areas, by_part=True)
    series = [error for errors in parted.values() for error in errors]
    if len(parted) < FEWEST_GLACIERS or len(series) < FEWEST_SERIES:
        return whole, None, f"too few held-out series: {len(whole)} by glacier, {len(series)} by glacier and part"
    return series, total_sd(list(parted.values())), f"{len(series)} series: {len(parted)} glaciers by held-out part"


def slope_errors(areas: Sequence[Area], by_part: bool = False) -> dict[str, list[float]]:
    """Glacier -> slope of ln area (per year) as mapped, less that of the truth, of each series with enough dates."""
    series: dict[tuple[str, int], list[Area]] = defaultdict(list)
    for area in areas:
        if area.year is not None and area.km2 > 0 and area.true_km2 > 0:
            series[area.glacier, area.part if by_part else 0].append(area)
    found: dict[str, list[float]] = defaultdict(list)
    for (glacier, _), some in series.items():
        years = np.array([a.year for a in some])
        if len(some) >= FEWEST_DATES and np.ptp(years) >= FEWEST_YEARS:
            ratio = np.log([a.km2 / a.true_km2 for a in some])
            found[glacier].append(float(np.polyfit(years - years.mean(), ratio, 1)[0]))
    return dict(found)


def total_sd(groups: Sequence[Sequence[float]]) -> float:
    """Standard deviation of one value of a new group: variance within groups plus variance between them.

    Estimators of the one-way analysis of variance with random groups of unequal size. Needs two groups.
    """
    sizes = np.array([len(group) for group in groups], float)
    means, count = np.array([np.mean(group) for group in groups]), sizes.sum()
    grand = float((sizes * means).sum() / count)
    squares = sum(float(((np.asarray(group) - mean) ** 2).sum()) for group, mean in zip(groups, means, strict=True))
    between = float((sizes * (means - grand) ** 2).sum()) / (len(groups) - 1)
    if count == len(groups):
        return math.sqrt(between)
    within = squares / (count - len(groups))
    size = (count - (sizes**2).sum() / count) / (len(groups) - 1)
    return math.sqrt(within + max(0.0, (between - within) / size))
