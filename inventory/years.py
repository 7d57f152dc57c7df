"""Years that have data, for the time bar."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib.gis.geos import MultiPolygon
from django.db.models import Count
from django.db.models.functions import ExtractYear

from inventory.models import Outline, Scene


def counted(box: MultiPolygon | None = None) -> dict:
    """{outlines, scenes: {year: count}, span: [first, last], now: this year}, within a box or everywhere."""
    outlines = Outline.objects.filter(preferred=True)
    scenes = Scene.objects.stored().filter(kind__in=["reflectance", "ndsi", "sar"])
    if box is not None:
        outlines, scenes = outlines.filter(geometry__bboverlaps=box), scenes.filter(footprint__bboverlaps=box)
    found = {"outlines": _by_year(outlines, "src_date"), "scenes": _by_year(scenes, "acquired")}
    every = [int(year) for years in found.values() for year in years]
    this_year = datetime.now(UTC).year
    return found | {"span": [min(every, default=this_year), max(every, default=this_year)], "now": this_year}


def _by_year(rows, column: str) -> dict[str, int]:
    counts = rows.order_by().annotate(year=ExtractYear(column)).values("year").annotate(n=Count("pk")).order_by("year")
    return {str(row["year"]): row["n"] for row in counts}
