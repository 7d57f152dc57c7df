"""From displacement in pixels to velocity in metres a year, and how uncertain it is.

Stable-terrain correction and NMAD as usual in feature tracking (Dehecq et al. 2015; Höhle and Höhle 2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from workers.imagery.grid import Grid

DAYS_A_YEAR = 365.25
SHORT_DAYS = 14
"""Below this the noise of matching outgrows the motion: 0.1 px of 30 m in 14 days are 78 m a year."""
STEEP_DEG = 25.0


@dataclass(frozen=True)
class Velocity:
    """Velocity on a grid, all (H, W) float32; NaN where the flow is unknown."""

    east: np.ndarray
    """m a year."""
    north: np.ndarray
    """m a year."""
    uncertainty: float
    """NMAD of the speed over stable terrain, m a year; NaN without stable terrain."""
    shift_px: tuple[float, float]
    """Median shift of stable terrain (columns, rows) that was subtracted; zero when it was not."""
    flags: tuple[str, ...] = ()
    """Of "short_interval", "no_stable_terrain"."""
    label: str = "surface displacement"
    """What it may be called."""

    @property
    def speed(self) -> np.ndarray:
        """m a year."""
        return np.hypot(self.east, self.north)

    @property
    def bearing(self) -> np.ndarray:
        """Degrees clockwise from grid north, [0, 360)."""
        return np.degrees(np.arctan2(self.east, self.north)) % 360


def velocity(flow: np.ndarray, pixel_m: float | np.ndarray, days: float, stable: np.ndarray | None = None, *,
             correct: bool = True, label: str = "surface displacement") -> Velocity:
    """Velocity from ``flow`` (H, W, 2) in px (columns, rows) over ``days``.

    ``pixel_m`` is the size of a pixel on the ground, a number or (H, W) (see :func:`ground_pixel_m`: in polar
    stereographic it differs from the grid's). ``stable`` (H, W) bool marks terrain that cannot move; its median shift
    is subtracted when ``correct``. Raises ValueError unless ``days`` is positive.
    """
    if not days > 0:
        raise ValueError(f"{days} days between the images: the second must be the later one")
    flags = ["short_interval"] if days < SHORT_DAYS else []
    still = np.isfinite(flow).all(-1) & (np.zeros(flow.shape[:2], bool) if stable is None else stable)
    shift = np.zeros(2)
    if not still.any():
        flags.append("no_stable_terrain")
    elif correct:
        shift = np.median(flow[still].astype(np.float64), axis=0)
    metres_a_year = np.asarray(pixel_m) * (DAYS_A_YEAR / days)
    east = ((flow[..., 0] - shift[0]) * metres_a_year).astype(np.float32)
    north = (-(flow[..., 1] - shift[1]) * metres_a_year).astype(np.float32)
    uncertainty = nmad(np.hypot(east, north)[still]) if still.any() else float("nan")
    return Velocity(east, north, uncertainty, (float(shift[0]), float(shift[1])), tuple(flags), label)


def nmad(values: np.ndarray) -> float:
    """Normalised median absolute deviation, 1.4826 median(|x - median(x)|)."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def stable_terrain(glacier: np.ndarray, slope_deg: np.ndarray, snow: np.ndarray) -> np.ndarray:
    """Where nothing should move: off the ice, slope below 25 degrees, without snow; all (H, W)."""
    return ~glacier.astype(bool) & (slope_deg < STEEP_DEG) & ~snow.astype(bool)


def ground_pixel_m(grid: Grid) -> np.ndarray:
    """Side of a pixel on the ground in m, broadcastable to (H, W): the grid's pixel divided by the local scale factor
    of its (conformal) projection."""
    return np.sqrt(grid.pixel_area_km2() * 1e6)


def mid_period(start: date, months: int) -> date:
    """The middle of a frame that is a mean over ``months`` months from ``start``; its motion is only *apparent*."""
    ordinal = start.year * 12 + start.month - 1 + months
    end = date(ordinal // 12, ordinal % 12 + 1, 1)
    return start + timedelta(days=(end - start).days / 2)
