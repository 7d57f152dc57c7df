"""Areas, lengths and buffers on the WGS 84 ellipsoid; nothing here is ever measured in a web map's projection."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import shapely
from pyproj import CRS, Geod, Transformer
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

WGS84 = Geod(ellps="WGS84")


def area_km2_and_perimeter_km(geometry: BaseGeometry) -> tuple[float, float]:
    """Geodesic area (holes subtracted) and length of all rings of a lon/lat (Multi)Polygon.

    Rings are oriented first: pyproj adds a hole that winds like its shell.
    """
    area_m2, perimeter_m = WGS84.geometry_area_perimeter(shapely.orient_polygons(geometry))
    return abs(area_m2) / 1e6, perimeter_m / 1e3


@lru_cache(maxsize=256)
def _local_plane(lon: float, lat: float) -> tuple[Transformer, Transformer]:
    plane = CRS.from_proj4(f"+proj=laea +lon_0={lon} +lat_0={lat} +datum=WGS84 +units=m")
    lonlat = CRS.from_user_input("OGC:CRS84")
    return (
        Transformer.from_crs(lonlat, plane, always_xy=True),
        Transformer.from_crs(plane, lonlat, always_xy=True),
    )


class LocalPlane:
    """A Lambert azimuthal equal-area plane in metres around one glacier."""

    def __init__(self, geometry: BaseGeometry) -> None:
        west, south, east, north = geometry.bounds
        self._to, self._back = _local_plane(round((west + east) / 2, 2), round((south + north) / 2, 2))

    def project(self, geometry: BaseGeometry) -> BaseGeometry:
        """Lon/lat to metres."""
        return shapely.transform(geometry, self._to.transform, interleaved=False)

    def lonlat(self, geometry: BaseGeometry) -> BaseGeometry:
        """Metres to lon/lat."""
        return shapely.transform(geometry, self._back.transform, interleaved=False)


def polygons_of(geometry: BaseGeometry) -> MultiPolygon:
    """The polygons of any geometry as one MultiPolygon; lines and points of a repair or overlay are dropped."""
    return MultiPolygon(list(_polygons(geometry)))


def _polygons(geometry: BaseGeometry) -> Iterator[Polygon]:
    if geometry.geom_type == "Polygon":
        if not geometry.is_empty:
            yield geometry
    elif hasattr(geometry, "geoms"):  # collections may hold collections
        for part in geometry.geoms:
            yield from _polygons(part)


def split_at_antimeridian(geometry: BaseGeometry) -> BaseGeometry:
    """A polygon that spans more than 180 degrees is taken to cross the antimeridian and cut there (RFC 7946, 3.1.9)."""
    west, _, east, _ = geometry.bounds
    if east - west <= 180:
        return geometry
    unwrapped = shapely.transform(geometry, lambda x, y: (np.where(x < 0, x + 360, x), y), interleaved=False)
    eastern = unwrapped.intersection(shapely.box(0, -90, 180, 90))
    western = shapely.transform(
        unwrapped.intersection(shapely.box(180, -90, 360, 90)), lambda x, y: (x - 360, y), interleaved=False
    )
    return polygons_of(shapely.union_all([eastern, western]))
