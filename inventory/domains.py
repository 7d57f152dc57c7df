"""The domain of a glacier: all its outlines together, buffered by 150 m, less what lies nearer to a neighbour.

Ice outside a glacier's domain never counts for it, so that neighbours in one box are not measured together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import shapely
from django.db import connection
from shapely.geometry import MultiPoint
from shapely.geometry.base import BaseGeometry

from inventory.geodesy import LocalPlane, polygons_of, split_at_antimeridian
from inventory.models import Glacier
from inventory.scenes import as_multipolygon

BUFFER_M = 150.0
STEP_M = 15.0
TOLERANCE_M = 1.0

_NEIGHBOURS = """
SELECT DISTINCT one.glacier_id, other.glacier_id
FROM inventory_outline one
JOIN inventory_outline other ON other.glacier_id <> one.glacier_id AND other.simulated = one.simulated
 AND other.geometry && ST_Expand(one.geometry,
     %(degrees)s / greatest(cos(radians(ST_Y(ST_Centroid(ST_Envelope(one.geometry))))), 0.02), %(degrees)s)
WHERE one.glacier_id = ANY(%(glaciers)s)
"""
_OUTLINES = "SELECT glacier_id, ST_AsBinary(geometry) FROM inventory_outline WHERE glacier_id = ANY(%s)"


def refresh(glacier_ids: Iterable[int]) -> int:
    """Compute and store the domains of these glaciers and of their neighbours; the number written."""
    touched = set(glacier_ids)
    changed = touched | {other for _, other in _pairs(touched)}
    near: dict[int, set[int]] = defaultdict(set)
    for one, other in _pairs(changed):
        near[one].add(other)
    references = _references(changed.union(*near.values()))
    rows = [
        Glacier(pk=pk, domain=as_multipolygon(domain(pk, references[pk], {n: references[n] for n in near[pk]})))
        for pk in changed
        if pk in references
    ]
    Glacier.objects.bulk_update(rows, ["domain"], batch_size=500)
    return len(rows)


def _pairs(glacier_ids: set[int]) -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_NEIGHBOURS, {"degrees": 2.2 * BUFFER_M / 111_320, "glaciers": list(glacier_ids)})
        return cursor.fetchall()


def _references(glacier_ids: set[int]) -> dict[int, BaseGeometry]:
    """All outlines of each glacier as one shape, lon/lat."""
    parts: dict[int, list[BaseGeometry]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_OUTLINES, [list(glacier_ids)])
        for pk, wkb in cursor.fetchall():
            parts[pk].append(shapely.from_wkb(bytes(wkb)))
    return {pk: shapely.union_all(shapes) for pk, shapes in parts.items()}


def domain(pk: int, reference: BaseGeometry, neighbours: dict[int, BaseGeometry]) -> BaseGeometry:
    """Lon/lat domain of one glacier; ground that two outlines share belongs to the one recorded first (lower pk)."""
    plane = LocalPlane(reference)
    mine = plane.project(reference).simplify(TOLERANCE_M)
    found = mine.buffer(BUFFER_M, quad_segs=6)
    for other_pk, shape in sorted(neighbours.items()):
        theirs = _near(plane.project(shape), found).simplify(TOLERANCE_M)
        reach = theirs.buffer(BUFFER_M, quad_segs=6)
        if not found.intersects(reach):
            continue
        found = found.difference(theirs if other_pk < pk else theirs.difference(mine))
        contested = found.intersection(reach).difference(mine)
        found = polygons_of(found.difference(nearer(theirs, mine, contested)))
    return polygons_of(shapely.make_valid(split_at_antimeridian(plane.lonlat(found.simplify(TOLERANCE_M)))))


def _near(shape: BaseGeometry, found: BaseGeometry) -> BaseGeometry:
    """The part of a neighbour that can matter: a long glacier is not buffered whole for the sake of its tongue."""
    west, south, east, north = found.bounds
    margin = 3 * BUFFER_M
    return shapely.clip_by_rect(shape, west - margin, south - margin, east + margin, north + margin)


def nearer(theirs: BaseGeometry, mine: BaseGeometry, contested: BaseGeometry) -> BaseGeometry:
    """The part of `contested` that lies nearer to `theirs` than to `mine` (metres): cells of points on both margins."""
    if contested.is_empty:
        return contested
    reach = contested.buffer(2 * BUFFER_M)
    their_points = _margin(theirs, reach, mine)
    my_points = _margin(mine, reach, theirs)
    if not len(their_points) or not len(my_points):
        return shapely.Polygon()
    points = np.unique(np.vstack([their_points, my_points]), axis=0)
    is_theirs = {tuple(point) for point in their_points.tolist()}
    cells = shapely.voronoi_polygons(MultiPoint(points), extend_to=contested, ordered=True)
    owned = [cell for cell, at in zip(cells.geoms, points.tolist(), strict=True) if tuple(at) in is_theirs]
    return shapely.union_all(owned).intersection(contested)


def _margin(shape: BaseGeometry, reach: BaseGeometry, other: BaseGeometry) -> np.ndarray:
    """Points (n, 2) along the margin within reach; those on the common divide belong to nobody and are left out."""
    line = shape.boundary.intersection(reach).segmentize(STEP_M)
    points = shapely.get_coordinates(line)
    return points[shapely.distance(shapely.points(points), other) > TOLERANCE_M] if len(points) else points
