"""Stored rows as the plain records that the science takes: stacks, relief, domains, cubes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import shapely
from django.contrib.gis.geos import GEOSGeometry
from django.db.models import Q, QuerySet

from glacierweb import paths
from inventory.models import AreaOfInterest, Glacier, Scene
from workers.imagery import align, cubes, rasters
from workers.imagery.grid import Grid, is_metric, rasterize
from workers.imagery.rasters import Stack
from workers.learning.truth import KnownScene
from workers.segmentation.relief import Relief

FILL_PASSES = 5  # of the gap filter, where no scene of a quarter saw the ground


def usable(where: Q, kind: str = "reflectance") -> QuerySet[Scene]:
    """Stored scenes of a kind, in order of time."""
    return Scene.objects.filter(where, state=Scene.State.STORED, kind=kind).order_by("acquired", "key")


def stack_of(scene: Scene, grid: Grid | None = None) -> Stack:
    """The scene's pixels (bands, H, W), on another grid where one is given."""
    stack = rasters.read(paths.data_path(scene.raster), grid=grid)
    return Stack(stack.pixels, stack.bands, stack.grid, scene.acquired)


def known_scene(scene: Scene, label: Scene | None = None) -> KnownScene:
    """The scene as a plain record, with an expert's mask of its date where there is one."""
    end = (scene.acquired_end or scene.acquired).date()
    mask = paths.data_path(label.raster) if label else None
    return KnownScene(scene.key, paths.data_path(scene.raster), scene.acquired, scene.acquired.date(), end, mask)


def relief(scene: Scene, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Elevation (m) and slope (degrees) on the scene's grid, where a version asks for them and a DEM is stored."""
    if not {"elevation", "slope"} & set(names) or (found := ground(scene)) is None:
        return {}
    return {"elevation": found.elevation_m, "slope": found.slope_deg}


def ground(scene: Scene) -> Relief | None:
    """The stored elevation model on the scene's grid; None where there is none, or the grid is in degrees."""
    dem, grid = usable(Q(footprint__contains=scene.footprint), "dem").first(), Grid.from_dict(scene.grid)
    if dem is None or not is_metric(grid.crs):
        return None
    return Relief.of(dem.key, rasters.read_layer(paths.data_path(dem.raster), grid), grid)


def shape(geometry: GEOSGeometry | None) -> Any:
    """A stored geometry in shapely, degrees of EPSG:4326."""
    assert geometry is not None, "asked for a glacier without a domain"
    return shapely.from_wkb(bytes(geometry.wkb))


def domains_in(scene: Scene) -> dict[str, Any]:
    """Domains of the glaciers in view; simulated scenes see only simulated glaciers, real ones only real."""
    found = Glacier.objects.filter(domain__intersects=scene.footprint, simulated=scene.simulated)
    return {glacier.glac_id: shape(glacier.domain) for glacier in found}


def ice_near(scene: Scene, grid: Grid) -> np.ndarray:
    """(H, W) bool: the outlines nearest in time to a scene; of a glacier never drawn, its domain."""
    shapes = []
    for glacier in Glacier.objects.filter(domain__intersects=scene.footprint, simulated=scene.simulated):
        drawn = glacier.outlines.filter(preferred=True, superseded_at=None)
        nearest = min(drawn, key=lambda one: abs(one.src_date - scene.acquired.date()), default=None)
        shapes.append(shape(nearest.geometry if nearest else glacier.domain))
    return rasterize(shapes, grid)


def record_of(area: AreaOfInterest, step_months: int, tell: Callable[..., None]) -> cubes.Cube:
    """The record of an area: index rasters where there are any, else the scenes that the forecast profile accepts."""
    inside = Q(item__aoi=area.pk)
    ready = list(usable(inside, "ndsi").exclude(date_precision="year"))  # a year has no place among quarters
    accepted = ready or [scene for scene in usable(inside) if not scene.refusals.get("forecast", ["not judged"])]
    if not accepted:
        raise ValueError(f"no scene of {area.name} passed the profile forecast; add clear scenes of Landsat 8")

    numbers, reads = count(1), len(accepted) if ready else 2 * len(accepted)  # once for the template, once to average

    def stacks() -> Iterator[Stack]:
        for scene in accepted:
            number = next(numbers)
            tell(0.4 * number / reads, f"reading scenes, {number} of {reads}")
            yield stack_of(scene) if ready else stack_of(scene).select(("green", "swir1"))

    if ready:  # index rasters may leave whole years out; whoever reads them must see the hole, not a shorter record
        return cubes.stack(stacks(), step_months, cut=False)
    return _registered(stacks, accepted[0], step_months)


def _registered(stacks: Callable[[], Iterator[Stack]], first: Scene, step_months: int) -> cubes.Cube:
    """Scenes brought into register by the ground that does not move, averaged, and filled where none saw it."""
    moves: Counter[str] = Counter()

    def still() -> Iterator[Stack]:
        glaciers = rasterize(domains_in(first).values(), Grid.from_dict(first.grid))
        for stack, found in align.aligned(stacks, align.SERIES, ~glaciers):
            moves[found.status] += 1
            yield stack

    return replace(cubes.stack(still(), step_months, fill_passes=FILL_PASSES), registration=moves)
