"""What held-out maps say about a mapper: accuracy, area errors for intervals, and the error of its trends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm as normal
from scipy.stats import t as student

from workers.imagery.calendar_year import decimal_year
from workers.imagery.filters import END_OF_ABLATION
from workers.learning import metrics
from workers.learning.samples import SegmentSample
from workers.learning.trained import plain

FEWEST_SERIES = 5
"""Held-out series of known slope below which their standard deviation is widened, because it is itself uncertain."""
FEWEST_WIDENED = 3
"""Series below which no slope error is given at all."""
FEWEST_DATES = 5
FEWEST_YEARS = 5.0
OUTLIER = 3.5
LEAST_SPREAD = 0.005
"""Of log areas: below half a per cent a deviation is no outlier, however regular the rest."""
LEAST_KM2 = 1e-6
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


@dataclass(frozen=True)
class Judged:
    """One sample, predicted by something that never saw its group."""

    group: str
    counts: metrics.Confusion
    glaciers: dict[str, metrics.Confusion]
    areas: tuple[Area, ...]
    boundary_m: float
    """Mean distance between the margins as drawn and as true."""
    boundary_p95_m: float


def judge(probability: np.ndarray, sample: SegmentSample) -> Judged:
    """Compare a map (H, W), NaN where not observed, with the sample's truth; areas only where both are known."""
    truth = np.asarray(sample.truth, np.float32)
    known = np.isfinite(probability) & np.isfinite(truth)
    said, ice = known & (np.nan_to_num(probability) >= 0.5), known & (np.nan_to_num(truth) >= 0.5)
    grid = sample.stack.grid
    km2 = np.broadcast_to(grid.pixel_area_km2(), grid.shape)
    domains = sample.domains or {"window": np.ones(grid.shape, bool)}
    day = sample.stack.acquired
    year, late = (decimal_year(day), day.month in END_OF_ABLATION[grid.centre[1] >= 0]) if day else (None, False)
    areas = tuple(
        Area(name, year, float(km2[said & domain].sum()), float(km2[ice & domain].sum()), late)
        for name, domain in domains.items()
        if (ice & domain).sum() >= FEWEST_PIXELS
    )
    glaciers = {
        name: metrics.confusion(np.where(domain, probability, np.nan), truth) for name, domain in domains.items()
    }
    apart = metrics.boundary_distance_m(probability, truth, grid.spacing_m)
    return Judged(sample.group, metrics.confusion(probability, truth), glaciers, areas, apart["mean"], apart["p95"])


def report(judged: Sequence[Judged]) -> dict[str, Any]:
    """The metrics of a card, ready for JSON; undefined values are None.

    Errors of areas and of their slopes come from scenes at the end of the melt season alone, as soon as there are such
    scenes: only those make an area series, and late snow elsewhere in the year would make the errors look larger.
    "area_errors_from" says which were used. Dates that the outlier rule of a published series would leave out (fresh
    snow, unseen cloud) are left out here too, and counted.
    """
    groups: dict[str, list[metrics.Confusion]] = defaultdict(list)
    glaciers: dict[str, metrics.Confusion] = defaultdict(lambda: metrics.NOTHING)
    for one in judged:
        groups[one.group].append(one.counts)
        for name, counts in one.glaciers.items():
            glaciers[name] += counts
    every = [area for one in judged for area in one.areas]
    late = [area for area in every if area.late] or every
    areas = without_outliers(late)
    errors = [metrics.relative_area_error(a.km2, a.true_km2) for a in areas]
    slopes = slope_errors(areas)
    s_m, told = slope_spread(slopes)
    margins = np.array([(one.boundary_m, one.boundary_p95_m) for one in judged]).reshape(-1, 2)
    margins = margins[np.isfinite(margins[:, 0])]
    boundary, boundary_p95 = margins.mean(axis=0) if len(margins) else (None, None)
    return plain({
        "pooled": metrics.pooled(one.counts for one in judged).to_dict(),
        "per_group": metrics.per_region(groups),
        "per_glacier": metrics.per_glacier_mean(glaciers.values()),
        "boundary_m": boundary,
        "boundary_p95_m": boundary_p95,
        "area_errors": errors,
        "area_sizes_km2": [a.true_km2 for a in areas],
        "area_errors_from": "end of the melt season" if any(a.late for a in areas) else "all dates",
        "area_outliers": len(late) - len(areas),
        "area_error_median": float(np.median(errors)) if errors else None,
        "slope_errors": slopes,
        "s_m": s_m,
        "s_m_from": told,
        "samples": len(judged),
    })


def without_outliers(areas: Sequence[Area]) -> list[Area]:
    """The areas less those whose log ratio to the truth lies more than 3.5 robust standard deviations (1.4826 MAD)
    from the median of their glacier: the rule by which a series sets observations aside (Waismann et al.)."""
    series: dict[str, list[Area]] = defaultdict(list)
    for area in areas:
        series[area.glacier].append(area)
    dropped: set[Area] = set()
    for some in series.values():
        if len(some) < FEWEST_DATES:
            continue
        ratio = np.log([max(a.km2, LEAST_KM2) / a.true_km2 for a in some])
        apart = np.abs(ratio - np.median(ratio))
        limit = OUTLIER * 1.4826 * max(float(np.median(apart)), LEAST_SPREAD)
        dropped |= {area for area, far in zip(some, apart, strict=True) if far > limit}
    return [area for area in areas if area not in dropped]


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


def slope_spread(slopes: Sequence[float]) -> tuple[float | None, str]:
    """s_m, the standard deviation (per year) of a mapper's slope error, and in words what it is from.

    From five held-out series on it is their standard deviation s. Three or four give an s that may well be half of the
    truth; an interval of 1.96 s would cover too little. The slope error of another glacier, divided by s, follows
    Student's t with n - 1 degrees of freedom (errors normal about 0), so that 1.96 s_m covers 95 % of them with
    s_m = s t(0.975, n - 1) / 1.96: 2.20 s for three series, 1.62 s for four. Pieces of one series (held-out parts,
    years) are no further series: they share what is particular to their glacier. Below three: None.
    """
    count = len(slopes)
    if count < FEWEST_WIDENED:
        return None, f"too few held-out series: {count}"
    s = float(np.std(slopes, ddof=1))
    if count >= FEWEST_SERIES:
        return s, f"{count} held-out series"
    factor = float(student.ppf(0.975, count - 1) / normal.ppf(0.975))
    return factor * s, f"{count} held-out series, widened {factor:.2f} times for so few"
