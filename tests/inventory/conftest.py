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
