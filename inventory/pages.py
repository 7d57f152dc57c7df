"""HTML pages: the map, one glacier, one scene, the regions, and where everything comes from."""

from __future__ import annotations

from django.conf import settings
from django.contrib.gis.db.models import Extent
from django.db.models import Count, F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from inventory import years
from inventory.filters import with_outlines
from inventory.models import AreaOfInterest, Glacier, Outline, Region, Scene, Source

AROUND_A_POINT_DEGREES = 0.05


@require_safe
def map_page(request: HttpRequest) -> HttpResponse:
    """The map. Where and when it begins stands in the page, so that the first tiles wait for no other answer."""
    return render(request, "map.html", {"basemaps": settings.BASEMAPS, "first_view": first_view()})


def first_view() -> dict:
    """{bbox: [west, south, east, north] around everything or None, years: what the time bar marks}."""
    areas = AreaOfInterest.objects.aggregate(box=Extent("polygon"))["box"]
    points = Glacier.objects.aggregate(box=Extent("point"))["box"]
    grown = points and [end + AROUND_A_POINT_DEGREES * sign for end, sign in zip(points, (-1, -1, 1, 1), strict=True)]
    return {"bbox": _around([box for box in (areas, grown) if box]), "years": years.counted()}


def _around(boxes: list) -> list[float] | None:
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return [round(end, 5) for end in (min(west), min(south), max(east), max(north))]


@require_safe
def regions(request: HttpRequest) -> HttpResponse:
    """Regions that hold glaciers."""
    found = Region.objects.annotate(n_glaciers=Count("glaciers")).filter(n_glaciers__gt=0)
    return render(request, "regions.html", {"regions": found})


@require_safe
def region(request: HttpRequest, code: str) -> HttpResponse:
    """One region with its largest glaciers; its trend is fetched by the page from the API."""
    found = get_object_or_404(Region, code=code)
    glaciers = with_outlines(found.glaciers.all()).order_by(F("newest_area_km2").desc(nulls_last=True))
    return render(request, "region.html", {"region": found, "glaciers": glaciers[:500]})


@require_safe
def glacier(request: HttpRequest, glac_id: str) -> HttpResponse:
    """A glacier with its outlines; charts are fetched by the page from the API."""
    found = get_object_or_404(with_outlines(Glacier.objects.select_related("region")), glac_id=glac_id)
    outlines = found.outlines.select_related("source").order_by("-src_date", "-preferred")
    return render(request, "glacier.html", {"glacier": found, "outlines": outlines})


@require_safe
def scene(request: HttpRequest, scene_id: int) -> HttpResponse:
    """A scene: what it is, what was measured over it, and which profiles refused it."""
    found = get_object_or_404(Scene, pk=scene_id)
    over = Glacier.objects.filter(domain__intersects=found.footprint, simulated=found.simulated).order_by("name")
    return render(request, "scene.html", {"scene": found, "glaciers": over[:100]})


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Data, methods, citations and limits."""
    counts = {
        "glaciers": Glacier.objects.count(),
        "outlines": Outline.objects.count(),
        "scenes": Scene.objects.stored().count(),
    }
    return render(request, "about.html", {"sources": Source.objects.order_by("name"), "counts": counts})
