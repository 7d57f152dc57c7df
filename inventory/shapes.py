"""Geometry at the door: polygons only, 2-D, finite, on Earth, valid."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from inventory.geodesy import area_km2_and_perimeter_km, polygons_of, split_at_antimeridian

MOST_VERTICES = 1_000_000
SAME_AREA = 1e-6


class RefusedShape(ValueError):
    """A geometry that cannot be an outline; `code` for machines, `location` as [lon, lat] where there is one."""

    def __init__(self, code: str, message: str, location: list[float] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.location = location


@dataclass(frozen=True)
class Repair:
    """What was wrong with a geometry, and its geodesic area before and after."""

    fault: str
    area_before_km2: float
    area_after_km2: float


def outline_shape(geometry: BaseGeometry | None, repair: bool) -> tuple[MultiPolygon, Repair | None]:
    """A valid 2-D MultiPolygon in lon/lat, and the repair if one was needed.

    A ring that touches itself is repaired without asking, since its area stays the same; one whose repair changes the
    area (a bow-tie) only with `repair`. Raises RefusedShape.
    """
    if geometry is None or geometry.is_empty:
        raise RefusedShape("empty", "it has no geometry")
    if geometry.geom_type not in {"Polygon", "MultiPolygon"}:
        raise RefusedShape("not_polygon", f"it is a {geometry.geom_type}; outlines are polygons")
    flat = shapely.force_2d(geometry)
    _check_coordinates(flat)
    flat = split_at_antimeridian(flat)
    if flat.is_valid:
        return polygons_of(flat), None
    return _repaired(flat, repair)


def _check_coordinates(geometry: BaseGeometry) -> None:
    points = shapely.get_coordinates(geometry)
    if len(points) > MOST_VERTICES:
        raise RefusedShape("too_large", f"it has {len(points)} vertices; at most {MOST_VERTICES} are taken")
    if not np.isfinite(points).all():
        raise RefusedShape("not_finite", "a coordinate is not a finite number")
    outside = (np.abs(points[:, 0]) > 180) | (np.abs(points[:, 1]) > 90)
    if outside.any():
        lon, lat = points[outside][0].tolist()
        raise RefusedShape(
            "out_of_range", f"({lon}, {lat}) is not a longitude and latitude; check its CRS", [lon, lat]
        )


def _repaired(geometry: BaseGeometry, allowed: bool) -> tuple[MultiPolygon, Repair]:
    fault = shapely.is_valid_reason(geometry)
    fixed = polygons_of(shapely.make_valid(geometry, method="structure", keep_collapsed=False))
    if fixed.is_empty:
        raise RefusedShape("no_area", f"it encloses no area ({fault})")
    before, after = area_km2_and_perimeter_km(geometry)[0], area_km2_and_perimeter_km(fixed)[0]
    if abs(after - before) > SAME_AREA * after and not allowed:
        raise RefusedShape(
            "not_valid",
            f"it is not valid: {fault}; a repair changes its area from {before:.6f} to {after:.6f} km2. "
            "Give --repair to accept that",
            _point(fault),
        )
    return fixed, Repair(fault, round(before, 9), round(after, 9))


def _point(fault: str) -> list[float] | None:
    numbers = re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", fault.partition("[")[2])
    return [float(number) for number in numbers[:2]] if len(numbers) >= 2 else None
