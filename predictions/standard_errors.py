"""The standard error of an area trend, by five methods; which one is shown depends on how the series was made.

Measured on simulated worlds of known slope: scenes that were smoothed in time are so dependent that the ordinary
interval covers the truth in 15-18 % of cases instead of 95 %; for unsmoothed series the mapper's own bias is the
larger part of the error. Newey and West (1987) for `hac`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from predictions.trends import LogLinear

LABELS = {
    "ols": "assumes independent scenes",
    "smoothing_corrected": "corrected for temporal smoothing",
    "hac": "Newey-West, autocorrelated scenes",
    "year_block_bootstrap": "years resampled 1000 times",
    "with_mapper": "scatter of the scenes and slope error of this mapper",
}
MAPPER_MISSING = "assumes independent scenes; mapper error not included"
RESAMPLES = 1000


@dataclass(frozen=True)
class SlopeError:
    """A standard error of the slope with its 95 % interval; all per year (fractions)."""

    method: str
    label: str
    se: float
    lo: float
    hi: float


def slope_errors(
    line: LogLinear, smoothing_sigma: float | None = None, mapper_sd: float | None = None
) -> list[SlopeError]:
    """Every standard error that applies, the one to show first.

    `smoothing_sigma` is the sigma, in scenes, of the temporal smoothing that was on; `mapper_sd` the standard deviation
    of this mapper's slope error on held-out series of known slope. Two areas have no standard error: an empty list.
    """
    if line.variance is None:
        return []
    plain = ols(line)
    found = {"ols": plain, "hac": newey_west(line), "year_block_bootstrap": year_block_bootstrap(line)}
    if smoothing_sigma:
        found["smoothing_corrected"] = smoothing_corrected(plain, smoothing_sigma)
    if mapper_sd is not None:
        found["with_mapper"] = with_mapper(plain, mapper_sd)
    shown = default_method(smoothing_sigma, mapper_sd)
    ordered = sorted((name for name in found if found[name] is not None), key=lambda name: name != shown)
    return [_interval(line, name, found[name], _label(name, mapper_sd, smoothing_sigma)) for name in ordered]


def default_method(smoothing_sigma: float | None, mapper_sd: float | None) -> str:
    """The standard error to show: corrected for smoothing, else with the mapper's error, else the ordinary one."""
    if smoothing_sigma:
        return "smoothing_corrected"
    return "with_mapper" if mapper_sd is not None else "ols"


def ols(line: LogLinear) -> float:
    """sqrt(s² / sum of (t - mean t)²). Needs three areas."""
    if line.variance is None:
        raise ValueError("two areas have no standard error")
    return math.sqrt(line.variance / line.spread)


def smoothing_corrected(se: float, sigma: float) -> float:
    """The ordinary error times sqrt(2 sqrt(pi) sigma): x 8.42 for sigma = 20 scenes."""
    return se * math.sqrt(2 * math.sqrt(math.pi) * sigma)


def with_mapper(se: float, mapper_sd: float) -> float:
    """Scatter of the scenes and slope error of the mapper, independent of each other."""
    return math.hypot(se, mapper_sd)


def newey_west(line: LogLinear, lag: int = 0) -> float:
    """Newey-West with Bartlett weights, lag at least 4 (n / 100)^(2/9), as published: no factor for small samples.

    The observations must be in order of time; the lag counts observations, whatever the years between them.
    """
    lag = min(max(lag, math.floor(4 * (line.n / 100) ** (2 / 9))), line.n - 1)
    scores = (line.years - line.centre) * line.residuals
    total = float(scores @ scores)
    for step in range(1, lag + 1):
        total += 2 * (1 - step / (lag + 1)) * float(scores[step:] @ scores[:-step])
    return math.sqrt(max(total, 0.0)) / line.spread


def year_block_bootstrap(line: LogLinear, resamples: int = RESAMPLES, seed: int = 0) -> float | None:
    """Standard deviation of the slope over resampled calendar years; None below three years."""
    whole = np.floor(line.years).astype(int)
    _, group = np.unique(whole, return_inverse=True)
    n_years = int(group.max()) + 1
    if n_years < 3:
        return None
    time, logs = line.years - line.centre, line.logs
    sums = np.zeros((n_years, 5))
    np.add.at(sums, group, np.stack([np.ones_like(time), time, logs, time * time, time * logs], axis=1))
    drawn = np.random.default_rng(seed).integers(0, n_years, (resamples, n_years))
    n, t, y, tt, ty = sums[drawn].sum(axis=1).T
    spread = tt - t * t / n
    sound = spread > 1e-9
    return float(np.std((ty - t * y / n)[sound] / spread[sound], ddof=1))


def band(line: LogLinear, se: float, years: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(fitted, lower, upper) area in km² at these decimal years: 95 % band of the line itself."""
    away = np.asarray(years, dtype=np.float64) - line.centre
    logs = line.log_at(np.asarray(years))
    half = quantile(line) * np.sqrt((line.variance or 0.0) / line.n + (se * away) ** 2)
    return np.exp(logs), np.exp(logs - half), np.exp(logs + half)


def quantile(line: LogLinear) -> float:
    """t for 95 % and n - 2 degrees of freedom."""
    from scipy.stats import t

    return float(t.ppf(0.975, line.n - 2))


def _interval(line: LogLinear, method: str, se: float | None, label: str) -> SlopeError:
    half = quantile(line) * float(se or 0.0)
    return SlopeError(method, label, float(se or 0.0), line.slope - half, line.slope + half)


def _label(method: str, mapper_sd: float | None, smoothing_sigma: float | None) -> str:
    if method == "ols" and mapper_sd is None and not smoothing_sigma:
        return MAPPER_MISSING
    return LABELS[method]
