"""Retreat with an exact area: the ice of a date is the top N(t) pixels of one fixed ranking."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

from .noise import fractal
from .terrain import Valley

MARGIN_PX = 12.0
MARGIN_WEIGHT = 0.35
NOISE_SD = 0.02


@dataclass(frozen=True)
class Step:
    """A change of area that is not steady: `rate` a year and, within a year of `year`, ln-area + `gain` (a surge)."""

    rate: float
    year: float
    gain: float

    def log_change(self, years: np.ndarray | float, start: float) -> np.ndarray:
        """ln N(t) - ln N(start)."""
        return self.rate * (np.asarray(years) - start) + self.gain * np.clip(np.asarray(years) - self.year, 0, 1)


@dataclass(frozen=True)
class Glacier:
    """A simulated glacier whose area is known to the pixel on every date."""

    letter: str
    name: str
    local_id: str
    change: Step
    start: float  # decimal year of n_start
    n_start: int
    rank: np.ndarray  # (H, W) int32: 0 = the last pixel to melt; -1 outside
    v_max_m_per_year: float

    @property
    def rate(self) -> float:
        """Steady relative change of area a year (natural logarithm)."""
        return self.change.rate

    def pixels(self, decimal_year: float) -> int:
        """N(t) = round(N0 exp(rate (t - t0)))."""
        count = round(self.n_start * float(np.exp(self.change.log_change(decimal_year, self.start))))
        return min(count, int(self.rank.max()) + 1)

    def ice(self, decimal_year: float) -> np.ndarray:
        """Mask (H, W) bool of exactly `pixels(decimal_year)` pixels; masks of one glacier are nested."""
        return (self.rank >= 0) & (self.rank < self.pixels(decimal_year))


def ranking(rng: np.random.Generator, valley: Valley, dem: np.ndarray) -> np.ndarray:
    """Order in which ice stays: high and far from the margin first. (H, W) int32, -1 outside the valley's ice."""
    pool = valley.pool
    height = (dem - dem[pool].min()) / np.ptp(dem[pool])
    inside = np.minimum(distance_transform_edt(pool) / MARGIN_PX, 1)
    score = height + MARGIN_WEIGHT * inside + NOISE_SD * fractal(rng, dem.shape, 2.0)
    order = np.argsort(-score[pool], kind="stable")
    rank = np.empty(order.size, np.int32)
    rank[order] = np.arange(order.size, dtype=np.int32)
    full = np.full(dem.shape, -1, np.int32)
    full[pool] = rank
    return full


def first_pixels(pool_pixels: int, change: Step, years: tuple[int, int]) -> int:
    """The number of pixels at the start that leaves room in the pool for the largest extent to come."""
    times = np.linspace(years[0], years[1] + 1, 50 * (years[1] + 1 - years[0]) + 1)
    largest = float(change.log_change(times, years[0]).max())
    return int(pool_pixels * np.exp(-max(largest, 0.0)))
