"""Whose ice is it."""

from __future__ import annotations

import numpy as np
import shapely
from affine import Affine

from workers.imagery.grid import Grid
from workers.segmentation import divides, outlines

GRID = Grid("EPSG:32632", Affine(30, 0, 480_000, 0, -30, 5_200_000), 120, 100)
ROW, COL = np.mgrid[: GRID.height, : GRID.width]


def box(left: int, top: int, right: int, bottom: int) -> shapely.MultiPolygon:
    return outlines.to_lonlat([shapely.box(left, top, right, bottom)], GRID)


def ice(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    mask = np.zeros(GRID.shape, bool)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


REFERENCES = {"west": box(20, 20, 40, 80), "east": box(80, 20, 100, 80)}


def test_ice_between_two_glaciers_is_divided_along_the_ridge():
    ridge = 70
    dem = 3000.0 - np.abs(COL - ridge)                  # both flow away from column 70, nearer to the east
    labels = divides.assign(ice((20, 20, 100, 80)), GRID, REFERENCES, dem)
    assert set(np.unique(labels)) == {0, 1, 2}
    edge = (labels[50] == 1).sum() + 20
    assert abs(edge - ridge) <= 1
    without = divides.assign(ice((20, 20, 100, 80)), GRID, REFERENCES)
    assert abs((without[50] == 1).sum() + 20 - 60) <= 1         # no elevation: the middle between the references


def test_loose_ice_within_500_metres_belongs_to_the_nearest_glacier_and_farther_ice_is_new():
    mask = ice((20, 20, 40, 80), (50, 20, 62, 32), (20, 88, 40, 99), (108, 85, 120, 99))
    labels = divides.assign(mask, GRID, {"west": box(20, 20, 40, 80)}, np.full(GRID.shape, 2500.0))
    assert labels[25, 52] == 1                          # begins 10 pixels = 300 m away
    assert labels[90, 30] == 1
    assert labels[90, 115] == 2                         # a new entity
    assert labels[0, 0] == 0


def test_every_new_entity_has_its_own_number():
    labels = divides.assign(ice((5, 5, 20, 20), (70, 70, 90, 90)), GRID, {})
    assert {int(labels[10, 10]), int(labels[80, 80])} == {1, 2}


def test_a_sliver_goes_to_the_neighbour_with_the_longest_shared_border():
    labels = np.zeros(GRID.shape, np.int32)
    labels[20:60, 10:50] = 1
    labels[20:60, 53:100] = 2
    labels[70:90, 10:60] = 3
    labels[30:50, 50:53] = 3                            # 60 pixels = 0.054 km2 of glacier 3, far from its body
    labels[20:30, 50:53] = 2
    merged = divides.without_slivers(labels, GRID, 3)
    assert (merged[30:50, 50:53] == 2).all()            # 20 sides with 1 and 20 + 3 with 2
    assert (merged[70:90, 10:60] == 3).all()


def test_a_thin_fragment_is_a_sliver_up_to_a_larger_size_than_a_round_one():
    labels = np.zeros(GRID.shape, np.int32)
    labels[10:90, 40:100] = 1
    labels[10:90, 38:40] = 2                            # 160 pixels = 0.144 km2, compactness 0.27
    labels[50:64, 100:112] = 2                          # 168 pixels = 0.151 km2, nearly square
    labels[2:8, 2:60] = 2                               # its body
    merged = divides.without_slivers(labels, GRID, 2)
    assert (merged[10:90, 38:40] == 1).all() and (merged[50:64, 100:112] == 2).all()


def test_a_small_glacier_beside_a_large_one_keeps_its_ice():
    labels = np.zeros(GRID.shape, np.int32)
    labels[20:80, 20:80] = 1
    labels[40:48, 80:88] = 2                            # 0.058 km2, all there is of it
    np.testing.assert_array_equal(divides.without_slivers(labels, GRID, 2), labels)


def test_missing_elevation_does_not_stop_the_division():
    dem = 3000.0 - np.abs(COL - 70)
    dem[40:60, 55:65] = np.nan
    labels = divides.assign(ice((20, 20, 100, 80)), GRID, REFERENCES, dem)
    assert (labels[ice((20, 20, 100, 80))] > 0).all()
    assert (divides.assign(ice((20, 20, 100, 80)), GRID, REFERENCES, np.full(GRID.shape, np.nan)) > 0).any()


def test_ice_divided_by_elevation_becomes_outlines_that_do_not_overlap():
    dem = 3000.0 - np.abs(COL - 70 - 6 * np.sin(ROW / 8))
    found = outlines.to_glaciers(ice((20, 20, 100, 80), (114, 95, 120, 100)), GRID, REFERENCES, dem=dem)
    assert set(found) == {"west", "east", None}
    west, east = (shapely.transform(found[name], lambda xy: xy * 1e5) for name in ("west", "east"))
    assert west.intersection(east).area < 1e-9 * west.area
    together = shapely.make_valid(west.union(east))
    assert abs(together.area - west.area - east.area) < 1e-9 * together.area
    assert all(len(part.interiors) == 0 for part in shapely.get_parts(together))


def test_glaciers_outside_the_grid_take_part_without_harm():
    far = {"far": box(900, 900, 950, 950), **REFERENCES}
    labels = divides.assign(ice((20, 20, 40, 80)), GRID, far, np.full(GRID.shape, 1.0))
    assert set(np.unique(labels)) == {0, 2}
    assert list(outlines.to_glaciers(ice((20, 20, 40, 80)), GRID, far)) == ["west"]
