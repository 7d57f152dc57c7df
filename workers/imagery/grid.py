"""The work grid: which pixel lies where, and how much true area it covers.

One grid (CRS, affine, width, height) is frozen per area of interest; every layer is brought onto it once.
Row 0 is the north edge and column 0 the west edge of a north-up grid.

Areas are those of the WGS 84 ellipsoid, never of the map plane: Snyder, *Map Projections, a Working Manual*
(USGS Professional Paper 1395, 1987), equations 3-12 (authalic latitude) and chapter 24 (Lambert azimuthal equal-area).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from affine import Affine
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from rasterio import features
from scipy.interpolate import RectBivariateSpline
from shapely.geometry.base import BaseGeometry

import workers.imagery.drivers  # noqa: F401  (switches off what GDAL must not open)
from workers.imagery.sphere import GEOD, buffer_m, centroid, geodesic_area_km2, split_antimeridian, unwrap

__all__ = [
    "Grid",
    "NoCRS",
    "WrongGrid",
    "buffer_m",
    "geodesic_area_km2",
    "is_metric",
    "project",
    "rasterize",
    "work_crs",
]

WGS84 = "OGC:CRS84"
SEMI_MAJOR_M, FLATTENING = 6_378_137.0, 1 / 298.257223563
E2 = FLATTENING * (2 - FLATTENING)
WEB_MERCATOR = {3857, 3785, 900913, 102100, 102113}
AREA_NODES = 17  # nodes an axis on which the areal scale is computed; a cubic spline fills in between
DENSE_DEGREES = 0.05  # edges in lon/lat are cut this fine before they are projected: the bow left is below 1 m


class WrongGrid(ValueError):
    """A grid that cannot be: size, affine or CRS; or two rasters that do not share one grid."""


class NoCRS(ValueError):
    """A raster or grid without a usable coordinate reference system."""


@dataclass(frozen=True)
class Grid:
    """CRS ("EPSG:32626" or WKT), affine (pixel to map), width and height in pixels. Refuses impossible values."""

    crs: str
    transform: Affine
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise WrongGrid(f"A grid needs at least one pixel, got {self.width} x {self.height}; check both.")
        if not all(math.isfinite(v) for v in self.transform[:6]) or self.transform.determinant == 0:
            raise WrongGrid(f"The affine {tuple(self.transform[:6])} is not finite and invertible; georeference again.")
        _crs(self.crs)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width), the order of arrays."""
        return self.height, self.width

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) of all four corners in map units, also for a rotated affine."""
        corners = [self.transform @ corner for corner in self._corners()]
        xs, ys = zip(*corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def pixel_m(self) -> float:
        """Side in metres of a square with the true area of the middle pixel."""
        area = self.pixel_area_km2()
        return math.sqrt(float(area[area.shape[0] // 2, area.shape[1] // 2]) * 1e6)

    @property
    def spacing_m(self) -> tuple[float, float]:
        """(from row to row, from column to column): true distances in metres at the middle of the grid."""
        col, row = self.width / 2, self.height / 2
        x, y = np.array([self.transform @ point for point in ((col, row), (col, row + 1), (col + 1, row))]).T
        lon, lat = transformer(self.crs, WGS84).transform(x, y)
        _, _, steps = GEOD.inv([lon[0]] * 2, [lat[0]] * 2, lon[1:], lat[1:])
        return float(steps[0]), float(steps[1])

    @property
    def centre(self) -> tuple[float, float]:
        """(lon, lat) of the middle of the grid, degrees; lon in [-180, 180)."""
        x, y = self.transform @ (self.width / 2, self.height / 2)
        lon, lat = transformer(self.crs, WGS84).transform(x, y)
        return (lon + 180) % 360 - 180, lat

    @property
    def is_geographic(self) -> bool:
        return bool(_crs(self.crs).is_geographic)

    def pixel_area_km2(self) -> np.ndarray:
        """True area of every pixel in km2, float64, broadcastable to (H, W).

        Geographic north-up grids give (H, 1) by the authalic formula; all others the nominal area over the
        areal scale of the projection, (H, W), to better than 1e-8. The array is shared and read-only.
        """
        return _pixel_area_km2(self)

    def _pixel_area_km2(self) -> np.ndarray:
        if self.is_geographic and self.transform.b == 0 and self.transform.d == 0:
            return self._authalic_rows_km2()
        return abs(self.transform.determinant) * self._area_per_map_unit() / 1e6

    def footprint(self) -> BaseGeometry:
        """Outline in lon/lat: a Polygon, or a MultiPolygon cut at the antimeridian."""
        x, y = np.array([self.transform @ point for point in self._edge(points_a_side=21)]).T
        lon, lat = transformer(self.crs, WGS84).transform(x, y)
        return split_antimeridian(unwrap(shapely.Polygon(np.column_stack([lon, lat]))))

    def part(self, row: int, col: int, height: int, width: int) -> Grid:
        """The grid of a window that starts at (row, col)."""
        return Grid(self.crs, self.transform @ Affine.translation(col, row), width, height)

    def same_as(self, other: Grid) -> bool:
        """Same CRS, size and affine (to a thousandth of a pixel)."""
        apart = [abs(a - b) for a, b in zip(self.transform[:6], other.transform[:6], strict=True)]
        tolerance = 1e-3 * math.sqrt(abs(self.transform.determinant))
        return self.shape == other.shape and max(apart) <= tolerance and _crs(self.crs) == _crs(other.crs)

    def to_dict(self) -> dict[str, Any]:
        return {"crs": self.crs, "transform": list(self.transform[:6]), "width": self.width, "height": self.height}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Grid:
        """The inverse of to_dict; WrongGrid names a key that is missing."""
        try:
            return cls(str(d["crs"]), Affine(*map(float, d["transform"])), int(d["width"]), int(d["height"]))
        except (KeyError, TypeError) as error:
            raise WrongGrid(f"A grid is crs, transform (6 numbers), width, height; it fails at {error}.") from error

    @classmethod
    def of(cls, dataset: Any) -> Grid:
        """The grid of an open rasterio dataset; NoCRS when it has none."""
        if not dataset.crs:
            raise NoCRS(f"{dataset.name} has no CRS; assign one (gdal_edit.py -a_srs) and retry.")
        epsg = dataset.crs.to_epsg()
        return cls(f"EPSG:{epsg}" if epsg else dataset.crs.to_wkt(), dataset.transform, dataset.width, dataset.height)

    @classmethod
    def around(
        cls, lonlat_geometry: BaseGeometry, pixel_m: float, margin_m: float = 0.0, crs: str | None = None
    ) -> Grid:
        """North-up grid over a lon/lat geometry plus a margin; origin on a multiple of the pixel.

        Without `crs` the work CRS of the geometry's centroid is taken. WrongGrid for an empty geometry,
        a pixel that is not positive or a CRS that is not metric.
        """
        if lonlat_geometry.is_empty or not pixel_m > 0:
            raise WrongGrid("A grid needs a geometry that is not empty and a pixel size in metres above 0.")
        crs = crs or work_crs(*centroid(lonlat_geometry))
        if not is_metric(crs):
            raise WrongGrid(f"{crs} is not a metric projected CRS; leave it out to have one chosen.")
        left, bottom, right, top = project(lonlat_geometry, WGS84, crs).bounds
        first_col, last_col = math.floor((left - margin_m) / pixel_m), math.ceil((right + margin_m) / pixel_m)
        first_row, last_row = math.ceil((top + margin_m) / pixel_m), math.floor((bottom - margin_m) / pixel_m)
        affine = Affine(pixel_m, 0, first_col * pixel_m, 0, -pixel_m, first_row * pixel_m)
        return cls(crs, affine, max(1, last_col - first_col), max(1, first_row - last_row))

    def _corners(self) -> list[tuple[int, int]]:
        return [(0, 0), (self.width, 0), (self.width, self.height), (0, self.height)]

    def _edge(self, points_a_side: int) -> list[tuple[float, float]]:
        corners = np.array([*self._corners(), (0, 0)], dtype=float)
        step = np.linspace(0, 1, points_a_side, endpoint=False)[:, None]
        sides = [start + (end - start) * step for start, end in pairwise(corners)]
        return [(float(c), float(r)) for c, r in np.concatenate(sides)]

    def _authalic_rows_km2(self) -> np.ndarray:
        edges = self.transform.f + self.transform.e * np.arange(self.height + 1)
        q = authalic_q(np.radians(np.clip(edges, -90, 90)))
        return (abs(math.radians(self.transform.a)) * SEMI_MAJOR_M**2 / 2 * np.abs(np.diff(q)) / 1e6)[:, None]

    def _area_per_map_unit(self) -> np.ndarray:
        """(H, W) true m2 for each square map unit, at pixel centres."""
        rows, cols = (np.linspace(0, n, AREA_NODES) for n in self.shape)
        c, r = np.meshgrid(cols, rows)
        a, b, x0, d, e, y0 = self.transform[:6]
        nodes = _true_area_ratio(self.crs, a * c + b * r + x0, d * c + e * r + y0, self.centre)
        spline = RectBivariateSpline(rows, cols, nodes)
        return spline(np.arange(self.height) + 0.5, np.arange(self.width) + 0.5)


def authalic_q(lat_rad: np.ndarray) -> np.ndarray:
    """q of Snyder 1987, equation 3-12, WGS 84: a^2 / 2 * q is the area north of the equator per radian of longitude."""
    e, s = math.sqrt(E2), np.sin(lat_rad)
    return (1 - E2) * (s / (1 - E2 * s**2) + np.arctanh(e * s) / e)


def _true_area_ratio(crs: str, x: np.ndarray, y: np.ndarray, centre: tuple[float, float]) -> np.ndarray:
    """True area per unit of map area at (x, y): the Jacobian of crs -> a local equal-area projection."""
    lon, lat = centre
    local = f"+proj=laea +lat_0={lat} +lon_0={lon} +datum=WGS84 +units=m +no_defs"
    to_local = Transformer.from_crs(_crs(crs), CRS(local), always_xy=True)
    h = 1e-3 if _crs(crs).is_geographic else 100.0
    east, west = to_local.transform(x + h, y), to_local.transform(x - h, y)
    north, south = to_local.transform(x, y + h), to_local.transform(x, y - h)
    dx, dy = np.subtract(east, west), np.subtract(north, south)
    return np.abs(dx[0] * dy[1] - dx[1] * dy[0]) / (2 * h) ** 2


@lru_cache(maxsize=256)
def _crs(text: str) -> CRS:
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise NoCRS(f"{text[:80]!r} is not a known CRS; give an EPSG code or WKT.") from error


@lru_cache(maxsize=256)
def transformer(source: str, target: str) -> Transformer:
    """Transformer from CRS to CRS, x before y (lon before lat) on both sides."""
    return Transformer.from_crs(_crs(source), _crs(target), always_xy=True)


def is_metric(crs: str) -> bool:
    """True for a projected CRS in metres that may serve as a work CRS; Web Mercator never does."""
    found = _crs(crs)
    return found.is_projected and found.axis_info[0].unit_name in {"metre", "meter"} and not _web_mercator(found)


def _web_mercator(found: CRS) -> bool:
    return found.to_epsg() in WEB_MERCATOR or "Pseudo-Mercator" in found.name


def work_crs(lon: float, lat: float) -> str:
    """Work CRS of a place: polar stereographic from 84 N and 80 S on, else UTM with Norway's and Svalbard's zones."""
    if lat >= 84:
        return "EPSG:3413"
    if lat <= -80:
        return "EPSG:3031"
    zone = _utm_zone((lon + 180) % 360 - 180, lat)
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


def _utm_zone(lon: float, lat: float) -> int:
    if 56 <= lat < 64 and 3 <= lon < 12:
        return 32
    if 72 <= lat < 84 and 0 <= lon < 42:
        return 31 if lon < 9 else 33 if lon < 21 else 35 if lon < 33 else 37
    return math.floor((lon + 180) / 6) % 60 + 1


def project(geometry: BaseGeometry, source: str, target: str) -> BaseGeometry:
    """Geometry in another CRS; lon/lat edges are cut fine first, so that they bend as they must.

    A lon/lat geometry wider than half the Earth is one that jumps from 180 to -180: it is unwrapped.
    """
    if _crs(source).is_geographic:
        west, _, east, _ = geometry.bounds
        whole = unwrap(geometry) if east - west > 180 else geometry
        geometry = shapely.segmentize(whole, DENSE_DEGREES)
    move = transformer(source, target).transform
    return shapely.transform(geometry, lambda xy: np.column_stack(move(xy[:, 0], xy[:, 1])))


def rasterize(geometries_lonlat: Iterable[BaseGeometry], grid: Grid, all_touched: bool = False) -> np.ndarray:
    """bool (H, W): pixels whose centre lies inside (or that are touched by) any lon/lat geometry.

    The polygons go to the raster's CRS, never the raster to degrees. No geometry gives all False.
    """
    shapes = [_onto(geometry, grid) for geometry in geometries_lonlat]
    shapes = [shape for shape in shapes if not shape.is_empty]
    if not shapes:
        return np.zeros(grid.shape, dtype=bool)
    burnt = features.rasterize(shapes, grid.shape, transform=grid.transform, all_touched=all_touched, dtype="uint8")
    return burnt.astype(bool)


def _onto(geometry: BaseGeometry, grid: Grid) -> BaseGeometry:
    if not grid.is_geographic:
        return project(geometry, WGS84, grid.crs)
    left, _, right, _ = grid.bounds  # may run past 180 degrees: the world is repeated beside itself
    turns = range(math.floor((left + 180) / 360), math.floor((right + 180) / 360) + 1)
    return shapely.union_all([shapely.transform(geometry, lambda xy, k=k: xy + np.array([360 * k, 0])) for k in turns])


@lru_cache(maxsize=8)
def _pixel_area_km2(grid: Grid) -> np.ndarray:
    """Computed once for each grid: every mask of an area of interest asks for it several times."""
    area = grid._pixel_area_km2()
    area.flags.writeable = False
    return area
