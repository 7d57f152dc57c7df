"""Polygons as RFC 7946 (section 3.1.6) winds them: exterior rings counter-clockwise, holes clockwise."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.gis.db.models.functions import AsGeoJSON, GeomOutputGeoFunc
from django.contrib.gis.geos import GEOSGeometry, LinearRing, MultiPolygon, Polygon
from django.db.models import Model
from rest_framework_gis.fields import GeometryField

DIGITS = 7
"""Of degrees: a centimetre."""


class ForcePolygonCCW(GeomOutputGeoFunc):
    """PostGIS' ST_ForcePolygonCCW."""


def as_geojson(column: str = "geometry", precision: int = DIGITS) -> AsGeoJSON:
    """A geometry column as GeoJSON text: PostGIS winds and writes it, which is much the fastest."""
    return AsGeoJSON(ForcePolygonCCW(column), precision=precision)


def wound(shape: Any) -> MultiPolygon:
    """A (Multi)Polygon with its rings in the order of RFC 7946."""
    parts = [shape] if isinstance(shape, Polygon) else shape
    polygons = [
        Polygon(*(_turned(ring, counter_clockwise=number == 0) for number, ring in enumerate(part))) for part in parts
    ]
    return MultiPolygon(polygons, srid=shape.srid)


def _turned(ring: LinearRing, counter_clockwise: bool) -> LinearRing:
    return ring if ring.is_counterclockwise == counter_clockwise else LinearRing(ring.coords[::-1])


class Drawn(GeometryField):
    """The geometry of rows that are annotated with `geojson` (see `as_geojson`)."""

    def get_attribute(self, instance: Model) -> dict:
        return json.loads(instance.geojson)  # type: ignore[attr-defined]

    def to_representation(self, value: dict) -> dict:
        return value


class WoundField(GeometryField):
    """A (Multi)Polygon column of a few rows."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(precision=DIGITS, **kwargs)

    def to_representation(self, value: GEOSGeometry) -> dict:
        return super().to_representation(wound(value))
