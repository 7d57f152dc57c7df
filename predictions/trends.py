"""Trends of glacier area: pure arithmetic on dates and areas, no Django.

The model is log-linear, ln A = b0 + b1 t, by ordinary least squares with t in decimal years (Waismann et al., area
trends of mountain glaciers). Which standard error belongs to the slope is a question of its own: standard_errors.py.
"""

from __future__ import annotations

import math
from calendar import isleap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

WINDOW = 21
OUTLIER_LIMIT = 3.5
MAD_TO_SD = 1.4826
LEAST_OBSERVATIONS = 10
LEAST_SPAN_YEARS = 5.0
SNOW_SHARE = 1.15
FEWEST_OF_SENSOR = 5
Z_95 = 1.96


class NoTrend(ValueError):
    """There is no slope to be had from these observations; the text is the reason."""


@dataclass(frozen=True)
class LogLinear:
    """An ordinary least-squares line through ln(area / km²)."""

    years: np.ndarray
    """(n,) decimal years of the areas that entered, ascending."""
    logs: np.ndarray
    """(n,) ln(area / km²)."""
    centre: float
    """Mean of the years: the line is b0 + slope (t - centre)."""
    log_at_centre: float
    slope: float
    """Per year (fraction)."""
    n_zero: int
    """Areas of zero or less, counted and left out: they have no logarithm."""

    @property
    def n(self) -> int:
        """Number of areas that entered."""
        return len(self.years)

    @property
    def residuals(self) -> np.ndarray:
        """(n,) observed minus fitted logarithms."""
        return self.logs - self.log_at(self.years)

    @property
    def spread(self) -> float:
        """Sum of (t - centre)², in years²."""
        return float(np.sum((self.years - self.centre) ** 2))

    @property
    def variance(self) -> float | None:
        """s² = RSS / (n - 2); None for two areas, through which every line passes."""
        return float(np.sum(self.residuals**2) / (self.n - 2)) if self.n > 2 else None

    @property
    def r2(self) -> float | None:
        """Share of the variance of the logarithms that the line explains; None where there is no variance."""
        total = float(np.sum((self.logs - self.logs.mean()) ** 2))
        return 1 - float(np.sum(self.residuals**2)) / total if total > 0 and self.n > 2 else None

    @property
    def span_years(self) -> float:
        """Time from the first to the last area."""
        return float(self.years[-1] - self.years[0])

    @property
    def total_change(self) -> float:
        """Fitted relative change from the first date to the last, exp(slope x span) - 1."""
        return math.expm1(self.slope * self.span_years)

    def log_at(self, years: np.ndarray | float) -> np.ndarray:
        """Fitted ln(area / km²) at these decimal years."""
        return self.log_at_centre + self.slope * (np.asarray(years, dtype=np.float64) - self.centre)


def decimal_year(day: date) -> float:
    """Y + (day of year - 1) / days in Y: 2020-01-01 is 2020.0."""
    return day.year + (day.timetuple().tm_yday - 1) / (366 if isleap(day.year) else 365)


def middle_year(first: date, last: date | None) -> float:
    """Decimal year in the middle of an interval of whole days, or of the day where there is no end."""
    return decimal_year(first) if last is None else (decimal_year(first) + decimal_year(last)) / 2


def season_year(day: date, southern: bool = False) -> int:
    """The year that an observation counts to: in the south, November and December open the next season."""
    return day.year + 1 if southern and day.month >= 11 else day.year


def fit(years: Sequence[float], km2: Sequence[float]) -> LogLinear:
    """The log-linear line through areas at decimal years, in any order.

    Areas of zero are left out and counted. Raises NoTrend when fewer than two areas are left or all have one date.
    """
    time, area = np.asarray(years, dtype=np.float64), np.asarray(km2, dtype=np.float64)
    known = np.isfinite(time) & np.isfinite(area)
    time, area = time[known], area[known]
    positive = area > 0
    if len(area) and not positive.any():
        raise NoTrend("all areas are zero")
    order = np.argsort(time[positive], kind="stable")
    time, logs = time[positive][order], np.log(area[positive][order])
    if len(time) < 2:
        raise NoTrend("a single observation" if len(time) else "no observations")
    centre = float(time.mean())
    spread = float(np.sum((time - centre) ** 2))
    if time[0] == time[-1] or spread == 0:
        raise NoTrend("zero_time_span: all observations have one date")
    slope = float(np.sum((time - centre) * logs) / spread)
    return LogLinear(time, logs, centre, float(logs.mean()), slope, int((~positive).sum()))


