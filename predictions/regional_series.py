"""The area trend of a region from the published trends of its glaciers, by both methods."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from inventory.models import Glacier, Region
from predictions import observations, regional, series, trends, versions
from predictions.models import Mask

HISTOGRAM_BIN_PERCENT = 0.1
LOW_LATITUDES, EASTERN_LIMIT_DEG = "16", -30.0


@dataclass(frozen=True)
class GlacierTrend:
    """What a glacier brings to its region."""

    glacier: Glacier
    n: int
    slope: float
    annual_km2: dict[int, float]


def regional_trend(region: Region) -> dict[str, Any]:
    """Both methods for the glaciers of one region that have a published trend by the active network."""
    members = trends_in(region)
    n_measured = Glacier.objects.filter(region=region, areas__isnull=False).distinct().count()
    found: dict[str, Any] = {
        "region": {"code": region.code, "name": region.name, "trend_region": region.trend_region or None},
        "n_glaciers": len(members),
        "n_observations": sum(one.n for one in members),
        "simulated": any(one.glacier.simulated for one in members),
        "method_1": None,
        "method_2": {"balanced": None, "paper": None},
        "percent_shrinking": None,
        "glaciers": [_row(one) for one in members],
        "histogram": [],
        "geometric_mean": [],
        "notes": _notes(region, members, n_measured),
    }
    return {**found, **_figures(members)} if members else found


def totals() -> dict[str, Any]:
    """The five regions and their total by the published rule (unweighted mean), with the pooled one beside it."""
    members = {name: found for name in regional.FIVE_REGIONS if (found := _of_trend_region(name))}
    rows = [_method_1(glaciers) for glaciers in members.values()]
    everyone = [one for glaciers in members.values() for one in glaciers]
    return {
        "regions": {name: _table_row(glaciers) for name, glaciers in members.items()},
        "total": as_json(regional.total(rows)) if rows else None,
        "pooled": as_json(_method_1(everyone)) if everyone else None,
        "missing": [name for name in regional.FIVE_REGIONS if name not in members],
    }


def trends_in(region: Region) -> list[GlacierTrend]:
    """Published trends of a region's glaciers; simulated ones only in a region that holds nothing else."""
    glaciers = Glacier.objects.filter(region=region, areas__mask__product=Mask.Product.ICE).distinct()
    real = glaciers.filter(simulated=False)
    chosen = real if real.exists() else glaciers
    return [found for glacier in chosen if (found := _trend(glacier)) is not None]


def as_json(slope: regional.Slope | None) -> dict[str, float | None] | None:
    """Relative area change per year with its errors."""
    if slope is None:
        return None
    lo, hi = slope.interval or (None, None)
    return {"slope_per_year": slope.slope, "se": slope.se, "relative_se": slope.relative_se, "lo": lo, "hi": hi}


def _of_trend_region(name: str) -> list[GlacierTrend]:
    regions = Region.objects.filter(trend_region=name)
    found = [one for region in regions for one in trends_in(region) if not one.glacier.simulated]
    return [one for one in found if not outside_the_five(one.glacier)]


def outside_the_five(glacier: Glacier) -> bool:
    """Whether a glacier of the low latitudes lies east of 30 degrees west: in Africa or New Guinea."""
    return glacier.region_id == LOW_LATITUDES and glacier.point.x > EASTERN_LIMIT_DEG


def _table_row(members: list[GlacierTrend]) -> dict[str, Any]:
    """A region of the published table, and beside it what this one adds."""
    return {
        **(as_json(_method_1(members)) or {}),
        "n_glaciers": len(members),
        "n_observations": sum(one.n for one in members),
        "method_2": as_json(regional.geometric_mean_trend([one.annual_km2 for one in members])),
        "percent_shrinking": _percent_shrinking(members),
    }


def _percent_shrinking(members: list[GlacierTrend]) -> float:
    return 100 * sum(one.slope < 0 for one in members) / len(members)


def _method_1(members: list[GlacierTrend]) -> regional.Slope:
    return regional.weighted_mean([one.slope for one in members], [one.n for one in members])


def _figures(members: list[GlacierTrend]) -> dict[str, Any]:
    annual = [one.annual_km2 for one in members]
    percents = [100 * one.slope for one in members]
    return {
        "method_1": as_json(_method_1(members)),
        "method_2": {
            name: as_json(regional.geometric_mean_trend(annual, balanced))
            for name, balanced in (("balanced", True), ("paper", False))
        },
        "percent_shrinking": _percent_shrinking(members),
        "histogram": histogram(percents),
        "geometric_mean": regional.geometric_mean_by_year(annual, balanced=False),
    }


def histogram(percents: list[float]) -> list[tuple[float, int]]:
    """(lower edge in percent per year, glaciers) in bins of 0.1, empty ones left out; an edge belongs to its bin."""
    counts = Counter(math.floor(value / HISTOGRAM_BIN_PERCENT + 1e-9) for value in percents)
    return [(round(place * HISTOGRAM_BIN_PERCENT, 1), n) for place, n in sorted(counts.items())]


def _trend(glacier: Glacier) -> GlacierTrend | None:
    version = versions.active_at("segment", glacier)
    if version is None:
        return None
    usable = [one for one in observations.of_masks(glacier, version, Mask.Product.ICE) if one.usable]
    line, _ = series.published_line(usable)
    if line is None:
        return None
    southern = glacier.point.y < 0
    means = trends.annual_means([one.date for one in usable], [one.km2 for one in usable], southern)
    return GlacierTrend(glacier, line.n, line.slope, {year: km2 for year, km2, _, _ in means})


def _row(one: GlacierTrend) -> dict[str, Any]:
    return {
        "glac_id": one.glacier.glac_id,
        "name": one.glacier.name,
        "n": one.n,
        "slope_percent_per_year": 100 * one.slope,
        "annual": sorted(one.annual_km2.items()),
    }


def _notes(region: Region, members: list[GlacierTrend], n_measured: int) -> list[str]:
    notes = []
    if not members:
        least = f"{trends.LEAST_OBSERVATIONS} observations over {trends.LEAST_SPAN_YEARS:g} years"
        notes.append(f"No glacier of this region has a published trend: that takes at least {least}.")
    if 0 < len(members) < n_measured:
        notes.append(f"{n_measured - len(members)} measured glaciers have too few observations for a trend.")
    if any(one.glacier.simulated for one in members):
        notes.append("Simulated glaciers: nothing here was observed.")
    if not region.trend_region and not any(one.glacier.simulated for one in members):
        notes.append("Outside the five regions of the published table: not part of its total.")
    return notes
