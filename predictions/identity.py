"""What becomes of a glacier in its measured series: all ice in its domain is its own; it may fall apart, or vanish.

Two glaciers whose ice touches do not merge: divides are fixed. Pieces below 0.01 km² are none (Paul et al. 2009).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connections, router

from inventory.glaciers import ACTIVE, EXTINCT_CANDIDATE, keep_status
from inventory.identifiers import glims_id
from inventory.models import Glacier
from predictions import observations, versions
from predictions.models import Mask, ModelVersion, PredictedOutline
from predictions.observations import Observation

LEAST_PIECE_KM2 = 0.01
LEAST_CHILD_KM2 = 0.05
DATES = 2
"""Successive dates that must agree: one map alone is not believed."""

# On the ellipsoid only where it decides: that takes a hundred times as long, and the sphere is right to 1 %.
_PIECES = """
SELECT o.id, CASE WHEN about BETWEEN 0.005 AND 0.1 THEN ST_Area(piece.geom::geography) / 1e6 ELSE about END
FROM predictions_predictedoutline o
JOIN predictions_mask m ON m.id = o.mask_id
CROSS JOIN LATERAL ST_Dump(o.geometry) piece
CROSS JOIN LATERAL (SELECT ST_Area(piece.geom) * 111.32 ^ 2 * cos(radians(ST_YMin(piece.geom))) AS about) sphere
WHERE o.glacier_id = %s AND m.version_id = %s AND m.product = 'ice'
"""
_CHILDREN = """
SELECT ST_Area(piece.geom::geography) / 1e6 AS km2, ST_X(inner_point), ST_Y(inner_point)
FROM predictions_predictedoutline o
CROSS JOIN LATERAL ST_Dump(o.geometry) piece
CROSS JOIN LATERAL ST_PointOnSurface(piece.geom) inner_point
WHERE o.id = %s
ORDER BY km2 DESC
"""


def of_series(glacier: Glacier, version: ModelVersion, rows: Sequence[Observation]) -> dict[str, Any]:
    """The state that the usable observations of one version tell, and the children of a glacier that fell apart."""
    pieces: dict[str, list[float]] = defaultdict(list)
    for outline, km2 in _rows(_PIECES, [glacier.pk, version.pk]):
        pieces[str(outline)].append(km2)
    usable = [row for row in rows if row.usable]
    seen = [(row.date, _of_date(row, pieces)) for row in usable]
    gone, split = vanished_since(seen), split_since(seen)
    return {
        "status": EXTINCT_CANDIDATE if gone else ACTIVE,
        "vanished_since": gone.isoformat() if gone else None,
        "split_since": split.isoformat() if split else None,
        "children": _children(next(row for row in usable if row.date == split)) if split else [],
    }


def refresh(glacier: Glacier, version: ModelVersion) -> str:
    """Write the glacier's status down by the series of its active version; the status, or "" for another version."""
    active = versions.active_at("segment", glacier)
    if active is None or active.pk != version.pk:
        return ""
    found = of_series(glacier, version, observations.of_masks(glacier, version, Mask.Product.ICE))
    keep_status(glacier, found["status"])
    return found["status"]


def vanished_since(seen: Sequence[tuple[date, Sequence[float]]]) -> date | None:
    """The first of the newest dates, at least two in a row, without a piece of 0.01 km²; None while there is ice.

    `seen` are dates in order with the areas (km²) of the connected pieces.
    """
    since: list[date] = []
    for day, pieces in reversed(seen):
        if any(km2 >= LEAST_PIECE_KM2 for km2 in pieces):
            break
        since.append(day)
    return since[-1] if len(since) >= DATES else None


def split_since(seen: Sequence[tuple[date, Sequence[float]]]) -> date | None:
    """The first of the first two successive dates with more pieces of 0.05 km² than at the beginning, at least two.

    Decision: a glacier that lay in several pieces from the first date on has not fallen apart.
    """
    counts = [sum(km2 >= LEAST_CHILD_KM2 for km2 in pieces) for _, pieces in seen]
    apart = [count >= 2 and count > counts[0] for count in counts]
    for at in range(len(seen) - DATES + 1):
        if all(apart[at : at + DATES]):
            return seen[at][0]
    return None


def _children(row: Observation) -> list[dict[str, Any]]:
    """The pieces of 0.05 km² or more of an outline, largest first, each with the identifier of a point inside it."""
    return [
        {"id": glims_id(lon, lat), "km2": km2, "lon": lon, "lat": lat}
        for km2, lon, lat in _rows(_CHILDREN, [row.outline])
        if km2 >= LEAST_CHILD_KM2
    ]


def _rows(sql: str, values: list[Any]) -> list[tuple]:
    with connections[router.db_for_read(PredictedOutline)].cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _of_date(row: Observation, pieces: dict[str, list[float]]) -> list[float]:
    """Pieces of the outline; none where nothing was large enough to be drawn.

    Where a version drew nothing of this glacier at any date, the areas that it measured stand for one piece each.
    """
    if row.outline is not None:
        return pieces[row.outline]
    return [] if pieces else [row.km2]
