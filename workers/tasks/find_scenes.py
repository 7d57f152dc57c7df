"""Scenes arrive: what a folder or a catalogue offers is written down, and each scene is then fetched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import shapely
from django.conf import settings
from django.contrib.gis.db.models import Extent
from shapely.geometry.base import BaseGeometry

from glacierweb.delivery import report
from glacierweb.models import Run
from inventory import aois, asking, scenes
from inventory.models import AreaOfInterest, Glacier
from workers.imagery import datafolder, filters, rasters, stac
from workers.imagery.found import FoundScene
from workers.imagery.grid import Grid

PIXEL_M = 30.0


def find_scenes(run: Run) -> dict[str, Any]:
    """Look into a folder or a catalogue and write down every scene that it offers; each is then fetched."""
    asked, tell = run.params, report(run)
    tell(0.0, "looking for scenes")
    found, skipped = _offered(asked)
    groups: dict[str, list[FoundScene]] = defaultdict(list)
    for scene in found:
        groups[scene.key if scene.kind == "dem" else scene.collection].append(scene)
    new = 0
    for number, group in enumerate(groups.values(), start=1):
        tell((number - 1) / len(groups), f"{len(group)} scenes of {group[0].collection}")
        try:
            area = None if group[0].kind == "dem" else _area_for(asked, group)
            grid = area.grid if area else datafolder.native_grid(group).to_dict()
        except rasters.UnreadableRaster as error:
            skipped += [(scene.key, str(error)) for scene in group]
            continue
        new += sum(_record(scene, grid, area) for scene in group)
    warnings = _by_reason(skipped)
    return {"found": len(found), "new": new, "skipped": len(skipped), "warnings": warnings}


def _by_reason(skipped: list[tuple[str, str]]) -> list[str]:
    """One line for each reason: how many files, and the first of them."""
    files: dict[str, list[str]] = defaultdict(list)
    for path, reason in skipped:
        files[reason].append(path)
    return [f"{len(some)} x {reason} ({some[0]}{', ...' if len(some) > 1 else ''})" for reason, some in files.items()]


def _offered(asked: dict[str, Any]) -> tuple[list[FoundScene], list[tuple[str, str]]]:
    box = asked["bbox"] or _box_of(asked)
    if asked["folder"]:
        reading = datafolder.folder(asked["folder"])
        found, refused = _sifted((scene for scene in reading.found if wanted(scene, asked, box)), asked["profile"])
        return found[: asked["limit"]], [*((skip.path, skip.reason) for skip in reading.skipped), *refused]
    offered = stac.search(
        asked["catalogue"] or asked["stac"], settings.STAC_CATALOGUES, bbox=box, datetime=asked["datetime"],
        collections=asked["collections"], limit=asked["limit"],
    )  # fmt: skip
    return _sifted(offered, asked["profile"])


def _sifted(offered: Iterable[FoundScene], profile: str | None) -> tuple[list[FoundScene], list[tuple[str, str]]]:
    """What a profile does not refuse by its catalogue entry alone; elevation, labels and radar have no profile."""
    found: list[FoundScene] = []
    refused: list[tuple[str, str]] = []
    for scene in offered:
        broken: list[filters.Refusal] = []
        if profile and scene.kind == "reflectance":
            broken = filters.foretold(profile, scene.meta(), scene.footprint.centroid.y)
        if broken:
            rules = ", ".join(f"{refusal.rule} {refusal.limit}" for refusal in broken)
            refused.append((scene.key, f"not fetched, outside the profile {profile}: {rules}"))
        else:
            found.append(scene)
    return found, refused


def _box_of(asked: dict[str, Any]) -> list[float] | None:
    """West, south, east, north of the glacier or region that is named; None looks everywhere."""
    if asked["glacier"]:
        return list(aois.box_of(Glacier.objects.get(glac_id=asked["glacier"])).bounds)
    if asked["region"]:
        extent = Glacier.objects.filter(region=asked["region"]).aggregate(box=Extent("domain"))["box"]
        if extent is None:
            raise ValueError(f"no glacier of region {asked['region']} has an outline: import some, or give a bbox")
        return list(extent)
    return None


def wanted(scene: FoundScene, asked: dict[str, Any], box: list[float] | None) -> bool:
    """Whether a catalogue would have offered this scene of a folder for what was asked. Elevation has no date."""
    if asked["collections"] and scene.collection not in asked["collections"]:
        return False
    if box and not _boxes(box).intersects(scene.footprint):
        return False
    if not asked["datetime"] or scene.acquired is None:
        return True
    first, last = asking.interval(asked["datetime"])
    start, end = scene.interval or (scene.acquired, scene.acquired)
    return (first is None or end >= first) and (last is None or start <= last)


def _boxes(box: list[float]) -> BaseGeometry:
    """A box, or the two of one that crosses the antimeridian."""
    west, south, east, north = box
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    return shapely.union_all([shapely.box(w, south, e, north) for w, e in spans])


def _area_for(asked: dict[str, Any], group: list[FoundScene]) -> AreaOfInterest:
    """The area of interest on whose grid a group of scenes is kept: the named glacier's, or their footprint's."""
    if asked["glacier"]:
        glacier = Glacier.objects.get(glac_id=asked["glacier"])
        grid = Grid.around(aois.box_of(glacier), PIXEL_M)
        return aois.for_glacier(glacier, grid.to_dict())
    if asked["bbox"]:
        place = _boxes(asked["bbox"])
        return aois.for_footprint(str(asked["bbox"]), place, Grid.around(place, PIXEL_M).to_dict())
    grid = datafolder.native_grid(sorted(group, key=lambda one: one.kind != "reflectance"))
    return aois.for_footprint(group[0].place, grid.footprint(), grid.to_dict(), simulated=group[0].simulated)


def _record(scene: FoundScene, grid: dict[str, Any], area: AreaOfInterest | None) -> bool:
    when = scene.interval or (scene.acquired, None)
    undated = datetime(1970, 1, 1, tzinfo=UTC)
    _, new = scenes.record(
        scene.key,
        footprint=scene.footprint,
        acquired=when[0] or undated,
        acquired_end=when[1],
        collection=scene.collection,
        kind=scene.kind,
        sensor=scene.sensor,
        date_precision=scene.date_precision,
        cloud_percent=scene.cloud_percent,
        item={"found": scene.to_dict(), "grid": grid, "aoi": area.pk if area else None},
        simulated=scene.simulated,
    )
    return new
