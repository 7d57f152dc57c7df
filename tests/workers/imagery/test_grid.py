from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import Geod, Proj

from workers.imagery.grid import Grid, NoCRS, WrongGrid, buffer_m, geodesic_area_km2, is_metric, rasterize, work_crs
from workers.imagery.sphere import split_antimeridian

GEOD = Geod(ellps="WGS84")


def polygon_of(grid: Grid) -> float:
    """Geodesic area of the grid's densified outline, km2: the independent reference."""
    ring = [grid.transform @ xy for xy in grid._edge(points_a_side=400)]
    x, y = zip(*ring, strict=True)
    lon, lat = Proj(grid.crs)(x, y, inverse=True) if not grid.is_geographic else (x, y)
    area, _ = GEOD.polygon_area_perimeter(lon, lat)
    return abs(area) / 1e6


@pytest.mark.parametrize(
    ("crs", "x", "y"),
    [
        ("EPSG:32632", 500_000, 5_200_000),  # on the central meridian
        ("EPSG:32632", 820_000, 5_200_000),  # far east of it
        ("EPSG:32643", 545_000, 3_540_000),
        ("EPSG:32719", 540_000, 3_930_000),
        ("EPSG:3031", 400_000, 1_000_000),  # 80 S
        ("EPSG:3413", 300_000, -400_000),
        ("EPSG:3413", -50, 50),  # the pole itself
        ("EPSG:3857", 1_200_000, 5_900_000),
    ],
)
def test_pixel_areas_add_up_to_the_geodesic_area_of_the_grid(crs: str, x: float, y: float) -> None:
    grid = Grid(crs, Affine(30, 0, x, 0, -30, y), 200, 300)
    total = float(np.broadcast_to(grid.pixel_area_km2(), grid.shape).sum())
    assert total == pytest.approx(polygon_of(grid), rel=1e-5)


def test_the_areal_scale_agrees_with_projs_own_factors_pixel_by_pixel() -> None:
    grid = Grid("EPSG:32632", Affine(30, 0, 700_000, 0, -30, 5_300_000), 60, 40)
    rows, cols = np.mgrid[0:40, 0:60] + 0.5
    lon, lat = Proj(grid.crs)(700_000 + 30 * cols, 5_300_000 - 30 * rows, inverse=True)
    expected = 900 / Proj(grid.crs).get_factors(lon, lat).areal_scale / 1e6
    np.testing.assert_allclose(grid.pixel_area_km2(), expected, rtol=1e-7)


def test_utm_stays_within_its_known_areal_scale_and_polar_stereographic_loses_four_percent_at_80_south() -> None:
    utm = Grid("EPSG:32632", Affine(30, 0, 500_000, 0, -30, 5_200_000), 10, 10)
    assert utm.pixel_area_km2().mean() == pytest.approx(900e-6 / 0.9996**2, rel=1e-6)
    x, y = Proj("EPSG:3031")(0, -80)
    polar = Grid("EPSG:3031", Affine(30, 0, x, 0, -30, y), 10, 10)
    assert 900e-6 / polar.pixel_area_km2().mean() == pytest.approx(0.980**2, abs=1e-3)


def test_geographic_pixels_have_the_ellipsoidal_cell_area_row_by_row() -> None:
    grid = Grid("EPSG:4326", Affine(0.01, 0, 11.0, 0, -0.01, 47.0), 50, 40)
    area = grid.pixel_area_km2()
    assert area.shape == (40, 1)
    # the cell is bounded by parallels, so the reference follows them in small steps
    lon = [*np.linspace(11.0, 11.01, 200), *np.linspace(11.01, 11.0, 200)]
    lat = [47.0] * 200 + [46.99] * 200
    assert area[0, 0] == pytest.approx(abs(GEOD.polygon_area_perimeter(lon, lat)[0]) / 1e6, rel=1e-5)
    assert area.sum() * 50 == pytest.approx(polygon_of(grid), rel=1e-5)


def test_the_whole_earth_in_degrees_has_its_authalic_area() -> None:
    earth = Grid("EPSG:4326", Affine(1, 0, -180, 0, -1, 90), 360, 180)
    assert earth.pixel_area_km2().sum() * 360 == pytest.approx(510_065_621.724, rel=1e-9)


