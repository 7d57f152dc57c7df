"""Ice that moves: a steady velocity field without thickness, and a texture carried along by it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter

from .noise import fractal, generator, patches
from .retreat import Glacier
from .terrain import Valley

EPOCH_YEARS = 3  # a texture is renewed every so often: sheared for ever it would become white noise


def velocity_m_per_year(valleys: Sequence[Valley], glaciers: Sequence[Glacier]) -> np.ndarray:
    """East and north velocity (2, H, W) float32 in metres a year: v_max (1 - d^2) across, along the axis, 0 off ice."""
    field = np.zeros((2, *valleys[0].pool.shape), np.float32)
    for valley, glacier in zip(valleys, glaciers, strict=True):
        speed = glacier.v_max_m_per_year * (1 - valley.across**2)
        field += np.where(valley.pool, speed * valley.direction, 0)
    return field


def epoch(decimal_year: float) -> tuple[int, float]:
    """Number of the texture's epoch, and the years since the middle of it."""
    number = int(np.floor(decimal_year / EPOCH_YEARS))
    return number, decimal_year - (number + 0.5) * EPOCH_YEARS


class Texture:
    """Brightness pattern of the ice, |value| <= 1, that moves with the velocity within each epoch."""

    def __init__(self, seed: int, velocity: np.ndarray, pixel_m: float) -> None:
        self._seed = seed
        self._ice = np.nonzero(np.hypot(velocity[0], velocity[1]) > 0)
        self._velocity_px = np.stack([-velocity[1], velocity[0]]) / pixel_m  # (row, col), pixels a year
        self._splines: dict[int, np.ndarray] = {}

    def at(self, decimal_year: float) -> np.ndarray:
        """The pattern (H, W) float32 on a date; 0 off the ice."""
        number, years = epoch(decimal_year)
        place = np.stack(self._ice).astype(np.float64)
        half = place - 0.5 * years * self._velocity_px[:, self._ice[0], self._ice[1]]
        speed = [map_coordinates(part, half, order=1, mode="nearest") for part in self._velocity_px]
        pattern = np.zeros(self._velocity_px.shape[1:], np.float32)
        origin = place - years * np.stack(speed)
        pattern[self._ice] = map_coordinates(self._spline(number), origin, order=3, mode="mirror", prefilter=False)
        return np.clip(pattern, -1, 1)

    def _spline(self, number: int) -> np.ndarray:
        if number not in self._splines:
            rng = generator(self._seed, "texture", number)
            shape = self._velocity_px.shape[1:]
            base = 0.10 * fractal(rng, shape, 1.5) + 0.55 * patches(rng, shape, 2.4)
            self._splines[number] = spline_filter(base, order=3, mode="mirror").astype(np.float32)
        return self._splines[number]
