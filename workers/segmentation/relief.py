"""The ground that an outline lies on: heights, slope and aspect, as glacier inventories list them.

Statistics after Paul et al. (2009), Recommendations for the compilation of glacier inventory data from digital sources,
Annals of Glaciology 50(53); aspect as a circular mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workers.imagery import terrain
from workers.imagery.grid import Grid


@dataclass(frozen=True)
class Relief:
    """An elevation model on a grid, all (H, W); NaN where unknown."""

    name: str
    elevation_m: np.ndarray
    slope_deg: np.ndarray
    aspect_deg: np.ndarray
    """Clockwise from grid north; NaN where it is flat."""

    @classmethod
    def of(cls, name: str, elevation_m: np.ndarray, grid: Grid) -> Relief:
        """Slope and aspect by Horn's kernel. Raises WrongGrid on a grid in degrees."""
        slope, aspect = terrain.slope_degrees(elevation_m, grid), terrain.aspect_degrees(elevation_m, grid)
        return cls(name, elevation_m, slope, aspect)

    def under(self, where: np.ndarray) -> dict[str, float | str | None] | None:
        """Of the pixels of a bool mask (H, W): dem_name, min/mean/median/max_elev_m, slope_mean_deg, aspect_mean_deg.

        None where no elevation is known there; an aspect without a direction (flat, or all ways alike) is None.
        """
        height = self.elevation_m[where]
        height = height[np.isfinite(height)].astype(np.float64)
        if not height.size:
            return None
        numbers = {
            "min_elev_m": height.min(), "mean_elev_m": height.mean(), "median_elev_m": np.median(height),
            "max_elev_m": height.max(), "slope_mean_deg": _mean(self.slope_deg[where]),
            "aspect_mean_deg": circular_mean_deg(self.aspect_deg[where]),
        }
        return {"dem_name": self.name, **{k: None if v is None else round(float(v), 1) for k, v in numbers.items()}}


def circular_mean_deg(angle_deg: np.ndarray) -> float | None:
    """Direction of the mean of unit vectors, [0, 360); NaN left out; None where they cancel out or there are none."""
    angle = np.radians(angle_deg[np.isfinite(angle_deg)].astype(np.float64))
    if not angle.size:
        return None
    east, north = np.sin(angle).mean(), np.cos(angle).mean()
    return float(np.degrees(np.arctan2(east, north)) % 360) if np.hypot(east, north) > 1e-6 else None


def _mean(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)].astype(np.float64)
    return float(known.mean()) if known.size else None