def test_non_square_pixels_and_a_rotated_affine_count_their_determinant() -> None:
    rotated = Affine.translation(500_000, 5_200_000) @ Affine.rotation(30) @ Affine.scale(20, -45)
    grid = Grid("EPSG:32632", rotated, 80, 50)
    assert grid.pixel_area_km2().mean() * 0.9996**2 == pytest.approx(900e-6, rel=1e-5)
    assert grid.pixel_area_km2().sum() == pytest.approx(polygon_of(grid), rel=1e-5)
    degrees = Grid("EPSG:4326", Affine.translation(11, 47) @ Affine.rotation(20) @ Affine.scale(0.001, -0.001), 60, 60)
    assert np.broadcast_to(degrees.pixel_area_km2(), (60, 60)).sum() == pytest.approx(polygon_of(degrees), rel=1e-5)


@pytest.mark.parametrize(
    ("lon", "lat", "expected"),
    [
        (7.0, 46.0, "EPSG:32632"),
        (-70.0, -50.0, "EPSG:32719"),
        (5.5, 61.7, "EPSG:32632"),  # Norway: zone 31 would be the plain answer
        (5.5, 64.0, "EPSG:32631"),  # 64 N is outside the exception
        (8.9, 78.0, "EPSG:32631"),
        (9.0, 78.0, "EPSG:32633"),
        (21.0, 78.0, "EPSG:32635"),
        (33.0, 78.0, "EPSG:32637"),
        (42.0, 78.0, "EPSG:32638"),
        (15.0, 84.0, "EPSG:3413"),
        (15.0, 83.99, "EPSG:32633"),
        (60.0, -80.0, "EPSG:3031"),
        (60.0, -79.99, "EPSG:32741"),
        (180.0, -16.0, "EPSG:32701"),
        (-180.0, -16.0, "EPSG:32701"),
        (179.99, 16.0, "EPSG:32660"),
    ],
)
def test_the_work_crs_follows_the_centroid_with_the_zones_of_norway_and_svalbard(lon, lat, expected) -> None:
    assert work_crs(lon, lat) == expected


def test_an_area_across_the_antimeridian_has_one_grid_and_its_right_area() -> None:
    crossing = shapely.box(179.9, -16.5, 180.1, -16.3)
    parts = split_antimeridian(crossing)
    assert len(parts.geoms) == 2
    assert geodesic_area_km2(parts) == pytest.approx(472.83, abs=0.01)
    assert geodesic_area_km2(crossing) == pytest.approx(472.83, abs=0.01)
    grid = Grid.around(parts, 30)
    assert grid.width < 800
    assert grid.height < 800
    inside = rasterize([parts], grid)
    assert (inside * grid.pixel_area_km2()).sum() == pytest.approx(472.83, rel=1e-4)


def test_a_ring_given_as_jumping_from_180_to_minus_180_is_unwrapped() -> None:
    jumping = shapely.Polygon([(179.9, -16.5), (-179.9, -16.5), (-179.9, -16.3), (179.9, -16.3)])
    assert geodesic_area_km2(jumping) == pytest.approx(472.83, abs=0.01)
    grid = Grid.around(jumping, 30)
    assert max(grid.shape) < 800
    assert (rasterize([jumping], grid) * grid.pixel_area_km2()).sum() == pytest.approx(472.83, rel=1e-4)


@pytest.mark.parametrize(
    ("crs", "affine"),
    [
        ("EPSG:32632", Affine.translation(480_000, 5_100_000) @ Affine.rotation(25) @ Affine.scale(10, -40)),
        ("EPSG:3031", Affine(30, 0, 1_200_000, 0, -60, 300_000)),
        ("EPSG:4326", Affine(0.0005, 0, 86.9, 0, -0.001, 28.0)),
    ],
)
def test_the_steps_of_a_grid_are_true_distances_whose_product_is_the_pixels_area(crs: str, affine: Affine) -> None:
    grid = Grid(crs, affine, 40, 30)
    down, across = grid.spacing_m
    area_m2 = 1e6 * np.broadcast_to(grid.pixel_area_km2(), grid.shape)[15, 20]
    assert down * across == pytest.approx(area_m2, rel=1e-4)
    if crs == "EPSG:32632":  # conformal, k close to 1
        assert (down, across) == pytest.approx((40, 10), rel=1e-3)


def test_a_hole_is_subtracted() -> None:
    shell, hole = shapely.box(10, 46, 10.1, 46.1), shapely.box(10.04, 46.04, 10.06, 46.06)
    holed = shapely.Polygon(shell.exterior, [hole.exterior])
    wound_alike = shapely.Polygon(shell.exterior, [hole.exterior.coords[::-1]])
    expected = geodesic_area_km2(shell) - geodesic_area_km2(hole)
    assert geodesic_area_km2(holed) == pytest.approx(expected, rel=1e-9)
    assert geodesic_area_km2(wound_alike) == pytest.approx(expected, rel=1e-9)


