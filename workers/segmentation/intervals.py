"""Intervals of areas and of their changes. Pixels are not independent: no interval here adds up p (1 - p).

Default is what a version's held-out errors say; the network's own spread stands beside it, because it cannot see a
bias. Block bootstrap: Künsch (1989), The jackknife and the bootstrap for general stationary observations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from skimage.measure import perimeter_crofton

from workers.imagery.grid import Grid

ENOUGH = 40                     # glacier-dates behind a percentile of 2.5
FEWEST = 3
PERCENTILES = (2.5, 97.5)
SIZE_EDGES_KM2 = (0.5, 1.0, 5.0)
LOWEST_ERROR = -0.95            # a glacier missed altogether must not make an upper end infinite
BLOCK_M = 3200.0
RESAMPLES = 1000


class TooFewGlacierDates(ValueError):
    """Not enough held-out observations for an interval."""


@dataclass(frozen=True)
class ErrorRange:
    """The middle 95 % of relative errors."""

    low: float
    high: float
    count: int
    method: str


@dataclass(frozen=True)
class ErrorModel:
    """Relative area errors (A - A_ref) / A_ref of one version on held-out glacier-dates."""

    classes: Mapping[str, ErrorRange]
    """"all", and each class of size (and debris cover) with at least 40 glacier-dates."""

    @classmethod
    def of(cls, errors: Sequence[float | None], sizes_km2: Sequence[float] | None = None,
           debris: Sequence[bool] | None = None) -> ErrorModel:
        """From the errors (n,) of glacier-dates with their areas in km2 and whether they are debris-covered.

        Errors that are None or NaN are left out. With 40 or more the 2.5th and 97.5th percentile; with fewer the
        prediction interval of a normal sample, wider the fewer there are, and the method says so. Raises
        TooFewGlacierDates below 3.
        """
        error = np.array([np.nan if one is None else one for one in errors], float)
        usable = np.isfinite(error)
        if usable.sum() < FEWEST:
            raise TooFewGlacierDates(f"an area interval needs {FEWEST} held-out glacier-dates, got {usable.sum()}")
        found = {"all": _range(error[usable])}
        if sizes_km2 is not None:
            covered = [None] * len(error) if debris is None else list(debris)
            names = np.array([_class(area, by) for area, by in zip(sizes_km2, covered, strict=True)])
            for name in np.unique(names[usable]):
                if (usable & (names == name)).sum() >= ENOUGH:
                    found[str(name)] = _range(error[usable & (names == name)])
        return cls(found)

    def of_class(self, area_km2: float, debris: bool | None = None) -> ErrorRange:
        """The errors of glaciers like this one; all of them where there are too few like it."""
        return self.classes.get(_class(area_km2, debris), self.classes["all"])

    def interval_km2(self, area_km2: float, debris: bool | None = None) -> tuple[float, float]:
        """95 % interval of the true area, km2, behind a mapped (hard) one: A / (1 + e) at both ends of e."""
        known = self.of_class(area_km2, debris)
        return area_km2 / (1 + known.high), area_km2 / (1 + known.low)


def ensemble(areas_km2: np.ndarray) -> tuple[float, float]:
    """2.5th and 97.5th percentile of the areas of sampled maps: the network's spread, blind to its bias."""
    low, high = np.percentile(np.asarray(areas_km2, float), PERCENTILES)
    return float(low), float(high)


def half_pixel_bounds_km2(mask: np.ndarray, grid: Grid) -> tuple[float, float]:
    """Area with the margin moved half a pixel in and out: A -/+ perimeter x pixel / 2. Bounds, no sigma."""
    area = float((mask * grid.pixel_area_km2()).sum())
    reach = perimeter_crofton(np.pad(mask, 1), directions=4) * (grid.pixel_m / 1000) ** 2 / 2
    return max(area - reach, 0.0), area + reach


def block_sums(value: np.ndarray, grid: Grid, domain: np.ndarray | None = None, block_m: float = BLOCK_M) -> np.ndarray:
    """Sums of value (H, W), such as ice area in km2 a pixel, over square blocks of `block_m`; (blocks,) float64.

    Blocks without a pixel of the bool `domain` are left out, the others stay in, also those that sum to 0.
    """
    down, across = (max(1, round(block_m / step)) for step in grid.spacing_m)
    domain = np.ones(grid.shape, bool) if domain is None else domain
    row, col = np.indices(grid.shape) // np.array([down, across])[:, None, None]
    block = (row * (col.max() + 1) + col)[domain]
    _, number = np.unique(block, return_inverse=True)
    return np.bincount(number, weights=np.nan_to_num(np.asarray(value, float)[domain]))


def block_bootstrap(sums: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Totals of blocks drawn with replacement: (blocks,) -> (resamples,), or (dates, blocks) -> (dates, resamples).

    Several dates are drawn together: the same blocks at each date (paired).
    """
    sums = np.asarray(sums, float)
    drawn = np.random.default_rng(seed).integers(0, sums.shape[-1], (resamples, sums.shape[-1]))
    return sums[..., drawn].sum(axis=-1)


@dataclass(frozen=True)
class Change:
    """An area change between two dates with its 95 % interval; paired, so that common errors cancel."""

    km2: float
    km2_interval: tuple[float, float]
    relative: float
    """(A2 - A1) / A1."""
    relative_interval: tuple[float, float]
    per_year: float
    """Relative change a year."""
    per_year_interval: tuple[float, float]
    probability_of_loss: float
    """P(A2 < A1) among the samples."""
    significant: bool
    """The interval of the change excludes 0."""


def paired_change(first_km2: float, second_km2: float, first: np.ndarray, second: np.ndarray, years: float) -> Change:
    """Change from the first to the second area; `first` and `second` (n,) are paired samples of them.

    Pairs come from the same dropout seeds and views, or the same bootstrap blocks, at both dates. Raises ValueError
    when they are not pairs, when years <= 0 or when the first area is 0.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    if first.shape != second.shape or not len(first):
        raise ValueError(f"paired samples are needed, got {first.shape} and {second.shape}")
    if years <= 0 or first_km2 <= 0 or not (first > 0).all():
        raise ValueError(f"a change needs a first area above 0 and years above 0, got {first_km2} km2, {years} yr")
    delta, relative = second - first, (second - first) / first
    low, high = ensemble(delta)
    change = (second_km2 - first_km2) / first_km2
    relative_low, relative_high = ensemble(relative)
    return Change(second_km2 - first_km2, (low, high), change, (relative_low, relative_high), change / years,
                  (relative_low / years, relative_high / years), float((delta < 0).mean()), bool(low > 0 or high < 0))


def _range(error: np.ndarray) -> ErrorRange:
    n = len(error)
    error = np.maximum(error, LOWEST_ERROR)
    if n >= ENOUGH:
        low, high = np.percentile(error, PERCENTILES)
        return ErrorRange(float(low), float(high), n, f"percentiles of {n} held-out errors")
    half = float(stats.t.ppf(0.975, n - 1) * error.std(ddof=1) * np.sqrt(1 + 1 / n))
    low, high = max(error.mean() - half, LOWEST_ERROR), error.mean() + half
    return ErrorRange(float(low), float(high), n, f"prediction interval of only {n} held-out errors")


def _class(area_km2: float, debris: bool | None) -> str:
    """Name of a glacier's class: size by its measured area, and debris cover where it is known."""
    size = f"size {int(np.searchsorted(SIZE_EDGES_KM2, area_km2, side='right'))}"
    return size if debris is None else f"{size}, {'debris' if debris else 'clean'}"
