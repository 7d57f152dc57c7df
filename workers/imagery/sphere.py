"""Geometries in longitude and latitude: areas on the ellipsoid, buffers in metres, the antimeridian.

Areas and geodesics: Karney, *Algorithms for geodesics*, J. Geodesy 87 (2013), through PROJ. Cutting at the
antimeridian follows RFC 7946, section 3.1.9.
"""

from __future__ import annotations

import numpy as np
import shapely
from pyproj import CRS, Geod, Transformer
from shapely.geometry.base import BaseGeometry

GEOD = Geod(ellps="WGS84")
WORLD_TURNS = (-2, -1, 0, 1, 2)


def geodesic_area_km2(geom_lonlat: BaseGeometry) -> float:
    """Area on the WGS 84 ellipsoid, km2: holes subtracted, antimeridian unwrapped, bow-ties made valid."""
    left, _, right, _ = geom_lonlat.bounds
    whole = unwrap(geom_lonlat) if right - left > 180 else geom_lonlat
    return sum(_polygon_m2(polygon) for polygon in _polygons(made_valid(whole))) / 1e6


def _polygon_m2(polygon: shapely.Polygon) -> float:
    return _ring_m2(polygon.exterior) - sum(_ring_m2(hole) for hole in polygon.interiors)


def _ring_m2(ring: shapely.LinearRing) -> float:
    """Whichever way the ring winds. Arrays go through PROJ without the copies that pyproj makes of a geometry."""
    lon, lat = shapely.get_coordinates(ring).T
    return abs(GEOD.polygon_area_perimeter(lon, lat)[0])


def made_valid(geometry: BaseGeometry) -> BaseGeometry:
    """The geometry itself when valid, else its repaired polygons (lobes of a bow-tie become parts)."""
    if geometry.is_valid:
        return geometry
    parts = _polygons(shapely.make_valid(geometry))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _polygons(geometry: BaseGeometry) -> list[shapely.Polygon]:
    if geometry.geom_type == "Polygon":
        return [] if geometry.is_empty else [geometry]
    parts = shapely.get_parts(shapely.get_parts(geometry))  # twice: a collection may hold multi-polygons
    return [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]


def unwrap(geometry: BaseGeometry) -> BaseGeometry:
    """Rings made continuous: 360 degrees are added or taken wherever a step in longitude exceeds 180.

    Longitudes may leave [-180, 180] afterwards. A ring around a pole is closed over the pole.
    """
    parts = [_unwrapped_polygon(part) for part in _polygons(geometry)]
    if not parts:
        return geometry
    return parts[0] if len(parts) == 1 and geometry.geom_type == "Polygon" else shapely.MultiPolygon(parts)


def _unwrapped_polygon(polygon: shapely.Polygon) -> shapely.Polygon:
    shell = _unwrapped_ring(np.asarray(polygon.exterior.coords)[:, :2])
    holes = [_near(_unwrapped_ring(np.asarray(ring.coords)[:, :2]), shell) for ring in polygon.interiors]
    return shapely.Polygon(shell, holes)


def _unwrapped_ring(xy: np.ndarray) -> np.ndarray:
    steps = np.diff(xy[:, 0])
    turns = np.concatenate([[0], np.cumsum(np.where(steps > 180, -1, np.where(steps < -180, 1, 0)))])
    out = np.column_stack([xy[:, 0] + 360 * turns, xy[:, 1]])
    if turns[-1] == 0:
        return out
    pole = 90.0 if out[:, 1].mean() > 0 else -90.0
    return np.vstack([out, [out[-1, 0], pole], [out[0, 0], pole], out[:1]])


def _near(ring: np.ndarray, shell: np.ndarray) -> np.ndarray:
    """A hole on the same turn of the world as its shell."""
    turns = np.round((shell[:, 0].mean() - ring[:, 0].mean()) / 360)
    return ring + np.array([360 * turns, 0])


def split_antimeridian(geometry: BaseGeometry) -> BaseGeometry:
    """An unwrapped geometry brought back into [-180, 180], cut where it crosses the antimeridian."""
    left, _, right, _ = geometry.bounds
    if left >= -180 and right <= 180:
        return geometry
    pieces = []
    for turn in WORLD_TURNS:
        inside = shapely.intersection(geometry, shapely.box(-180 + 360 * turn, -90, 180 + 360 * turn, 90))
        pieces += [shapely.transform(p, lambda xy, k=turn: xy - np.array([360 * k, 0])) for p in _polygons(inside)]
    return pieces[0] if len(pieces) == 1 else shapely.MultiPolygon(pieces)


def joined(geometry: BaseGeometry) -> BaseGeometry:
    """Parts on both sides of the antimeridian brought together on one turn of the world (longitudes may pass 180)."""
    left, _, right, _ = geometry.bounds
    if right - left <= 180:
        return geometry
    return shapely.transform(geometry, lambda xy: xy + np.outer(xy[:, 0] < 0, [360, 0]))


def centroid(geom_lonlat: BaseGeometry) -> tuple[float, float]:
    """(lon, lat) of the centroid after unwrapping; lon in [-180, 180)."""
    point = joined(unwrap(geom_lonlat)).centroid
    return (point.x + 180) % 360 - 180, point.y


def buffer_m(geom_lonlat: BaseGeometry, metres: float) -> BaseGeometry:
    """Lon/lat geometry grown (or shrunk) by metres, in an azimuthal equidistant projection about its centroid."""
    lon, lat = centroid(geom_lonlat)
    local = CRS(f"+proj=aeqd +lat_0={lat} +lon_0={lon} +datum=WGS84 +units=m +no_defs")
    there = Transformer.from_crs("OGC:CRS84", local, always_xy=True)
    plane = shapely.transform(geom_lonlat, lambda xy: np.column_stack(there.transform(xy[:, 0], xy[:, 1])))
    grown = made_valid(plane).buffer(metres)
    back = shapely.transform(
        grown, lambda xy: np.column_stack(there.transform(xy[:, 0], xy[:, 1], direction="INVERSE"))
    )
    return split_antimeridian(unwrap(back))
