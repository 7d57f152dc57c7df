"""Which outline continues which: overlaps between one date of a glacier and the next, also across glaciers.

Columns as in RGI 7's rgi6_links table. A split shows as n_to > 1, a merger as n_from > 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from inventory.models import Lineage

LEAST_SHARE = 0.01
"""Of the smaller outline: less is digitising noise along a common divide."""

# a is the last outline of its glacier before b, and b the first of its own after a. An outline of another date of the
# same year by another analyst continues nothing.
_PAIRS = """
SELECT a.id, b.id, a.glacier_id, b.glacier_id, a.area_km2, b.area_km2,
       ST_Area(ST_Intersection(a.geometry, b.geometry)::geography) / 1e6 AS common
FROM inventory_outline a
JOIN inventory_outline b ON b.geometry && a.geometry AND b.src_date > a.src_date AND b.simulated = a.simulated
WHERE a.preferred AND b.preferred AND a.superseded_at IS NULL AND b.superseded_at IS NULL
  AND (%(everything)s OR a.glacier_id = ANY(%(glaciers)s) OR b.glacier_id = ANY(%(glaciers)s))
  AND (upper(a.valid) IS NULL OR upper(a.valid) >= b.src_date)
  AND NOT EXISTS (SELECT 1 FROM inventory_outline m WHERE m.glacier_id = b.glacier_id AND m.preferred
                  AND m.superseded_at IS NULL AND m.src_date > a.src_date AND m.src_date < b.src_date)
"""


def refresh(glacier_ids: Iterable[int] | None = None) -> int:
    """Compute the links of these glaciers anew (all of them by default); the number of links written."""
    ids = _family(set(glacier_ids)) if glacier_ids is not None else None
    with transaction.atomic():
        _touching(ids).delete()
        pairs = _pairs(ids)
        Lineage.objects.bulk_create(_links(pairs), batch_size=1000)
    return len(pairs)


def _pairs(ids: set[int] | None) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, {"everything": ids is None, "glaciers": list(ids or [])})
        return [row for row in cursor.fetchall() if row[6] >= LEAST_SHARE * min(row[4], row[5])]


def _touching(ids: set[int] | None) -> QuerySet[Lineage]:
    links = Lineage.objects.all()
    if ids is None:
        return links
    return links.filter(Q(from_outline__glacier__in=ids) | Q(to_outline__glacier__in=ids))


def _family(ids: set[int]) -> set[int]:
    """The glaciers, all that they overlap now, and all that these were linked with: counts hold over a whole family."""
    partners = ids.union(*[{row[2], row[3]} for row in _pairs(ids)])
    clusters = _touching(partners).values_list("cluster_id")
    linked = Lineage.objects.filter(cluster_id__in=clusters)
    return partners.union(*linked.values_list("from_outline__glacier", "to_outline__glacier"))


def _links(pairs: list[tuple]) -> list[Lineage]:
    continued_by = Counter(row[0] for row in pairs)
    continues = Counter(row[1] for row in pairs)
    clusters = _clusters((row[2], row[3]) for row in pairs)
    return [
        Lineage(
            from_outline_id=first,
            to_outline_id=second,
            overlap_area_km2=common,
            from_area_fraction=min(common / first_km2, 1.0),
            to_area_fraction=min(common / second_km2, 1.0),
            n_from=continues[second],
            n_to=continued_by[first],
            cluster_id=clusters[first_glacier],
        )
        for first, second, first_glacier, _, first_km2, second_km2, common in pairs
    ]


def _clusters(edges: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Glacier to the lowest glacier number that it is linked with, directly or through others."""
    root: dict[int, int] = {}

    def find(glacier: int) -> int:
        root.setdefault(glacier, glacier)
        while root[glacier] != glacier:
            root[glacier] = root[root[glacier]]
            glacier = root[glacier]
        return glacier

    for one, other in edges:
        low, high = sorted((find(one), find(other)))
        root[high] = low
    return {glacier: find(glacier) for glacier in list(root)}
