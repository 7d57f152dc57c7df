"""Slope and aspect of an elevation model by the 3 x 3 kernel of Horn, *Hill shading and the reflectance map*, 1981."""

from __future__ import annotations

import numpy as np

from workers.imagery.grid import Grid, WrongGrid, is_metric


def _gradient(elevation: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """(p, q): rise per metre to the east and to the south, (H, W); NaN where a neighbour is missing."""
    if not is_metric(grid.crs):
        raise WrongGrid(f"Slope needs metres, {grid.crs} has none; reproject the elevation onto the work grid first.")
    # odd reflection continues a plane over the border, so an edge pixel has the slope of its neighbours
    z = np.pad(elevation.astype(np.float64), 1, mode="reflect", reflect_type="odd")
    dx, dy = grid.transform.a, -grid.transform.e
    east = z[:-2, 2:] + 2 * z[1:-1, 2:] + z[2:, 2:]
    west = z[:-2, :-2] + 2 * z[1:-1, :-2] + z[2:, :-2]
    north = z[:-2, :-2] + 2 * z[:-2, 1:-1] + z[:-2, 2:]
    south = z[2:, :-2] + 2 * z[2:, 1:-1] + z[2:, 2:]
    return (east - west) / (8 * dx), (south - north) / (8 * dy)


def slope_degrees(elevation: np.ndarray, grid: Grid) -> np.ndarray:
    """Slope in degrees, float32 (H, W), of elevations in metres on a metric grid; WrongGrid in degrees."""
    p, q = _gradient(elevation, grid)
    return np.degrees(np.arctan(np.hypot(p, q))).astype(np.float32)


def aspect_degrees(elevation: np.ndarray, grid: Grid) -> np.ndarray:
    """Direction the slope faces, degrees clockwise from grid north, float32 (H, W); NaN where it is flat."""
    p, q = _gradient(elevation, grid)
    facing = np.degrees(np.arctan2(-p, q)) % 360  # downhill is (-p) to the east and (+q) to the north
    return np.where(np.hypot(p, q) < 1e-9, np.nan, facing).astype(np.float32)
