from __future__ import annotations

import numpy as np
import pytest
from affine import Affine

from workers.imagery.grid import Grid, WrongGrid
from workers.imagery.terrain import aspect_degrees, slope_degrees

GRID = Grid("EPSG:32632", Affine(30, 0, 500_000, 0, -20, 5_200_000), 12, 10)
ROW, COL = np.mgrid[0:10, 0:12].astype(np.float64)


@pytest.mark.parametrize(
    ("east", "south", "aspect"), [(-0.3, 0, 90), (0.3, 0, 270), (0, -0.5, 180), (0, 0.5, 0), (-0.2, -0.2, 135)]
)
def test_a_plane_has_its_slope_and_faces_downhill_up_to_the_edge(east: float, south: float, aspect: float) -> None:
    plane = east * 30 * COL + south * 20 * ROW
    np.testing.assert_allclose(slope_degrees(plane, GRID), np.degrees(np.arctan(np.hypot(east, south))), rtol=1e-5)
    turned = (aspect_degrees(plane, GRID) - aspect + 180) % 360 - 180
    np.testing.assert_allclose(turned, 0, atol=1e-3)


def test_flat_ground_has_no_aspect_and_missing_elevation_no_slope() -> None:
    flat = np.full(GRID.shape, 100.0)
    assert np.isnan(aspect_degrees(flat, GRID)).all()
    assert (slope_degrees(flat, GRID) == 0).all()
    flat[5, 5] = np.nan
    for answer in (slope_degrees(flat, GRID), aspect_degrees(flat, GRID)):
        assert np.isnan(answer[4:7, 4:7]).all()
    assert np.isnan(slope_degrees(flat, GRID)).sum() == 9


@pytest.mark.parametrize("turn", [30, 90, -135])
def test_a_rotated_grid_has_the_slope_and_aspect_of_the_ground(turn: float) -> None:
    affine = Affine.translation(500_000, 5_200_000) @ Affine.rotation(turn) @ Affine.scale(30, -20)
    grid = Grid("EPSG:32632", affine, 12, 10)
    x, _ = affine @ (COL + 0.5, ROW + 0.5)
    falls_east = -0.3 * x
    np.testing.assert_allclose(slope_degrees(falls_east, grid), np.degrees(np.arctan(0.3)), rtol=1e-4)
    np.testing.assert_allclose(aspect_degrees(falls_east, grid), 90, atol=1e-2)


def test_slope_in_degrees_of_arc_is_refused() -> None:
    with pytest.raises(WrongGrid, match="needs metres"):
        slope_degrees(np.zeros((5, 5)), Grid("EPSG:4326", Affine(0.1, 0, 0, 0, -0.1, 0), 5, 5))
