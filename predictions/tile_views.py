"""Tiles of what the networks say: predicted outlines (vector), masks, forecast frames and speeds (PNG)."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

from django.db import connection
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from glacierweb.paths import data_path
from inventory import asking, raster_tiles
from inventory.tile_views import REVALIDATE, VECTOR, answered, raster
from inventory.tiles import BUFFER, EXTENT, Tile
from predictions.models import FlowField, Frame, Mask

# Of each glacier and year the outline with the fewest remarks and nearest to the end of the melt season is shown, from
# its date to the day before the next year's; ice outside every domain comes from the same scenes.
_TILE = """
WITH judged AS (
    SELECT o.id, o.glacier_id, o.mask_id, o.date, m.version_id, m.product,
        row_number() OVER (PARTITION BY o.glacier_id, m.version_id, m.product, date_part('year', o.date)
            ORDER BY jsonb_array_length(o.flags), abs(date_part('doy', o.date)
                - CASE WHEN ST_YMin(o.geometry) < 0 THEN 60 ELSE 245 END), o.id) AS place
    FROM predictions_predictedoutline o
    JOIN predictions_mask m ON m.id = o.mask_id
    JOIN predictions_modelversion v ON v.id = m.version_id
    WHERE v.state = 'active' AND o.glacier_id IS NOT NULL
      AND o.geometry && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
), chosen AS (
    SELECT id, mask_id, lead(date) OVER (PARTITION BY glacier_id, version_id, product ORDER BY date, id) AS next
    FROM judged WHERE place = 1
), active AS (
    SELECT o.id, g.glac_id, o.date, o.area_km2, s.simulated, m.product, o.geometry, c.next
    FROM predictions_predictedoutline o
    JOIN predictions_mask m ON m.id = o.mask_id
    JOIN inventory_scene s ON s.id = m.scene_id
    LEFT JOIN inventory_glacier g ON g.id = o.glacier_id
    LEFT JOIN chosen c ON c.id = o.id
    WHERE c.id IS NOT NULL
       OR (o.glacier_id IS NULL AND o.mask_id IN (SELECT mask_id FROM chosen)
           AND o.geometry && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326))
), found AS (
    SELECT id, glac_id, date - date '1970-01-01' AS "from",
        CASE WHEN glac_id IS NULL OR next IS NULL
             THEN (date_trunc('year', date) + interval '1 year')::date - 1 - date '1970-01-01'
             ELSE greatest(next - 1, date) - date '1970-01-01' END AS "to",
        round(area_km2::numeric, 4)::float8 AS area, simulated::int AS simulated, product,
        ST_Transform(geometry, 3857) AS shape
    FROM active
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


@require_safe
def predicted_outlines(request: HttpRequest, z: int, x: int, y: int) -> HttpResponseBase:
    """All outlines that active versions drew in the tile, every date, with the days each is shown for."""
    asking.known(request.GET, {"v"})
    body = vector_tile(Tile(z, x, y))
    tag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
    return answered(request, tag, lambda: body, VECTOR, REVALIDATE)


def vector_tile(tile: Tile) -> bytes:
    """Mapbox Vector Tile with the layer `predicted`; empty where there is none."""
    west, south, east, north = tile.lonlat(margin=BUFFER / EXTENT)
    values = {
        "west": west, "south": south, "east": east, "north": north, "pixel": tile.side_m / 256,
        "z": tile.z, "x": tile.x, "y": tile.y, "extent": EXTENT, "buffer": BUFFER,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_TILE, values)
        return bytes(cursor.fetchone()[0] or b"")


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
