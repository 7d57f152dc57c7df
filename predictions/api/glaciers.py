"""What the networks say about one glacier, one area of interest, one region."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from glacierweb.problems import Problem
from inventory import asking
from inventory.models import AreaOfInterest, Glacier, Region
from inventory.parameters import described
from inventory.views import FEATURES, FeaturePagination, Strict, glacier_or_404
from predictions import filters, regional_series, series, tables
from predictions.models import FlowField, Forecast, ModelVersion, PredictedOutline
from predictions.serializers import FlowSerializer, ForecastSerializer, PredictedOutlineSerializer

OF_GLACIER = frozenset({"version", "year", "product", "datetime"})


class GlacierAreas(APIView):
    """The area series of a glacier: outlines, the network's measurements, and snow and ice, never pooled."""

    @extend_schema(
        parameters=[
            OpenApiParameter("version", OpenApiTypes.INT, description="A version instead of the active one."),
            OpenApiParameter("format", OpenApiTypes.STR, enum=["json", "csv"]),
        ],
        responses={(200, "application/json"): OpenApiTypes.OBJECT, (200, tables.CSV): OpenApiTypes.STR},
    )
    def get(self, request: Request, glac_id: str) -> Response | HttpResponse:
        """Observations with intervals, annual means, trend or the reason why there is none."""
        given = asking.known(request.query_params, {"version", "format"}, ("json", "csv"))
        glacier = glacier_or_404(glac_id)
        found = series.areas(glacier, version_asked(given))
        if given.get("format", "json") == "json":
            return Response(found)
        return tables.attachment(tables.area_rows(found), tables.COLUMNS, f"areas-{glacier.glac_id}")


def version_asked(given: dict[str, str]) -> ModelVersion | None:
    """The version that a query names; 400 for one that does not exist or draws no outlines."""
    if "version" not in given:
        return None
    pk = asking.whole("version", given["version"], 1, filters.MOST)
    found = ModelVersion.objects.filter(pk=pk, task=ModelVersion.Task.SEGMENT).first()
    if found is None:
        raise asking.bad("version", given["version"], "use the number of a version that draws outlines")
    return found


class GlacierSummary(APIView):
    """What there is about a glacier, and its result in one sentence."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, glac_id: str) -> Response:
        """`has_predicted`, `has_forecast`, the sentence, and notes on what the data cannot support."""
        asking.known(request.query_params, {"format"})
        glacier = glacier_or_404(glac_id)
        return Response(
            {
                "glac_id": glacier.glac_id,
                "has_predicted": glacier.predicted_outlines.exists(),
                "has_forecast": Forecast.objects.filter(over(glacier)).exists(),
                **series.summary(glacier),
            }
        )


class GlacierPredictedOutlines(Strict, generics.ListAPIView):
    """Outlines that the active version drew of a glacier (`version=all` for every version)."""

    queryset = PredictedOutline.objects.none()
    serializer_class = PredictedOutlineSerializer
    renderer_classes = FEATURES
    pagination_class = FeaturePagination
    keyset = ("date", "pk")
    reads_parameters = True

    def get_queryset(self) -> QuerySet[PredictedOutline]:
        """Of this glacier, as the query asks."""
        found = filters.predicted_outlines(self.request.query_params, allowed=OF_GLACIER)
        return found.filter(glacier=glacier_or_404(self.kwargs["glac_id"]))

    @extend_schema(parameters=described(OF_GLACIER))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Predicted outlines, the oldest first."""
        return self.list(request, *args, **kwargs)


class ForecastsHere(Strict, generics.ListAPIView):
    """Forecasts of a place, the newest first."""

    queryset = Forecast.objects.none()
    serializer_class = ForecastSerializer
    keyset = ("-pk",)


class GlacierForecasts(ForecastsHere):
    """Forecasts over a glacier."""

    def get_queryset(self) -> QuerySet[Forecast]:
        """Those of its areas of interest."""
        return whole_forecasts().filter(over(glacier_or_404(self.kwargs["glac_id"])))


class AoiForecasts(ForecastsHere):
    """Forecasts of an area of interest."""

    def get_queryset(self) -> QuerySet[Forecast]:
        """Those of this area."""
        return whole_forecasts().filter(aoi=get_object_or_404(AreaOfInterest, pk=self.kwargs["pk"]))


class GlacierFlow(Strict, generics.ListAPIView):
    """Displacement fields over a glacier."""

    queryset = FlowField.objects.none()
    serializer_class = FlowSerializer
    keyset = ("-pk",)

    def get_queryset(self) -> QuerySet[FlowField]:
        """Those whose scenes cover it."""
        glacier = glacier_or_404(self.kwargs["glac_id"])
        where = Q(first__footprint__intersects=glacier.domain or glacier.point, first__simulated=glacier.simulated)
        return FlowField.objects.filter(where).select_related("first", "second")


class RegionTrend(APIView):
    """The area trend of a region by both methods."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request, code: str) -> Response:
        """Method 1 (slopes weighted by observations) and method 2 (geometric mean), with their glaciers."""
        asking.known(request.query_params, {"format"})
        region = Region.objects.filter(code=code).first()
        if region is None:
            raise Problem(404, "No such region", f"No region {code[:20]} has glaciers here.", kind="not-found")
        return Response(regional_series.regional_trend(region))


class RegionTotals(APIView):
    """The five regions of the published table, and their total."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Each region by method 1, the unweighted total, and the pooled one."""
        asking.known(request.query_params, {"format"})
        return Response(regional_series.totals())


def over(glacier: Glacier) -> Q:
    """Forecasts whose area of interest holds the glacier; simulated ones only over simulated glaciers."""
    here = Q(aoi__glacier=glacier) | Q(aoi__polygon__contains=glacier.point)
    return here & Q(aoi__simulated=glacier.simulated)


def whole_forecasts() -> QuerySet[Forecast]:
    """Forecasts with all that belongs to them."""
    return Forecast.objects.select_related("aoi", "version").prefetch_related("frames", "skill")
