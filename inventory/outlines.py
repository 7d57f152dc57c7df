"""Writing outlines down: areas, the preferred analysis of each date, and the days for which each one is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction
from shapely.geometry.base import BaseGeometry

from inventory import domains, lineage
from inventory.geodesy import area_km2_and_perimeter_km
from inventory.matching import Matcher
from inventory.models import Glacier, Outline, Source
from inventory.records import OutlineRecord, When, period
from inventory.scenes import as_multipolygon
from inventory.shapes import outline_shape

BATCH = 500
_LOCK = 0x6F75746C  # any number that nothing else locks

_CLEAR = "UPDATE inventory_outline SET valid = NULL, preferred = false WHERE glacier_id = ANY(%s)"
_PREFER = """
WITH ranked AS (
    SELECT id, glacier_id, src_date, row_number() OVER (
        PARTITION BY glacier_id, src_date ORDER BY anlys_time DESC NULLS LAST, recorded_at DESC, id DESC) AS place
    FROM inventory_outline WHERE glacier_id = ANY(%s) AND superseded_at IS NULL
), shown AS (
    SELECT id, daterange(src_date, lead(src_date) OVER (PARTITION BY glacier_id ORDER BY src_date)) AS days
    FROM ranked WHERE place = 1
)
UPDATE inventory_outline SET preferred = true, valid = shown.days FROM shown WHERE inventory_outline.id = shown.id
"""


def record(
    geometry: BaseGeometry,
    when: When | date | str,
    *,
    source: Source,
    glacier: Glacier | None = None,
    name: str = "",
    simulated: bool = False,
    **told: Any,
) -> Outline:
    """Write down one outline (lon/lat polygon); safe to repeat: the same shape, date and analysis is stored once.

    `told` are further fields of OutlineRecord (analyst, method, anlys_id, anlys_time, citation, loc_unc_m, aliases,
    attributes...). Without `glacier` it is matched, or founded. Raises RefusedShape and WrongDate.
    """
    shape, repair = outline_shape(geometry, repair=True)
    days = when if isinstance(when, When) else period(str(when))
    if repair:
        told["attributes"] = told.get("attributes", {}) | {"repair": vars(repair)}
    one = OutlineRecord(shape, days, name or "outline", name=name, simulated=simulated, **told)
    with transaction.atomic():
        store([one], source, glacier=glacier)
    return Outline.objects.get(source=source, content_sha256=one.content_sha256())


def store(
    records: Sequence[OutlineRecord], source: Source, glacier: Glacier | None = None
) -> dict[str, int]:
    """Write records of one source, inside the caller's transaction; {new, known, glaciers} are counts.

    Those that are stored already are left alone; what follows for the touched glaciers is computed anew.
    """
    _one_at_a_time()
    hashes = [one.content_sha256() for one in records]
    kept = Outline.objects.filter(source=source, content_sha256__in=hashes)
    known = set(kept.values_list("content_sha256", flat=True))
    fresh = {key: one for key, one in zip(hashes, records, strict=True) if key not in known}
    matcher = Matcher(list(fresh.values()), source)
    touched: set[int] = set()
    waiting: list[Outline] = []
    for key, one in fresh.items():
        if len(waiting) >= BATCH or _meets(one, waiting):  # matched by overlap against earlier rows of the same file
            Outline.objects.bulk_create(waiting)
            waiting = []
        owner = glacier or matcher.glacier_of(one)
        touched.add(owner.pk)
        waiting.append(_row(one, owner, source, key))
    Outline.objects.bulk_create(waiting)
    matcher.save()
    refresh(touched)
    return {"new": len(fresh), "known": len(records) - len(fresh), "glaciers": matcher.founded}


def _meets(one: OutlineRecord, waiting: Sequence[Outline]) -> bool:
    west, south, east, north = one.geometry.bounds
    boxes = (outline.geometry.extent for outline in waiting)
    return any(w <= east and e >= west and s <= north and n >= south for w, s, e, n in boxes)


def redraw(outline: Outline, geometry: BaseGeometry) -> None:
    """Store an outline with a corrected shape or date, and all that follows from it. Raises RefusedShape."""
    shape, _ = outline_shape(geometry, repair=True)
    outline.geometry = as_multipolygon(shape)
    outline.area_km2, outline.perimeter_km = area_km2_and_perimeter_km(shape)
    with transaction.atomic():
        _one_at_a_time()
        before = set(Outline.objects.filter(pk=outline.pk).values_list("glacier_id", flat=True))
        outline.preferred, outline.valid = False, None
        outline.save()
        refresh(before | {outline.glacier_id})


def refresh(glacier_ids: Iterable[int]) -> None:
    """What follows from the outlines of these glaciers: shown days, domains and lineage."""
    ids = set(glacier_ids)
    refresh_validity(ids)
    domains.refresh(ids)
    lineage.refresh(ids)


def _one_at_a_time() -> None:
    """Hold the inventory's lock until the transaction ends: two imports at once would found one glacier twice."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10min'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("SET LOCAL lock_timeout = DEFAULT")


def refresh_validity(glacier_ids: Iterable[int]) -> None:
    """On each date the newest analysis is preferred, and shown until the day before the glacier's next date."""
    ids = list(glacier_ids)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLEAR, [ids])
        cursor.execute(_PREFER, [ids])


def _row(one: OutlineRecord, glacier: Glacier, source: Source, content: str) -> Outline:
    area_km2, perimeter_km = area_km2_and_perimeter_km(one.geometry)
    return Outline(
        glacier=glacier,
        geometry=as_multipolygon(one.geometry),
        src_date=one.when.start,
        src_date_end=one.when.end,
        src_date_precision=one.when.precision,
        anlys_time=one.anlys_time,
        release_date=one.release_date,
        preferred=False,
        area_km2=area_km2,
        area_analyst_km2=one.area_analyst_km2,
        perimeter_km=perimeter_km,
        loc_unc_m=one.loc_unc_m,
        glob_unc_m=one.glob_unc_m,
        source=source,
        anlys_id=one.anlys_id[:60],
        analyst=one.analyst[:300],
        method=one.method,
        citation=one.citation,
        attributes=one.attributes,
        aliases=one.aliases,
        content_sha256=content,
        simulated=one.simulated,
    )
