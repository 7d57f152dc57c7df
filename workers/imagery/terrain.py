"""Slope and aspect of an elevation model by the 3 x 3 kernel of Horn, *Hill shading and the reflectance map*, 1981."""

from __future__ import annotations

import numpy as np

from workers.imagery.grid import Grid, WrongGrid, is_metric


def _gradient(elevation: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """(east, north): rise per metre to grid east and north, (H, W); NaN where a pixel of the 3 x 3 is missing."""
    if not is_metric(grid.crs):
        raise WrongGrid(f"Slope needs metres, {grid.crs} has none; reproject the elevation onto the work grid first.")
    # odd reflection continues a plane over the border, so an edge pixel has the slope of its neighbours
    z = np.pad(elevation.astype(np.float64), 1, mode="reflect", reflect_type="odd")
    left = z[:-2, :-2] + 2 * z[1:-1, :-2] + z[2:, :-2]
    right = z[:-2, 2:] + 2 * z[1:-1, 2:] + z[2:, 2:]
    above = z[:-2, :-2] + 2 * z[:-2, 1:-1] + z[:-2, 2:]
    below = z[2:, :-2] + 2 * z[2:, 1:-1] + z[2:, 2:]
    centre = 0 * z[1:-1, 1:-1]  # the kernel skips the pixel itself; where that is missing there is no slope either
    a_column, a_row = (right - left) / 8 + centre, (below - above) / 8 + centre
    to_pixel = ~grid.transform  # columns and rows for each metre east and north, also of a rotated grid
    return a_column * to_pixel.a + a_row * to_pixel.d, a_column * to_pixel.b + a_row * to_pixel.e


def slope_degrees(elevation: np.ndarray, grid: Grid) -> np.ndarray:
    """Slope in degrees, float32 (H, W), of elevations in metres on a metric grid; WrongGrid in degrees."""
    return np.degrees(np.arctan(np.hypot(*_gradient(elevation, grid)))).astype(np.float32)


def aspect_degrees(elevation: np.ndarray, grid: Grid) -> np.ndarray:
    """Direction the slope faces, degrees clockwise from grid north, float32 (H, W); NaN where it is flat."""
    east, north = _gradient(elevation, grid)
    facing = np.degrees(np.arctan2(-east, -north)) % 360  # downhill is against the gradient
    return np.where(np.hypot(east, north) < 1e-9, np.nan, facing).astype(np.float32)
