"""Masks become outlines: right places, right areas, no overlaps, nothing smaller than an inventory keeps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from affine import Affine
from rasterio import features
from scipy import ndimage
from skimage import measure

from workers.imagery.grid import Grid, geodesic_area_km2, rasterize
from workers.segmentation import arcs, outlines

GRID = Grid("EPSG:32632", Affine(30, 0, 480_000, 0, -30, 5_200_000), 200, 180)
ROW, COL = np.mgrid[: GRID.height, : GRID.width] + 0.5


def disc(row: float = 90, col: float = 100, radius: float = 50) -> np.ndarray:
    return np.hypot(ROW - row, COL - col) <= radius


def ragged(seed: int = 0, sigma: float = 4) -> np.ndarray:
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=GRID.shape), sigma) > 0


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


def drawn(found: list[outlines.Traced]) -> np.ndarray:
    return rasterize([one.geometry for one in found], GRID)


def rasterize_px(shape: shapely.Polygon) -> np.ndarray:
    return features.rasterize([shape], GRID.shape).astype(bool)


def test_a_round_glacier_has_the_area_of_its_circle():
    (outline,) = outlines.trace(disc(), GRID)
    true_km2 = math.pi * 1.5**2
    half_pixel_km2 = 2 * math.pi * 1.5 * 0.015
    assert outline.area_km2 == pytest.approx(true_km2, abs=half_pixel_km2 / 5)
    assert outline.area_km2 == pytest.approx(disc().sum() * float(GRID.pixel_area_km2()[90, 100]), rel=2e-3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_traced_mask_drawn_again_is_the_mask(seed):
    mask = outlines.cleaned(ragged(seed).astype(np.int32), GRID, outlines.MIN_AREA_KM2) > 0
    assert iou(drawn(outlines.trace(mask, GRID)), mask) >= 0.98


def test_without_smoothing_outlines_run_along_pixel_edges():
    mask = disc()
    (outline,) = outlines.trace(mask, GRID, smooth=False)
    assert iou(drawn([outline]), mask) == 1
    polygon = next(iter(arcs.polygons(mask.astype(np.int32), smooth=False).values()))
    assert polygon.area == mask.sum()
    np.testing.assert_array_equal(np.asarray(polygon.exterior.coords) % 1, 0)


def test_pixels_that_touch_at_a_corner_are_two_glaciers():
    mask = np.zeros(GRID.shape, bool)
    mask[20:40, 20:40] = mask[40:60, 40:60] = True
    assert len(outlines.trace(mask, GRID)) == 2


def test_parts_below_the_inventory_minimum_are_dropped_and_small_holes_filled():
    mask = disc()
    mask[90, 100] = mask[60:62, 100] = False        # 0.0009 and 0.0018 km2: melt ponds, no nunataks
    mask[5, 5:15] = True                            # 0.009 km2
    (outline,) = outlines.trace(mask, GRID)
    assert len(outline.geometry.geoms[0].interiors) == 0
    assert iou(drawn([outline]), disc()) >= 0.999


def test_a_median_takes_single_pixels_and_leaves_straight_margins():
    mask = np.zeros(GRID.shape, bool)
    mask[50:100] = True
    speckled = mask.copy()
    speckled[20, 30] = True
    speckled[70, 60] = False
    np.testing.assert_array_equal(outlines.despeckled(speckled), mask)


def test_a_nunatak_is_a_hole_and_its_area_is_not_ice():
    mask = disc() & ~disc(radius=10)
    (outline,) = outlines.trace(mask, GRID)
    (polygon,) = outline.geometry.geoms
    assert len(polygon.interiors) == 1
    hole = geodesic_area_km2(shapely.Polygon(polygon.interiors[0]))
    assert hole == pytest.approx(math.pi * 0.3**2, rel=0.03)
    assert outline.area_km2 == pytest.approx(geodesic_area_km2(shapely.Polygon(polygon.exterior)) - hole, rel=1e-9)


def test_smoothing_never_changes_an_area_by_more_than_one_percent():
    mask = ragged(7, sigma=2).astype(np.int32)
    regions = ndimage.label(mask)[0].astype(np.int32)
    before, after = arcs.polygons(regions, smooth=False), arcs.polygons(regions)
    assert before.keys() == after.keys()
    assert all(abs(after[k].area - before[k].area) <= 0.01 * before[k].area for k in before)
    assert all(shape.is_valid for shape in after.values())
    assert any(not after[k].equals(before[k]) for k in before)


def test_a_slanting_margin_is_a_line_and_no_staircase():
    for angle in np.radians([10, 26.6, 45, 71]):
        ridge = np.abs((COL - 100) * math.sin(angle) - (ROW - 90) * math.cos(angle)) < 12
        mask = ridge & (np.abs((COL - 100) * math.cos(angle) + (ROW - 90) * math.sin(angle)) < 60)
        smooth, stairs = (arcs.polygons(mask.astype(np.int32), how)[1] for how in (True, False))
        assert smooth.length == pytest.approx(2 * (24 + 120), rel=0.04)
        assert stairs.length > 1.1 * smooth.length


@pytest.mark.parametrize("seed", range(4))
def test_every_piece_of_ice_is_its_pixels_again_and_most_small_ones_are_smoothed(seed):
    mask = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=GRID.shape), 2.5) > 0.02
    regions = outlines.cleaned(measure.label(mask, connectivity=1).astype(np.int32), GRID, outlines.MIN_AREA_KM2)
    before, after = arcs.polygons(regions, smooth=False), arcs.polygons(regions)
    small = [k for k in before if before[k].area < 60]
    assert sum(not after[k].equals(before[k]) for k in small) > 0.6 * len(small) > 0
    again = {k: rasterize_px(shape) for k, shape in after.items()}
    assert min(iou(again[k], regions == k) for k in after) >= 0.98
    assert all(abs(after[k].area - before[k].area) <= 0.01 * before[k].area for k in before)
    whole = shapely.union_all(list(after.values()))
    assert whole.area == pytest.approx(sum(shape.area for shape in after.values()), rel=1e-9)     # no overlap


def test_two_labels_that_meet_in_one_pixel_side_keep_what_cannot_be_smoothed():
    regions = np.zeros(GRID.shape, np.int32)
    regions[10:14, 10:14], regions[14, 13], regions[14:18, 14:18] = 1, 1, 2
    for smooth in (True, False):
        shapes = arcs.polygons(regions, smooth)
        assert shapely.union_all(list(shapes.values())).area == pytest.approx(17 + 16, rel=0.01)
        assert all(shapes[k].area == pytest.approx((regions == k).sum(), rel=0.01) for k in (1, 2))


def test_a_map_without_ice_has_no_outline():
    assert outlines.trace(np.zeros(GRID.shape, bool), GRID) == []
    assert outlines.trace(np.full(GRID.shape, np.nan), GRID) == []
    assert outlines.to_glaciers(np.zeros(GRID.shape, bool), GRID, {}) == {}


def test_neighbours_share_their_smoothed_border_without_gap_or_overlap():
    labels = np.where(disc(), 1 + (ROW > COL - 10) + (ROW + 20 * np.sin(COL / 9) > 90), 0).astype(np.int32)
    shapes = list(arcs.polygons(labels).values())
    together = shapely.union_all(shapes)
    assert len(shapes) == 3
    assert sum(s.area for s in shapes) == pytest.approx(together.area, rel=1e-12)       # no overlap
    assert len(together.interiors) == 0                                                # no gap
    assert not shapes[0].equals(next(iter(arcs.polygons(labels, smooth=False).values())))


def test_probability_of_exactly_one_half_is_glacier():
    probability = np.where(disc(), 0.5, np.nextafter(np.float32(0.5), np.float32(0))).astype(np.float32)
    (outline,) = outlines.trace(probability, GRID)
    assert iou(drawn([outline]), disc()) >= 0.99


def test_what_was_not_observed_is_no_ice():
    probability = np.where(disc(), 1.0, 0.0)
    probability[:, 100:] = np.nan
    (outline,) = outlines.trace(probability, GRID)
    assert iou(drawn([outline]), disc() & (COL < 100)) >= 0.99
    assert outlines.trace(np.full(GRID.shape, np.nan), GRID) == []


def test_confidence_is_the_mean_over_the_ice_and_absent_for_a_bare_mask():
    probability = np.where(disc(), 0.9, 0.1)
    (outline,) = outlines.trace(probability, GRID)
    h2 = -(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1))
    assert outline.mean_confidence == pytest.approx(1 - h2, abs=1e-6)
    assert outlines.trace(disc(), GRID)[0].mean_confidence is None


def test_a_map_that_does_not_lie_on_the_grid_is_refused():
    with pytest.raises(ValueError, match="does not lie"):
        outlines.trace(np.zeros((3, 3)), GRID)


def test_rotated_and_oblong_pixels_keep_their_area():
    affine = Affine(30, 8, 480_000, 6, -20, 5_200_000)
    grid = Grid("EPSG:32632", affine, GRID.width, GRID.height)
    (outline,) = outlines.trace(disc(), grid)
    assert outline.area_km2 == pytest.approx(disc().sum() * abs(affine.determinant) / 1e6, rel=3e-3)


def test_a_glacier_across_the_antimeridian_comes_out_on_both_sides_with_its_whole_area():
    grid = Grid("EPSG:32701", Affine(30, 0, 176_000, 0, -30, 8_180_000), 200, 180)      # 180 degrees runs through it
    (outline,) = outlines.trace(disc(), grid)
    assert {round(part.centroid.x) for part in outline.geometry.geoms} == {-180, 180}
    assert max(part.bounds[2] - part.bounds[0] for part in outline.geometry.geoms) < 0.1
    true_km2 = (disc() * grid.pixel_area_km2()).sum()
    assert outline.area_km2 == pytest.approx(true_km2, rel=2e-3)


def lonlat(polygon: shapely.Polygon) -> shapely.MultiPolygon:
    return outlines.to_lonlat([polygon], GRID)


def test_ice_is_cut_to_domains_and_the_rest_is_nobodys():
    domains = {"west": lonlat(shapely.box(0, 0, 100, 180)), "east": lonlat(shapely.box(100, 0, 170, 180))}
    mask = disc(90, 100, 30) | disc(90, 185, 10)
    found = outlines.to_glaciers(mask, GRID, domains)
    assert set(found) == {"west", "east", None}
    assert iou(rasterize([found["west"]], GRID), disc(90, 100, 30) & (COL < 100)) >= 0.99
    assert iou(rasterize([found[None]], GRID), disc(90, 185, 10)) >= 0.98
    assert found["west"].intersection(found["east"]).area == 0


def test_fragments_in_one_domain_are_one_glacier():
    mask = disc(60, 60, 20) | disc(120, 60, 20)
    found = outlines.to_glaciers(mask, GRID, {"G": lonlat(shapely.box(0, 0, 120, 180))})
    assert list(found) == ["G"] and len(found["G"].geoms) == 2


def test_a_domain_is_the_outline_and_150_metres_less_its_neighbours():
    west, east = lonlat(shapely.box(20, 20, 100, 100)), lonlat(shapely.box(100, 20, 150, 100))
    domains = outlines.domains_of({"west": west, "east": east})
    assert domains["west"].intersection(east).area < 1e-9 * east.area
    drawn_west = rasterize([domains["west"]], GRID)
    assert drawn_west[60, 16] and not drawn_west[60, 14]          # 150 m are 5 pixels: the edge lies at column 15
    assert not drawn_west[60, 101]
