"""Tiles of what the networks say: predicted outlines (vector), masks, forecast frames and speeds (PNG)."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

from django.db import connections
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from glacierweb.paths import data_path
from glacierweb.reads import alias
from inventory import asking, raster_tiles
from inventory.tile_views import REVALIDATE, VECTOR, answered, raster
from inventory.tiles import BUFFER, EXTENT, Tile
from predictions.models import FlowField, Frame, Mask

# Of each glacier and year the outline with the fewest remarks and nearest to the end of the melt season is shown, from
# its date to the day before the next year's; ice outside every domain comes from the same scenes. The choice looks at
# whole glaciers, so that neighbouring tiles agree; what is chosen is materialized before any shape is transformed,
# since the planner takes PostGIS functions for cheap and would otherwise draw every outline there is.
_TILE = """
WITH near AS MATERIALIZED (
    SELECT id, glacier_id, mask_id FROM predictions_predictedoutline
    WHERE geometry && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
), judged AS (
    SELECT o.id, o.glacier_id, o.mask_id, o.date, m.version_id, m.product,
        row_number() OVER (PARTITION BY o.glacier_id, m.version_id, m.product, date_part('year', o.date)
            ORDER BY jsonb_array_length(o.flags), abs(date_part('doy', o.date)
                - CASE WHEN ST_Y(g.point) < 0 THEN 60 ELSE 245 END), o.id) AS place
    FROM predictions_predictedoutline o
    JOIN inventory_glacier g ON g.id = o.glacier_id
    JOIN predictions_mask m ON m.id = o.mask_id
    JOIN predictions_modelversion v ON v.id = m.version_id
    WHERE v.state = 'active' AND o.glacier_id IN (SELECT glacier_id FROM near)
), chosen AS MATERIALIZED (
    SELECT id, glacier_id, mask_id, lead(date) OVER (PARTITION BY glacier_id, version_id, product
        ORDER BY date, id) AS next
    FROM judged WHERE place = 1
), shown AS MATERIALIZED (
    SELECT c.id, g.glac_id, c.next FROM chosen c JOIN inventory_glacier g ON g.id = c.glacier_id
    WHERE c.id IN (SELECT id FROM near)
    UNION ALL
    SELECT id, NULL, NULL FROM near WHERE glacier_id IS NULL AND mask_id IN (SELECT mask_id FROM chosen)
), found AS MATERIALIZED (
    SELECT o.id, glac_id, o.date - date '1970-01-01' AS "from",
        CASE WHEN glac_id IS NULL OR next IS NULL
             THEN (date_trunc('year', o.date) + interval '1 year')::date - 1 - date '1970-01-01'
             ELSE greatest(next - 1, o.date) - date '1970-01-01' END AS "to",
        round(o.area_km2::numeric, 4)::float8 AS area, s.simulated::int AS simulated, m.product,
        ST_Transform(o.geometry, 3857) AS shape
    FROM shown
    JOIN predictions_predictedoutline o ON o.id = shown.id
    JOIN predictions_mask m ON m.id = o.mask_id
    JOIN inventory_scene s ON s.id = m.scene_id
), drawn AS (
    SELECT id, glac_id, "from", "to", area, simulated, product, ST_AsMVTGeom(
        CASE WHEN greatest(ST_XMax(shape) - ST_XMin(shape), ST_YMax(shape) - ST_YMin(shape)) < 4 * %(pixel)s
            THEN ST_Expand(ST_Centroid(ST_Envelope(shape)), 2 * %(pixel)s)
            ELSE ST_Simplify(shape, %(pixel)s / 2, true) END,
        ST_TileEnvelope(%(z)s, %(x)s, %(y)s), %(extent)s, %(buffer)s, true) AS geom
    FROM found
)
SELECT ST_AsMVT(drawn, 'predicted', %(extent)s, 'geom') FROM drawn WHERE geom IS NOT NULL
"""


# Predicted outlines are written once and never changed, so their count and newest number tell whether a tile is new.
_NEWEST = """
WITH near AS (
    SELECT id, glacier_id FROM predictions_predictedoutline
    WHERE geometry && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
)
SELECT count(*), max(o.id), (SELECT string_agg(v.id::text, ',' ORDER BY v.id)
    FROM predictions_modelversion v WHERE v.state = 'active')
FROM predictions_predictedoutline o
WHERE o.id IN (SELECT id FROM near) OR o.glacier_id IN (SELECT glacier_id FROM near)
"""


@require_safe
def predicted_outlines(request: HttpRequest, z: int, x: int, y: int) -> HttpResponseBase:
    """All outlines that active versions drew in the tile, every date, with the days each is shown for."""
    asking.known(request.GET, {"v"})
    tile = Tile(z, x, y)
    told = f"{_TILE} {z}/{x}/{y} {_asked(_NEWEST, tile)}"
    tag = f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'
    return answered(request, tag, lambda: vector_tile(tile), VECTOR, REVALIDATE)


def vector_tile(tile: Tile) -> bytes:
    """Mapbox Vector Tile with the layer `predicted`; empty where there is none."""
    return bytes(_asked(_TILE, tile)[0] or b"")


def _asked(statement: str, tile: Tile) -> tuple:
    """The first row of a statement about a tile and the buffer around it."""
    west, south, east, north = tile.lonlat(margin=BUFFER / EXTENT)
    values = {
        "west": west, "south": south, "east": east, "north": north, "pixel": tile.side_m / 256,
        "z": tile.z, "x": tile.x, "y": tile.y, "extent": EXTENT, "buffer": BUFFER,
    }  # fmt: skip
    with connections[alias()].cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


@require_safe
def mask(request: HttpRequest, mask_id: int, z: int, x: int, y: int) -> HttpResponseBase:
    """Probability of ice in one scene."""
    asking.known(request.GET, {"v"})
    path, tile = data_path(get_object_or_404(Mask, pk=mask_id).raster), Tile(z, x, y)
    return raster(request, path, "probability", lambda: _drawn(path, tile, "probability"))


@require_safe
def forecast(request: HttpRequest, forecast_id: int, start: str, z: int, x: int, y: int) -> HttpResponseBase:
    """One frame of a forecast, NDSI by its colour map; hatched where nothing is known."""
    asking.known(request.GET, {"v"})
    try:
        day = date.fromisoformat(start)
    except ValueError:
        raise Http404(f"There is no frame {start[:20]}: use its first day, such as 2025-01-01.") from None
    frame = Frame.objects.filter(forecast_id=forecast_id, start=day).order_by("member").first()
    if frame is None:
        raise Http404(f"Forecast {forecast_id} has no frame that starts on {day}.")
    path, tile = data_path(frame.raster), Tile(z, x, y)
    return raster(request, path, "ndsi", lambda: _drawn(path, tile, "ndsi"))


@require_safe
def flow(request: HttpRequest, flow_id: int, z: int, x: int, y: int) -> HttpResponseBase:
    """Speed of a displacement field; hatched where nothing could be followed."""
    asking.known(request.GET, {"v"})
    path, tile = data_path(get_object_or_404(FlowField, pk=flow_id).raster), Tile(z, x, y)
    return raster(request, path, "speed", lambda: _drawn(path, tile, "speed"))


def _drawn(path: Path, tile: Tile, style: str) -> bytes:
    pixels = raster_tiles.read(path, tile, [1])
    return raster_tiles.empty() if pixels is None else raster_tiles.coloured(pixels.values[0], pixels, style)
