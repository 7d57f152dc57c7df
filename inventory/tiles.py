"""Outlines as vector tiles (Mapbox Vector Tile 2.1), web-mercator quad.

Every preferred outline of every year is in the tile with the days it is shown for, so that a year is chosen in the
browser without a new request. A glacier smaller than a few pixels becomes a small square: none is lost at any zoom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.db import connection

from glacierweb.problems import Problem

MOST_ZOOM = 22
HALF_WORLD_M = 20_037_508.342789244
FOREVER = 2_932_896
"""9999-12-31 in days since 1970-01-01."""
EXTENT, BUFFER = 4096, 128

_TILE = """
WITH found AS (
    SELECT o.id::text AS id, g.glac_id, g.name,
        lower(o.valid) - date '1970-01-01' AS "from",
        coalesce(upper(o.valid) - 1 - date '1970-01-01', %(forever)s) AS "to",
        round(o.area_km2::numeric, 4)::float8 AS area,
        o.simulated::int AS simulated,
        ST_Transform(CASE WHEN ST_YMin(o.geometry) < -85 OR ST_YMax(o.geometry) > 85
            THEN ST_ClipByBox2D(o.geometry, ST_MakeEnvelope(-180, -85.05, 180, 85.05, 4326))
            ELSE o.geometry END, 3857) AS shape
    FROM inventory_outline o JOIN inventory_glacier g ON g.id = o.glacier_id
    WHERE o.preferred AND o.valid IS NOT NULL AND o.superseded_at IS NULL
      AND o.geometry && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
), drawn AS (
    SELECT id, glac_id, name, "from", "to", area, simulated, ST_AsMVTGeom(
        CASE WHEN greatest(ST_XMax(shape) - ST_XMin(shape), ST_YMax(shape) - ST_YMin(shape)) < 4 * %(pixel)s
            THEN ST_Expand(ST_Centroid(ST_Envelope(shape)), 2 * %(pixel)s)
            ELSE ST_Simplify(shape, %(pixel)s / 2, true) END,
        ST_TileEnvelope(%(z)s, %(x)s, %(y)s), %(extent)s, %(buffer)s, true) AS geom
    FROM found
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
    west, south, east, north = tile.lonlat(margin=BUFFER / EXTENT)
    # Beyond the Mercator limit lies what the topmost and lowest rows still draw at their edge.
    south, north = (-90.0 if south < -85 else south), (90.0 if north > 85 else north)
    with connection.cursor() as cursor:
        cursor.execute(
            _TILE,
            {
                "forever": FOREVER, "west": west, "south": south, "east": east, "north": north,
                "pixel": tile.side_m / 256, "z": tile.z, "x": tile.x, "y": tile.y,
                "extent": EXTENT, "buffer": BUFFER,
            },
        )  # fmt: skip
        return bytes(cursor.fetchone()[0] or b"")


def _lon(x: float) -> float:
    return x / HALF_WORLD_M * 180


def _lat(y: float) -> float:
    return math.degrees(2 * math.atan(math.exp(y / HALF_WORLD_M * math.pi)) - math.pi / 2)
