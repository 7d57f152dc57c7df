"""The life of a scene: asked for, found, fetching, stored or failed. `Scene.state` is written here and nowhere else.

Every change is one conditional UPDATE, so that a second delivery of the same work does nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.db import models, transaction
from shapely.geometry.base import BaseGeometry

from glacierweb import runs
from glacierweb.models import Run
from inventory.models import Scene

ASKED = {
    "folder", "catalogue", "stac", "bbox", "glacier", "region", "datetime", "collections", "profile", "limit",
}  # fmt: skip
PLACES = ("folder", "catalogue", "stac")


class WrongSearch(ValueError):
    """A search for scenes that cannot be run, and what it should say instead."""


def request_search(params: dict[str, Any], asked_by: models.Model | None = None) -> Run:
    """Ask the workers to look for scenes; `params` names exactly one of folder, catalogue and stac.

    With a `profile`, what its rules refuse by the catalogue's entry alone is not fetched. Raises WrongSearch for an
    unknown key, or none or two places to look in.
    """
    unknown = sorted(set(params) - ASKED)
    if unknown:
        raise WrongSearch(f"{', '.join(unknown)} is no parameter of a search; use {', '.join(sorted(ASKED))}")
    complete: dict[str, Any] = {key: params.get(key) for key in sorted(ASKED)}
    given = [key for key in PLACES if complete[key]]
    if len(given) != 1:
        raise WrongSearch(f"name one of folder, catalogue and stac to look in (got {' and '.join(given) or 'none'})")
    return runs.request("find_scenes", complete, queue="io", asked_by=asked_by)


def record(
    key: str,
    *,
    footprint: BaseGeometry | GEOSGeometry,
    acquired: datetime,
    collection: str,
    fetch: bool = True,
    asked_by: models.Model | None = None,
    **known: Any,
) -> tuple[Scene, bool]:
    """Write down a scene that a search found, and ask for its raster; safe to repeat with the same key.

    `known` are further columns of Scene (kind, sensor, acquired_end, date_precision, cloud_percent, item, simulated).
    A scene that failed before is asked for again. Returns the row and whether it is new.
    """
    columns = known | {"footprint": as_multipolygon(footprint), "acquired": acquired, "collection": collection}
    with transaction.atomic():
        scene, new = Scene.objects.get_or_create(key=key, defaults=columns)
        again = not new and Scene.objects.filter(pk=scene.pk, state=Scene.State.FAILED).update(
            **columns, state=Scene.State.FOUND, reason=""
        )
        if fetch and (new or again):
            runs.request("fetch_scene", {"scene": scene.pk}, queue="io", asked_by=asked_by)
    if again:
        scene.refresh_from_db()
    return scene, new


def claim(scene_id: int) -> Scene | None:
    """Begin to fetch; None when the scene is stored already or gone.

    A scene left fetching by a worker that died may be claimed again: the lease of its run keeps two from doing so.
    """
    open_states = (Scene.State.FOUND, Scene.State.FETCHING, Scene.State.FAILED)
    won = Scene.objects.filter(pk=scene_id, state__in=open_states).update(state=Scene.State.FETCHING, reason="")
    return Scene.objects.get(pk=scene_id) if won else None


def mark_stored(
    scene: Scene,
    *,
    grid: dict,
    bands: list[str],
    facts: dict,
    refusals: dict[str, list[dict]] | None = None,
    missing_fraction: float | None = None,
) -> bool:
    """Its raster is on disk. `refusals` maps a profile to what it refused, as [{rule, value, limit}]; [] is accepted.

    False when the scene was not being fetched (somebody else stored it).
    """
    return bool(
        Scene.objects.filter(pk=scene.pk, state=Scene.State.FETCHING).update(
            state=Scene.State.STORED, grid=grid, bands=list(bands), facts=facts, refusals=refusals or {},
            missing_fraction=missing_fraction, reason="",
        )
    )  # fmt: skip


def mark_failed(scene: Scene, reason: str) -> bool:
    """It could not be read; `reason` says why and what to do. False when it was not being fetched."""
    return bool(
        Scene.objects.filter(pk=scene.pk, state=Scene.State.FETCHING).update(state=Scene.State.FAILED, reason=reason)
    )


def retry(scene: Scene, asked_by: models.Model | None = None) -> bool:
    """Ask once more for a scene that failed; False for one in any other state."""
    with transaction.atomic():
        failed = Scene.objects.filter(pk=scene.pk, state=Scene.State.FAILED)
        if not failed.update(state=Scene.State.FOUND, reason=""):
            return False
        runs.request("fetch_scene", {"scene": scene.pk}, queue="io", asked_by=asked_by)
    return True


def as_multipolygon(geometry: BaseGeometry | GEOSGeometry) -> MultiPolygon:
    """A shapely or GEOS (Multi)Polygon in lon/lat as the MultiPolygon that a row holds."""
    found = geometry if isinstance(geometry, GEOSGeometry) else GEOSGeometry(memoryview(geometry.wkb), srid=4326)
    found.srid = 4326
    return found if isinstance(found, MultiPolygon) else MultiPolygon(found, srid=4326)
