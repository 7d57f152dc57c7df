"""Masks, predicted outlines, forecasts and flow fields as collections."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from inventory import asking
from inventory.exports import FORMATS
from inventory.parameters import described
from inventory.views import FEATURES, FeaturePagination, Strict
from predictions import exports, filters, tables
from predictions.api.glaciers import whole_forecasts
from predictions.models import FlowField, Forecast, Frame, Mask, PredictedOutline
from predictions.serializers import (
    FlowSerializer,
    ForecastSerializer,
    FrameSerializer,
    MaskSerializer,
    PredictedOutlineSerializer,
)


class Listed(Strict, generics.ListAPIView):
    """A collection whose filters read its own parameters."""

    reads_parameters = True


class Single(Strict, generics.RetrieveAPIView):
    """One row."""


class MaskList(Listed):
    """Masks, the newest first."""

    queryset = Mask.objects.all()
    serializer_class = MaskSerializer
    keyset = ("-pk",)

    def get_queryset(self) -> QuerySet[Mask]:
        """As the query asks."""
        return filters.masks(self.request.query_params)

    @extend_schema(parameters=described(filters.MASKS))
    def get(self, request: Request) -> Response:
        """List masks."""
        return self.list(request)


class MaskDetail(Single):
    """One mask."""

    queryset = Mask.objects.select_related("scene", "version").annotate(n_outlines=Count("outlines"))
    serializer_class = MaskSerializer


class PredictedOutlineList(Listed):
    """Predicted outlines of active versions (`version=all`, or a number, for others)."""

    queryset = PredictedOutline.objects.all()
    serializer_class = PredictedOutlineSerializer
    renderer_classes = FEATURES
    pagination_class = FeaturePagination

    def get_queryset(self) -> QuerySet[PredictedOutline]:
        """As the query asks."""
        return filters.predicted_outlines(self.request.query_params)

    @extend_schema(parameters=described(filters.PREDICTED))
    def get(self, request: Request) -> Response:
        """List predicted outlines as GeoJSON features."""
        return self.list(request)


class PredictedOutlineDetail(Single):
    """One predicted outline as a GeoJSON feature."""

    queryset = filters.drawn()
    serializer_class = PredictedOutlineSerializer
    renderer_classes = FEATURES


class PredictedOutlineDownload(APIView):
    """Predicted outlines as a file, streamed."""

    @extend_schema(
        parameters=[
            OpenApiParameter("format", OpenApiTypes.STR, enum=list(exports.OFFERED), required=True),
            *described(filters.PREDICTED),
        ],
        responses={(200, FORMATS[name].content_type): FORMATS[name].described for name in exports.OFFERED},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """The predicted outlines that the filters ask for, in one of the formats."""
        found = filters.predicted_outlines(request.query_params, formats=exports.OFFERED)
        chosen = asking.choice("format", request.query_params.get("format", ""), exports.OFFERED)
        return exports.attachment(found, chosen)


class ForecastList(Strict, generics.ListAPIView):
    """Forecasts, the newest first."""

    queryset = Forecast.objects.all()
    serializer_class = ForecastSerializer
    keyset = ("-pk",)

    def get_queryset(self) -> QuerySet[Forecast]:
        """All of them."""
        return whole_forecasts()


class ForecastDetail(Single):
    """One forecast with frames and skill."""

    queryset = Forecast.objects.select_related("aoi", "version").prefetch_related("frames", "skill")
    serializer_class = ForecastSerializer


class FrameList(Strict, generics.ListAPIView):
    """The frames of a forecast by date."""

    queryset = Frame.objects.none()
    serializer_class = FrameSerializer
    keyset = ("start", "member", "pk")

    def get_queryset(self) -> QuerySet[Frame]:
        """Of this forecast."""
        return get_object_or_404(Forecast, pk=self.kwargs["pk"]).frames.all()

    @extend_schema(
        parameters=[OpenApiParameter("format", OpenApiTypes.STR, enum=["json", "csv"])],
        responses={(200, "application/json"): FrameSerializer(many=True), (200, tables.CSV): OpenApiTypes.STR},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Frames with their areas of snow and ice; as CSV too."""
        if request.query_params.get("format", "json") != "csv":
            return self.list(request)
        asking.known(request.query_params, {"format"}, ("csv",))
        rows = self.get_queryset().order_by(*self.keyset).values(*tables.FRAME_COLUMNS)
        return tables.attachment(rows, tables.FRAME_COLUMNS, f"forecast-{kwargs['pk']}")


class FlowList(Strict, generics.ListAPIView):
    """Displacement fields, the newest first."""

    queryset = FlowField.objects.select_related("first", "second")
    serializer_class = FlowSerializer
    keyset = ("-pk",)


class FlowDetail(Single):
    """One displacement field."""

    queryset = FlowField.objects.select_related("first", "second")
    serializer_class = FlowSerializer
