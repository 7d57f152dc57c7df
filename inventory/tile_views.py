"""Tiles over HTTP: addresses, entity tags and cache headers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from glacierweb.paths import data_path
from glacierweb.problems import Problem
from inventory import asking, raster_tiles, tiles
from inventory.colour_maps import COLOUR_MAPS, style_hash
from inventory.models import Scene
from inventory.tiles import Tile

VECTOR = "application/vnd.mapbox-vector-tile"
REVALIDATE = "public, no-cache"
FOR_A_YEAR = "public, max-age=31536000, immutable"
BANDS: dict[tuple[str, str], list[str | int]] = {
    ("reflectance", "true-colour"): ["red", "green", "blue"], ("reflectance", "ndsi"): ["green", "swir1"],
    ("sar", "backscatter"): ["co_pol"], ("sar", "cross-backscatter"): ["cross_pol"],
    ("sar", "coherence"): ["coherence"],
}  # fmt: skip
"""What a style of a kind of scene is drawn from; the first band of any other."""
COMPUTED = {
    ("reflectance", "ndsi"): raster_tiles.ndsi, ("sar", "backscatter"): raster_tiles.decibels,
    ("sar", "cross-backscatter"): raster_tiles.decibels,
}  # fmt: skip


@require_safe
def outlines(request: HttpRequest, z: int, x: int, y: int) -> HttpResponseBase:
    """All outlines of the tile, every year."""
    asking.known(request.GET, {"v"})
    body = tiles.outlines(Tile(z, x, y))
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return answered(request, tag, lambda: body, VECTOR, REVALIDATE)


@require_safe
def scene(request: HttpRequest, scene_id: int, z: int, x: int, y: int) -> HttpResponseBase:
    """A stored scene in true colour or as NDSI; of radar the backscatter in dB, or the coherence."""
    given = asking.known(request.GET, {"style", "v"})
    found = get_object_or_404(Scene, pk=scene_id)
    style = asking.choice("style", given.get("style", (found.styles or ["true-colour"])[0]), tuple(COLOUR_MAPS))
    if style not in found.styles:
        raise Problem(404, "No such style", f"Scene {scene_id} can be drawn as {', '.join(found.styles) or 'nothing'}.")
    path, tile = data_path(found.raster), Tile(z, x, y)
    return raster(request, path, style, lambda: _draw(found.kind, path, tile, style))


@require_safe
def hillshade(request: HttpRequest, scene_id: int, z: int, x: int, y: int) -> HttpResponseBase:
    """Relief of a digital elevation model."""
    asking.known(request.GET, {"v"})
    found = get_object_or_404(Scene, pk=scene_id, kind="dem", state=Scene.State.STORED)
    path, tile = data_path(found.raster), Tile(z, x, y)
    return raster(request, path, "hillshade", lambda: _draw("dem", path, tile, "hillshade"))


def raster(request: HttpRequest, path: Path, style: str, draw: Callable[[], bytes]) -> HttpResponseBase:
    """A PNG tile of a raster file. Its tag follows from the file and the style, so that 304 costs no reading.

    An address that carries the style's present hash (`v=`) is kept for a year where the file is content-addressed.
    """
    try:
        about = path.stat()
    except OSError:
        raise Problem(404, "No raster", "The raster of this tile is not on disk.", kind="not-found") from None
    told = f"{path.name} {about.st_mtime_ns} {about.st_size} {style_hash(style)} {request.path}"
    tag = f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'
    lasting = len(path.stem) == 64 and request.GET.get("v") == style_hash(style)
    return answered(request, tag, draw, "image/png", FOR_A_YEAR if lasting else REVALIDATE)


def answered(
    request: HttpRequest, tag: str, make: Callable[[], bytes], content_type: str, cache: str
) -> HttpResponseBase:
    """304 where the browser has it already, else the body; entity tag and cache headers on both."""
    response = get_conditional_response(request, etag=tag)
    if response is None:
        response = HttpResponse(make(), content_type=content_type)
    response["ETag"] = tag
    response["Cache-Control"] = cache
    return response


def _draw(kind: str, path: Path, tile: Tile, style: str) -> bytes:
    if style == "hillshade":
        pixels = raster_tiles.read(path, tile, [1], margin=1, smooth=True)
        return raster_tiles.hillshade(pixels, tile) if pixels else raster_tiles.empty()
    pixels = raster_tiles.read(path, tile, BANDS.get((kind, style), [1]))
    if pixels is None:
        return raster_tiles.empty()
    if style == "true-colour":
        return raster_tiles.true_colour(pixels)
    layer = COMPUTED.get((kind, style), lambda found: found.values[0])(pixels)
    return raster_tiles.coloured(layer, pixels, style)