def test_a_bow_tie_counts_both_lobes() -> None:
    bow_tie = shapely.Polygon([(10, 46), (10.1, 46.1), (10.1, 46), (10, 46.1)])
    left = shapely.Polygon([(10, 46), (10.05, 46.05), (10, 46.1)])
    right = shapely.Polygon([(10.1, 46), (10.05, 46.05), (10.1, 46.1)])
    assert geodesic_area_km2(bow_tie) == pytest.approx(geodesic_area_km2(left) + geodesic_area_km2(right), rel=1e-6)


def test_the_grid_around_an_outline_is_snapped_and_covers_it_with_its_margin() -> None:
    outline = shapely.Point(7.9, 46.5).buffer(0.03)
    grid = Grid.around(outline, 30, margin_m=1500)
    assert grid.crs == "EPSG:32632"
    assert grid.transform.c % 30 == 0
    assert grid.transform.f % 30 == 0
    with_margin = buffer_m(outline, 1400)
    assert shapely.contains(grid.footprint().buffer(1e-6), with_margin)
    assert grid.pixel_m == pytest.approx(30, rel=1e-3)


def test_rasterize_counts_pixel_centres_and_nothing_for_no_geometry() -> None:
    grid = Grid("EPSG:32632", Affine(30, 0, 500_010, 0, -30, 5_200_020), 40, 30)
    inner = Grid("EPSG:32632", grid.transform @ Affine.translation(5, 10), 20, 8)
    mask = rasterize([inner.footprint()], grid)
    assert mask[10:18, 5:25].all()
    assert mask.sum() == 160
    assert not rasterize([], grid).any()
    assert rasterize([shapely.Point(*grid.centre)], grid, all_touched=True).sum() == 1


def test_a_buffer_in_metres_is_round_on_the_ground_at_any_latitude() -> None:
    for lat in (0, 46, 79, -85):
        disc = buffer_m(shapely.Point(20, lat), 1000)
        assert geodesic_area_km2(disc) == pytest.approx(math.pi, rel=5e-3)


def test_the_footprint_of_a_grid_over_the_pole_holds_the_pole() -> None:
    polar = Grid("EPSG:3413", Affine(1000, 0, -50_000, 0, -1000, 50_000), 100, 100)
    assert polar.footprint().bounds[3] == pytest.approx(90)
    assert geodesic_area_km2(polar.footprint()) == pytest.approx(polar.pixel_area_km2().sum(), rel=1e-3)


def test_a_grid_survives_json_and_recognises_itself() -> None:
    grid = Grid("EPSG:32632", Affine(30, 0, 500_010, 0, -30, 5_200_020), 40, 30)
    assert Grid.from_dict(grid.to_dict()) == grid
    assert grid.same_as(Grid.from_dict(grid.to_dict()))
    assert not grid.same_as(grid.part(1, 0, 30, 40))
    assert grid.part(2, 3, 4, 5).transform @ (0, 0) == grid.transform @ (3, 2)


def test_impossible_grids_are_refused_by_name() -> None:
    with pytest.raises(WrongGrid, match="at least one pixel"):
        Grid("EPSG:32632", Affine(30, 0, 0, 0, -30, 0), 0, 5)
    with pytest.raises(WrongGrid, match="not finite and invertible"):
        Grid("EPSG:32632", Affine(float("nan"), 0, 0, 0, -30, 0), 5, 5)
    with pytest.raises(NoCRS, match="not a known CRS"):
        Grid("nowhere", Affine(30, 0, 0, 0, -30, 0), 5, 5)
    with pytest.raises(WrongGrid, match="not a metric projected CRS"):
        Grid.around(shapely.box(1, 1, 2, 2), 30, crs="EPSG:3857")
    with pytest.raises(WrongGrid, match="fails at"):
        Grid.from_dict({"crs": "EPSG:32632"})
    with pytest.raises(WrongGrid, match="not empty"):
        Grid.around(shapely.Polygon(), 30)


def test_web_mercator_and_degrees_are_no_work_crs() -> None:
    assert is_metric("EPSG:32632")
    assert is_metric("EPSG:3031")
    assert not is_metric("EPSG:3857")
    assert not is_metric("EPSG:4326")
