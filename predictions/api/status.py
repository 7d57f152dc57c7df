"""Years that have predictions, and how the system stands: for the time bar and the map's progress line."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import ExtractYear
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from glacierweb.models import Run
from inventory import asking
from inventory.models import Glacier, Outline, Scene
from inventory.parameters import described
from predictions import requests
from predictions.api.runs import RunOut
from predictions.models import Forecast, Frame, ModelVersion, PredictedOutline


class PredictedYears(APIView):
    """How many predicted outlines and forecast frames each year has, for the time bar."""

    @extend_schema(parameters=described(frozenset({"bbox"})), responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Counts by year: `predicted` outlines of active versions, and forecast frames that are not observed."""
        given = asking.known(request.query_params, {"bbox", "format"})
        outlines = PredictedOutline.objects.filter(mask__version__state=ModelVersion.State.ACTIVE)
        frames = Frame.objects.filter(observed=False)
        if "bbox" in given:
            box = asking.bbox(given["bbox"])
            outlines = outlines.filter(geometry__bboverlaps=box)
            frames = frames.filter(forecast__aoi__polygon__bboverlaps=box)
        return Response({"predicted": _by_year(outlines, "date"), "forecasts": _by_year(frames, "start")})


def _by_year(rows: QuerySet[Any], column: str) -> dict[str, int]:
    counts = rows.order_by().annotate(year=ExtractYear(column)).values("year").annotate(n=Count("pk")).order_by("year")
    return {str(row["year"]): row["n"] for row in counts}


class Status(APIView):
    """How full the database is and what is being worked on: the map's progress line."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Counts, active runs, and whether the first outlines and the first forecast are there."""
        asking.known(request.query_params, {"format"})
        going = Run.objects.filter(state__in=requests.LIVE).prefetch_related("asked_by").order_by("-state", "pk")
        stored = Scene.objects.filter(state=Scene.State.STORED).count()
        return Response(
            {
                "database": {
                    "glaciers": Glacier.objects.count(),
                    "outlines": Outline.objects.count(),
                    "scenes_stored": stored,
                    "scenes_total": Scene.objects.count(),
                },
                "runs_active": RunOut(going[:20], many=True, context={"request": request}).data,
                "n_runs_active": going.count(),
                "first_outlines": PredictedOutline.objects.exists(),
                "first_forecast": Forecast.objects.exists(),
            }
        )
