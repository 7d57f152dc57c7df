"""Area trends of regions from those of their glaciers: two methods and the total, pure arithmetic.

After Waismann et al.: method 1 weights each glacier's slope by its number of observations, method 2 fits the
pointwise geometric mean. The publication gives no formula for the first standard error; here the glaciers are the
sampling unit. For the second, raw logarithms mix into the trend which glaciers were seen in which year; `balanced`
(the default) takes each glacier's own mean out first, `paper` does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

FIVE_REGIONS = ("Europe", "Caucasus", "Asia", "North America", "South America")
Z_95 = 1.96


@dataclass(frozen=True)
class Slope:
    """A relative area change per year (fraction) with its standard error; None where one unit has no spread."""

    slope: float
    se: float | None

    @property
    def relative_se(self) -> float | None:
        """SE / |slope|."""
        return self.se / abs(self.slope) if self.se is not None and self.slope else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 %, +-1.96 SE."""
        return None if self.se is None else (self.slope - Z_95 * self.se, self.slope + Z_95 * self.se)


def weighted_mean(slopes: Sequence[float], observations: Sequence[int]) -> Slope:
    """Method 1: mean weighted by numbers of observations; SE from the spread between the N glaciers.

    SE = sqrt(N / (N - 1) x sum of n²(b - mean)²) / sum of n. ValueError without a glacier.
    """
    b, n = np.asarray(slopes, dtype=np.float64), np.asarray(observations, dtype=np.float64)
    if not len(b) or n.sum() <= 0:
        raise ValueError("a region's trend needs at least one glacier with observations")
    mean = float((n * b).sum() / n.sum())
    if len(b) == 1:
        return Slope(mean, None)
    return Slope(mean, float(math.sqrt(len(b) / (len(b) - 1) * np.sum(n**2 * (b - mean) ** 2)) / n.sum()))


def geometric_mean_by_year(
    glaciers: Sequence[Mapping[int, float]], balanced: bool = True
) -> list[tuple[int, float, int]]:
    """(year, mean logarithm, number of glaciers) from each glacier's annual mean areas in km²; zeros are left out."""
    years: dict[int, list[float]] = {}
    for areas in glaciers:
        logs = {year: math.log(km2) for year, km2 in areas.items() if km2 > 0}
        own = sum(logs.values()) / len(logs) if balanced and logs else 0.0
        for year, log in logs.items():
            years.setdefault(year, []).append(log - own)
    return [(year, sum(logs) / len(logs), len(logs)) for year, logs in sorted(years.items())]


def geometric_mean_trend(glaciers: Sequence[Mapping[int, float]], balanced: bool = True) -> Slope | None:
    """Method 2: weighted least squares of the mean logarithm on the year, weights = glaciers; None below two years."""
    points = geometric_mean_by_year(glaciers, balanced)
    if len(points) < 2:
        return None
    year, log, weight = (np.array(column, dtype=np.float64) for column in zip(*points, strict=True))
    away = year - (weight * year).sum() / weight.sum()
    spread = float((weight * away**2).sum())
    slope = float((weight * away * log).sum() / spread)
    if len(points) == 2:
        return Slope(slope, None)
    residual = log - (weight * log).sum() / weight.sum() - slope * away
    return Slope(slope, math.sqrt(float((weight * residual**2).sum()) / (len(points) - 2) / spread))


def total(regions: Sequence[Slope]) -> Slope:
    """The unweighted mean of regions with SE sqrt(sum of SE²) / N: the rule of the published table's last row."""
    if not regions:
        raise ValueError("a total needs at least one region")
    mean = sum(region.slope for region in regions) / len(regions)
    errors = [region.se for region in regions]
    if any(se is None for se in errors):
        return Slope(mean, None)
    return Slope(mean, math.sqrt(sum(float(se or 0.0) ** 2 for se in errors)) / len(regions))
