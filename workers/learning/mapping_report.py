"""What held-out maps say about a mapper: accuracy, area errors for intervals, and the error of its trends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workers.imagery.calendar_year import decimal_year
from workers.learning import metrics
from workers.learning.samples import SegmentSample
from workers.learning.trained import plain

FEWEST_SERIES = 5
"""Held-out series of known slope below which no slope error is given."""
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


@dataclass(frozen=True)
class Judged:
    """One sample, predicted by something that never saw its group."""

    group: str
    counts: metrics.Confusion
    glaciers: dict[str, metrics.Confusion]
    areas: tuple[Area, ...]
    boundary_m: float


def judge(probability: np.ndarray, sample: SegmentSample) -> Judged:
    """Compare a map (H, W), NaN where not observed, with the sample's truth; areas only where both are known."""
    truth = np.asarray(sample.truth, np.float32)
    known = np.isfinite(probability) & np.isfinite(truth)
    said, ice = known & (np.nan_to_num(probability) >= 0.5), known & (np.nan_to_num(truth) >= 0.5)
    grid = sample.stack.grid
    km2 = np.broadcast_to(grid.pixel_area_km2(), grid.shape)
    domains = sample.domains or {"window": np.ones(grid.shape, bool)}
    year = decimal_year(sample.stack.acquired) if sample.stack.acquired else None
    areas = tuple(
        Area(name, year, float(km2[said & domain].sum()), float(km2[ice & domain].sum()))
        for name, domain in domains.items()
        if (ice & domain).sum() >= FEWEST_PIXELS
    )
    glaciers = {
        name: metrics.confusion(np.where(domain, probability, np.nan), truth) for name, domain in domains.items()
    }
    distance = metrics.boundary_distance_m(said, ice, grid.pixel_m)["mean"]
    return Judged(sample.group, metrics.confusion(probability, truth), glaciers, areas, distance)


def report(judged: Sequence[Judged]) -> dict[str, Any]:
    """The metrics of a card, ready for JSON; undefined values are None."""
    groups: dict[str, list[metrics.Confusion]] = defaultdict(list)
    glaciers: dict[str, metrics.Confusion] = defaultdict(lambda: metrics.NOTHING)
    for one in judged:
        groups[one.group].append(one.counts)
        for name, counts in one.glaciers.items():
            glaciers[name] += counts
    areas = [area for one in judged for area in one.areas]
    errors = [metrics.relative_area_error(a.km2, a.true_km2) for a in areas]
    slopes = slope_errors(areas)
    distances = np.array([one.boundary_m for one in judged])
    return plain({
        "pooled": metrics.pooled(one.counts for one in judged).to_dict(),
        "per_group": metrics.per_region(groups),
        "per_glacier": metrics.per_glacier_mean(glaciers.values()),
        "boundary_m": float(np.nanmean(distances)) if np.isfinite(distances).any() else None,
        "area_errors": errors,
        "area_sizes_km2": [a.true_km2 for a in areas],
        "area_error_median": float(np.median(errors)) if errors else None,
        "slope_errors": slopes,
        "s_m": float(np.std(slopes, ddof=1)) if len(slopes) >= FEWEST_SERIES else None,
        "samples": len(judged),
    })


def slope_errors(areas: Sequence[Area]) -> list[float]:
    """For each glacier with enough dates the slope of ln area (per year) as mapped, less that of the truth."""
    series: dict[str, list[Area]] = defaultdict(list)
    for area in areas:
        if area.year is not None and area.km2 > 0 and area.true_km2 > 0:
            series[area.glacier].append(area)
    found = []
    for some in series.values():
        years = np.array([a.year for a in some])
        if len(some) >= FEWEST_DATES and np.ptp(years) >= FEWEST_YEARS:
            ratio = np.log([a.km2 / a.true_km2 for a in some])
            found.append(float(np.polyfit(years - years.mean(), ratio, 1)[0]))
    return found
