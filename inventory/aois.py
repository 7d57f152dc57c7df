"""Areas of interest: the frozen work grid of a glacier or of a folder of scenes."""

from __future__ import annotations

import shapely
from django.db import transaction
from shapely.geometry.base import BaseGeometry

from inventory.geodesy import LocalPlane, polygons_of, split_at_antimeridian
from inventory.models import AreaOfInterest, Glacier
from inventory.scenes import as_multipolygon

MARGIN_M = 1_500.0


def box_of(glacier: Glacier) -> BaseGeometry:
    """Lon/lat polygon of the glacier's domain box and 1.5 km around it; the grid of its area of interest covers this.

    Raises ValueError for a glacier without a domain (it has no outline yet).
    """
    if glacier.domain is None:
        raise ValueError(f"{glacier.glac_id} has no domain: import an outline of it first")
    domain = shapely.from_wkb(bytes(glacier.domain.wkb))
    plane = LocalPlane(domain)
    box = shapely.box(*plane.project(domain).bounds).buffer(MARGIN_M, join_style="mitre")
    return split_at_antimeridian(plane.lonlat(box.segmentize(500.0)))


def for_glacier(glacier: Glacier, grid: dict | None = None) -> AreaOfInterest:
    """The glacier's area of interest; made with `grid` (crs, transform, width, height) when it has none.

    A grid is frozen at creation: a later one is ignored. Raises ValueError when there is none and no grid is given.
    """
    found = glacier.aois.order_by("pk").first()
    if found is not None:
        return found
    if grid is None:
        raise ValueError(f"{glacier.glac_id} has no area of interest yet: give the work grid that covers its box")
    name = f"{glacier.name} ({glacier.glac_id})" if glacier.name else glacier.glac_id
    return _make(name, box_of(glacier), grid, glacier=glacier, simulated=glacier.simulated)


def for_footprint(
    name: str, footprint: BaseGeometry, grid: dict, glacier: Glacier | None = None, simulated: bool = False
) -> AreaOfInterest:
    """The area of interest of a folder of scenes without a glacier, by name; made once, its grid frozen."""
    return _make(name, footprint, grid, glacier=glacier, simulated=simulated)


def _make(
    name: str, polygon: BaseGeometry, grid: dict, glacier: Glacier | None, simulated: bool
) -> AreaOfInterest:
    missing = {"crs", "transform", "width", "height"} - set(grid)
    if missing:
        raise ValueError(f"the grid of {name} lacks {', '.join(sorted(missing))}")
    with transaction.atomic():
        return AreaOfInterest.objects.get_or_create(
            name=name[:200],
            defaults={
                "polygon": as_multipolygon(polygons_of(polygon)),
                "grid": grid,
                "glacier": glacier,
                "simulated": simulated,
            },
        )[0]
