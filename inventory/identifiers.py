"""GLIMS glacier identifiers: the rule of the 2002 decision, and derived ones for glaciers that have none."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from shapely.geometry.base import BaseGeometry

GLIMS_ID = re.compile(r"^G(?:[0-2]\d{5}|3[0-5]\d{4})E(?:[0-8]\d{4}|90000)[NS]$")


def is_glims_id(text: str) -> bool:
    """Whether the text is a well-formed GLIMS glacier identifier."""
    return bool(GLIMS_ID.fullmatch(text))


def glims_id(lon: float, lat: float) -> str:
    """GLIMS identifier of a point: thousandths of a degree, rounded half up, longitude 0 to 360 east.

    Source: GLIMS id decision, https://nsidc.org/pipermail/glims/2002/000055.html.
    """
    east = math.floor((lon % 360) * 1000 + 0.5) % 360_000
    north = math.floor(abs(lat) * 1000 + 0.5)
    return f"G{east:06d}E{north:05d}{'S' if lat < 0 else 'N'}"


def derived_id(outline: BaseGeometry, taken: Callable[[str], bool]) -> str:
    """An identifier for a glacier without one: a point inside its first outline; +1 in longitude until it is free."""
    point = outline.representative_point()
    lon, found = point.x, glims_id(point.x, point.y)
    while taken(found):
        lon += 0.001
        found = glims_id(lon, point.y)
    return found
