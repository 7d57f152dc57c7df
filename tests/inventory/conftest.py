"""Small outline files, written as their sources write them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import shapely

DEGREE_M = 111_320.0


def square(lon: float, lat: float, side: float = 0.02) -> shapely.Polygon:
    """A square with its south-west corner at the point; side in degrees."""
    return shapely.box(lon, lat, lon + side, lat + side)


@pytest.fixture
def geojson(tmp_path: Path) -> Callable[..., Path]:
    """Writes features [(geometry, properties)] as a GeoJSON file and returns its path."""

    def write(features: list, name: str = "outlines.geojson") -> Path:
        path = tmp_path / name
        listed = [
            {"type": "Feature", "properties": told, "geometry": shapely.geometry.mapping(shape) if shape else None}
            for shape, told in features
        ]
        path.write_text(json.dumps({"type": "FeatureCollection", "features": listed}))
        return path

    return write


@pytest.fixture
def source(db):
    """A source to hang outlines on."""
    from inventory.models import Source

    return Source.objects.create(name="Test inventory", licence="CC BY 4.0", citation="Somebody, 2020.")


@pytest.fixture
def glacier(source):
    """A glacier near 10 E 46 N with outlines of 1990, 2000 and 2010."""
    from inventory import outlines

    first = outlines.record(square(10.0, 46.0), "1990-08-01", source=source, name="Grüner Ferner")
    for year, side in (("2000-08-01", 0.018), ("2010-08-01", 0.016)):
        outlines.record(square(10.0, 46.0, side), year, source=source)
    first.glacier.refresh_from_db()
    return first.glacier