def unpublished(line: LogLinear, observations: int = LEAST_OBSERVATIONS, span_years: float = LEAST_SPAN_YEARS) -> str:
    """Why a trend from this line is not published, for want of observations or of years; empty when it may be."""
    if line.n < observations:
        return f"fewer than {observations} observations ({line.n})"
    if line.span_years < span_years:
        return f"less than {span_years:g} years from the first to the last observation ({line.span_years:.1f})"
    return ""


def outliers(years: Sequence[float], km2: Sequence[float]) -> np.ndarray:
    """(n,) bool: |ln A - running median of 21| above 3.5 x 1.4826 x MAD. Zero areas are no outliers.

    A Theil-Sen line is taken out first: at the ends the window is cut, and there a steady trend alone would lie far
    from its running median. Series of fewer than five positive areas have no outliers.
    """
    time, area = np.asarray(years, dtype=np.float64), np.asarray(km2, dtype=np.float64)
    flagged = np.zeros(len(area), dtype=bool)
    used = np.flatnonzero(area > 0)
    used = used[np.argsort(time[used], kind="stable")]
    if len(used) < 5 or time[used[0]] == time[used[-1]]:
        return flagged
    logs = np.log(area[used])
    logs = logs - _theil_sen(time[used], logs) * time[used]
    away = logs - _running_median(logs, WINDOW)
    mad = float(np.median(np.abs(away - np.median(away))))
    if mad > 1e-12:
        flagged[used] = np.abs(away) > OUTLIER_LIMIT * MAD_TO_SD * mad
    return flagged


def snow_suspects(years: Sequence[float], km2: Sequence[float]) -> np.ndarray:
    """(n,) bool: areas above 1.15 times the median of their neighbours in time, ten before and ten after.

    Areas with fewer than two neighbours are not suspected.
    """
    time, area = np.asarray(years, dtype=np.float64), np.asarray(km2, dtype=np.float64)
    order, half = np.argsort(time, kind="stable"), WINDOW // 2
    flagged = np.zeros(len(area), dtype=bool)
    for at, place in enumerate(order):
        near = area[np.concatenate([order[max(0, at - half) : at], order[at + 1 : at + half + 1]])]
        flagged[place] = len(near) >= 2 and area[place] > SNOW_SHARE * np.median(near)
    return flagged


@dataclass(frozen=True)
class SensorResidual:
    """How far the areas of one sensor lie from the trend of all, in ln(area)."""

    sensor: str
    n: int
    mean: float
    se: float
    step: bool
    """Whether the areas differ from those of the sensor before by more than 1.96 standard errors of the difference."""


def sensor_residuals(line: LogLinear, years: Sequence[float], km2: Sequence[float],
                     sensors: Sequence[str]) -> list[SensorResidual]:  # fmt: skip
    """Mean residual of ln A around the line for each sensor with five areas or more, in the order of their first dates.

    A step from one sensor to the next is a diagnostic: it may be the sensor's, or a change of the glacier between them.
    """
    groups: dict[str, list[float]] = {}
    for year, area, sensor in sorted(zip(years, km2, sensors, strict=True)):
        if area > 0:
            groups.setdefault(sensor, []).append(math.log(area) - float(line.log_at(year)))
    found: list[SensorResidual] = []
    for sensor, residuals in groups.items():
        if len(residuals) < FEWEST_OF_SENSOR:
            continue
        mean, se = float(np.mean(residuals)), _standard_error(residuals) or 0.0
        step = bool(found) and abs(mean - found[-1].mean) > Z_95 * math.hypot(se, found[-1].se)
        found.append(SensorResidual(sensor, len(residuals), mean, se, step))
    return found


def annual_means(
    days: Sequence[date], km2: Sequence[float], southern: bool = False
) -> list[tuple[int, float, float | None, int]]:
    """(season year, arithmetic mean, its standard error, n), by year; a single observation has no standard error."""
    groups: dict[int, list[float]] = {}
    for day, area in zip(days, km2, strict=True):
        groups.setdefault(season_year(day, southern), []).append(float(area))
    return [(year, float(np.mean(areas)), _standard_error(areas), len(areas)) for year, areas in sorted(groups.items())]


def _standard_error(values: list[float]) -> float | None:
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None


def _running_median(values: np.ndarray, window: int) -> np.ndarray:
    half = window // 2
    return np.array([np.median(values[max(0, at - half) : at + half + 1]) for at in range(len(values))])


def _theil_sen(time: np.ndarray, logs: np.ndarray, most: int = 1000) -> float:
    """Median of the slopes between all pairs; of evenly drawn observations where there are very many."""
    if len(time) > most:
        drawn = np.linspace(0, len(time) - 1, most).astype(int)
        time, logs = time[drawn], logs[drawn]
    first, second = np.triu_indices(len(time), 1)
    apart = time[second] - time[first]
    return float(np.median((logs[second] - logs[first])[apart > 0] / apart[apart > 0]))
