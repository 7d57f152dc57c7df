"""Seasonal snow: a line that rises and falls with the year, patchy, thin on steep ground."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from .noise import generator

MEAN_LINE_M, AMPLITUDE_M, HIGHEST_AT = 2900.0, 1150.0, 0.65  # year fraction of the highest snow line
SOFTNESS_M, PATCHINESS_M = 60.0, 70.0


def yearly_anomaly_m(seed: int, year: int, sd_m: float, memory: float, first_year: int) -> float:
    """Departure of a year's snow line from the mean, N(0, sd); with `memory` an AR(1) series from `first_year` on."""
    value = 0.0
    for number, each in enumerate(range(min(first_year, year), year + 1) if memory else [year]):
        shock = generator(seed, "snow", each).normal()
        value = shock if number == 0 else memory * value + np.sqrt(1 - memory**2) * shock
    return float(sd_m * value)


def line_m(year_fraction: float, southern: bool) -> float:
    """Mean elevation of the snow line at a fraction of the year, in metres."""
    phase = year_fraction - HIGHEST_AT + (0.5 if southern else 0.0)
    return float(MEAN_LINE_M + AMPLITUDE_M * np.cos(2 * np.pi * phase))


def held(slope_deg: np.ndarray) -> np.ndarray:
    """Share of the snow that a slope holds: 1 below 35 degrees, 0 above 50."""
    return np.clip((50.0 - slope_deg) / 15.0, 0, 1).astype(np.float32)


def cover(dem: np.ndarray, held_share: np.ndarray, pattern: np.ndarray, snow_line_m: float) -> np.ndarray:
    """Snow-covered share of each pixel (H, W) float32; `pattern` is a field of sd 1 that makes it patchy."""
    return expit((dem + PATCHINESS_M * pattern - snow_line_m) / SOFTNESS_M).astype(np.float32) * held_share
