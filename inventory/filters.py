"""The filters of glaciers, outlines and scenes: the same for lists, downloads and the export command."""

from __future__ import annotations

import re
from datetime import date

from django.contrib.postgres.search import TrigramWordSimilarity
from django.db.models import Count, Max, Min, OuterRef, Q, QuerySet, Subquery
from django.http import QueryDict

from inventory import asking
from inventory.asking import PAGING
from inventory.identifiers import is_glims_id
from inventory.matching import plain
from inventory.models import Glacier, Outline, Region, Scene
from inventory.winding import as_geojson

GLACIERS = frozenset({"bbox", "region", "name", "q", "area_min", "area_max", "simulated"})
OUTLINES = frozenset(
    {"bbox", "datetime", "year", "region", "glac_id", "source", "status", "area_min", "area_max", "preferred",
     "simulated"}
)  # fmt: skip
SCENES = frozenset({"bbox", "datetime", "state", "kind", "collection", "simulated"})
ALIKE = 0.4
"""Word similarity (pg_trgm) from which a misspelled name still counts as found."""
BOOLEANS = {"true": True, "false": False}


def glaciers(params: QueryDict) -> QuerySet[Glacier]:
    """Glaciers that the parameters ask for, with their newest and oldest outline beside them; 400 for a wrong one."""
    given = asking.known(params, GLACIERS | PAGING)
    found = with_outlines(Glacier.objects.select_related("region"))
    if "bbox" in given:
        box = asking.bbox(given["bbox"])
        found = found.filter(Q(domain__intersects=box) | Q(domain__isnull=True, point__intersects=box))
    if "region" in given:
        found = found.filter(region_id=region_code(given["region"]))
    if "name" in given:
        found = found.filter(Q(name__icontains=given["name"]) | Q(alias_text__contains=plain(given["name"])))
    if "q" in given:
        found = searched(found, given["q"])
    found = _areas(found, given, "newest_area_km2")
    return _simulated(found, given)


def with_outlines(found: QuerySet[Glacier]) -> QuerySet[Glacier]:
    """Annotated with newest_date, newest_area_km2, oldest_date and n_outlines."""
    newest = Outline.objects.filter(glacier=OuterRef("pk"), preferred=True).order_by("-src_date")
    return found.annotate(
        newest_date=Max("outlines__src_date"),
        oldest_date=Min("outlines__src_date"),
        n_outlines=Count("outlines"),
        newest_area_km2=Subquery(newest.values("area_km2")[:1]),
    )


def searched(found: QuerySet[Glacier], words: str) -> QuerySet[Glacier]:
    """Every word stands in a name or an identifier, with or without diacritics; else what is spelled most alike."""
    exact = Q()
    for word in words.split():
        exact &= Q(alias_text__contains=plain(word)) | Q(alias_text__contains=word.lower())
    hits = found.filter(exact)
    if hits.exists():
        return hits
    return found.annotate(alike=TrigramWordSimilarity(plain(words), "alias_text")).filter(alike__gte=ALIKE)


def outlines(params: QueryDict, formats: tuple[str, ...] = ()) -> QuerySet[Outline]:
    """Outlines that the parameters ask for; 400 for a wrong one. A download names its `formats` and has no pages."""
    given = asking.known(params, OUTLINES | {"format"}, formats) if formats else asking.known(params, OUTLINES | PAGING)
    found = Outline.objects.filter(superseded_at__isnull=True)
    if "bbox" in given:
        found = found.filter(geometry__intersects=asking.bbox(given["bbox"]))
    if "datetime" in given:
        found = within(found, *asking.days(given["datetime"]))
    if "year" in given:
        year = asking.whole("year", given["year"], 1600, 2200)
        found = found.filter(preferred=True, valid__contains=date(year, 12, 31))
    if "region" in given:
        found = found.filter(glacier__region_id=region_code(given["region"]))
    if "glac_id" in given:
        found = found.filter(glacier__glac_id=glac_id(given["glac_id"]))
    if "source" in given:
        found = found.filter(Q(source__name__iexact=given["source"]) | Q(source__kind=given["source"]))
    if "status" in given:
        found = found.filter(glacier__status=given["status"])
    if "preferred" in given:
        found = found.filter(preferred=_boolean("preferred", given["preferred"]))
    return _simulated(_areas(found, given, "area_km2"), given)


def drawn(found: QuerySet[Outline]) -> QuerySet[Outline]:
    """The same outlines with all that a feature shows."""
    rows = found.select_related("glacier", "source").annotate(geojson=as_geojson())
    return rows.defer("geometry", "glacier__domain")


def within(found: QuerySet[Outline], start: date | None, end: date | None) -> QuerySet[Outline]:
    """Outlines whose source interval meets the days given, both inclusive; None is open."""
    if start is not None:
        found = found.filter(Q(src_date__gte=start) | Q(src_date_end__gte=start))
    return found.filter(src_date__lte=end) if end is not None else found


def scenes(params: QueryDict) -> QuerySet[Scene]:
    """Scenes that the parameters ask for; 400 for a wrong one."""
    given = asking.known(params, SCENES | PAGING)
    found = Scene.objects.all()
    if "bbox" in given:
        found = found.over(asking.bbox(given["bbox"]))
    if "datetime" in given:
        found = found.between(*asking.interval(given["datetime"]))
    if "state" in given:
        found = found.filter(state=asking.choice("state", given["state"], tuple(Scene.State.values)))
    if "kind" in given:
        found = found.filter(kind=asking.choice("kind", given["kind"], Scene.KINDS))
    if "collection" in given:
        found = found.filter(collection=given["collection"])
    return _simulated(found, given)


def _areas(found: QuerySet, given: dict[str, str], column: str) -> QuerySet:
    for name, compare in (("area_min", "gte"), ("area_max", "lte")):
        if name in given:
            found = found.filter(**{f"{column}__{compare}": asking.number(name, given[name])})
    return found


def _simulated(found: QuerySet, given: dict[str, str]) -> QuerySet:
    return found.filter(simulated=_boolean("simulated", given["simulated"])) if "simulated" in given else found


def _boolean(name: str, given: str) -> bool:
    return BOOLEANS[asking.choice(name, given.lower(), tuple(BOOLEANS))]


def glac_id(given: str) -> str:
    """A GLIMS glacier identifier; 400 for what can be none."""
    if not is_glims_id(given):
        raise asking.bad("glac_id", given, "use a GLIMS glacier identifier such as G013196E47115N")
    return given


def region_code(given: str) -> str:
    code = given.zfill(2)
    if not re.fullmatch("[0-9]{2}", code) or not Region.objects.filter(code=code).exists():
        codes = ", ".join(Region.objects.values_list("code", flat=True)) or "none yet"
        raise asking.bad("region", given, f"use the two digits of a region that has glaciers here ({codes})")
    return code

