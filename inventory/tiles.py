"""Outlines as vector tiles (Mapbox Vector Tile 2.1), web-mercator quad.

Every preferred outline of every year is in the tile with the days it is shown for, so that a year is chosen in the
browser without a new request. A glacier smaller than a few pixels becomes a small square: none is lost at any zoom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.db import connections

from glacierweb.problems import Problem
from glacierweb.reads import alias

MOST_ZOOM = 22
HALF_WORLD_M = 20_037_508.342789244
FOREVER = 2_932_896
"""9999-12-31 in days since 1970-01-01."""
EXTENT, BUFFER = 4096, 128

WHOLE = 14
"""The zoom whose shapes are not simplified; deeper ones are drawn from it."""

_TILE = """
WITH drawn AS (
    SELECT o.id::text AS id, g.glac_id, g.name,
        lower(o.valid) - date '1970-01-01' AS "from",
        coalesce(upper(o.valid) - 1 - date '1970-01-01', %(forever)s) AS "to",
        round(o.area_km2::numeric, 4)::float8 AS area,
        o.simulated::int AS simulated,
        ST_AsMVTGeom(d.shape, ST_TileEnvelope(%(z)s, %(x)s, %(y)s), %(extent)s, %(buffer)s, true) AS geom
    FROM inventory_drawnoutline d
    JOIN inventory_outline o ON o.id = d.outline_id
    JOIN inventory_glacier g ON g.id = o.glacier_id
    WHERE d.zoom = %(level)s
      AND d.shape && ST_TileEnvelope(%(z)s, %(x)s, %(y)s, margin => %(buffer)s::float8 / %(extent)s)
      AND o.preferred AND o.valid IS NOT NULL AND o.superseded_at IS NULL
)
SELECT ST_AsMVT(drawn, 'outlines', %(extent)s, 'geom') FROM drawn WHERE geom IS NOT NULL
"""


@dataclass(frozen=True)
class Tile:
    """A tile of the web-mercator quad; Problem 404 for one that does not exist."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not (0 <= self.z <= MOST_ZOOM and 0 <= self.x < 2**self.z and 0 <= self.y < 2**self.z):
            raise Problem(404, "No such tile", f"There is no tile {self.z}/{self.x}/{self.y}.", kind="not-found")

    @property
    def side_m(self) -> float:
        """Length of a side in the projection."""
        return 2 * HALF_WORLD_M / 2**self.z

    @property
    def corner(self) -> tuple[float, float]:
        """Projected coordinates of the north-west corner."""
        return self.x * self.side_m - HALF_WORLD_M, HALF_WORLD_M - self.y * self.side_m

    def lonlat(self, margin: float = 0.0) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees, larger by `margin` (share of a side), never beyond the world."""
        west, north = self.corner
        grown = margin * self.side_m
        edges = (west - grown, north - self.side_m - grown, west + self.side_m + grown, north + grown)
        w, s, e, n = (max(-HALF_WORLD_M, min(HALF_WORLD_M, edge)) for edge in edges)
        return _lon(w), _lat(s), _lon(e), _lat(n)


def outlines(tile: Tile) -> bytes:
    """The vector tile of all outlines in reach; empty where there are none."""
    asked = {"z": tile.z, "x": tile.x, "y": tile.y, "level": min(tile.z, WHOLE), "forever": FOREVER}
    with connections[alias()].cursor() as cursor:
        cursor.execute(_TILE, asked | {"extent": EXTENT, "buffer": BUFFER})
        return bytes(cursor.fetchone()[0] or b"")


def _lon(x: float) -> float:
    return x / HALF_WORLD_M * 180


def _lat(y: float) -> float:
    return math.degrees(2 * math.atan(math.exp(y / HALF_WORLD_M * math.pi)) - math.pi / 2)
