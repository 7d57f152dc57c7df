"""The REST resources of what is known: glaciers, their outlines, scenes, areas of interest and regions."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.contrib.gis.db.models import Extent
from django.db.models import Count, QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, viewsets
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from glacierweb.api_schema import GeoJSONRenderer
from glacierweb.paging import KeysetPagination
from glacierweb.problems import Problem
from inventory import asking, exports, filters, years
from inventory.colour_maps import COLOUR_MAPS, style_hash
from inventory.identifiers import is_glims_id
from inventory.models import AreaOfInterest, Glacier, Lineage, Outline, Region, Scene
from inventory.parameters import described
from inventory.serializers import (
    AreaOfInterestSerializer,
    GlacierDetailSerializer,
    GlacierSerializer,
    LineageSerializer,
    OutlineSerializer,
    RegionSerializer,
    SceneSerializer,
)

FEATURES = [GeoJSONRenderer, JSONRenderer]
"""Media types of features; a client that asks for plain JSON gets it."""


class FeaturePagination(KeysetPagination):
    """Pages of a GeoJSON FeatureCollection, with counts, time stamp and links as OGC API - Features has them."""

    def get_paginated_response(self, data: dict) -> Response:
        """The page as a FeatureCollection."""
        links = [{"rel": "self", "href": self.request.build_absolute_uri(), "type": "application/geo+json"}]
        if self.next_link:
            links.append({"rel": "next", "href": self.next_link, "type": "application/geo+json"})
        if self.previous_link:
            links.append({"rel": "prev", "href": self.previous_link, "type": "application/geo+json"})
        return Response(
            {
                "type": "FeatureCollection",
                "numberMatched": self.count,
                "numberReturned": len(data["features"]),
                "timeStamp": timezone.now().isoformat(timespec="seconds").replace("+00:00", "Z"),
                "links": links,
                "features": data["features"],
            },
            headers={"Content-Crs": "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>", "ETag": self._tag(data)},
        )

    def _tag(self, data: dict) -> str:
        """Entity tag of what is told, without the time at which it is told."""
        told = json.dumps([self.count, data["features"]], default=str)
        return f'W/"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'

    def get_paginated_response_schema(self, schema: dict) -> dict:
        """The OpenAPI description of a page of features."""
        counts = {
            "numberMatched": {"type": "integer"}, "numberReturned": {"type": "integer"},
            "timeStamp": {"type": "string", "format": "date-time"},
            "links": {"type": "array", "items": {"type": "object"}},
        }  # fmt: skip
        return {"allOf": [schema, {"type": "object", "required": list(counts), "properties": counts}]}


class HistoryPagination(FeaturePagination):
    """One glacier's history is one page, unless somebody asks for less."""

    default_limit = 1000


class Strict:
    """Lists refuse parameters that they do not know; a single object takes none."""

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A page."""
        if not getattr(self, "reads_parameters", False):
            asking.known(request.query_params, asking.PAGING)
        return super().list(request, *args, **kwargs)  # type: ignore[misc]

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One object."""
        asking.known(request.query_params, {"format"})
        return super().retrieve(request, *args, **kwargs)  # type: ignore[misc]


def glacier_or_404(glac_id: str) -> Glacier:
    """The glacier of this identifier; Problem 404 for one that is ill-formed or unknown."""
    glacier = Glacier.objects.filter(glac_id=glac_id).first() if is_glims_id(glac_id) else None
    if glacier is None:
        raise Problem(404, "No such glacier", f"No glacier is called {glac_id[:40]} here.", kind="not-found")
    return glacier


@extend_schema_view(list=extend_schema(parameters=described(filters.GLACIERS)))
class GlacierViewSet(Strict, viewsets.ReadOnlyModelViewSet):
    """Glaciers, with their newest outline's date and area."""

    queryset = Glacier.objects.all()
    serializer_class = GlacierSerializer
    lookup_field = "glac_id"
    lookup_value_regex = "[^/]+"
    reads_parameters = True

    def get_queryset(self) -> QuerySet[Glacier]:
        if self.action == "retrieve":
            return filters.with_outlines(Glacier.objects.select_related("region"))
        return filters.glaciers(self.request.query_params)

    def get_serializer_class(self) -> type:
        return GlacierDetailSerializer if self.action == "retrieve" else GlacierSerializer


class _OfGlacier(Strict, generics.ListAPIView):
    """Something that belongs to one glacier."""

    def glacier(self) -> Glacier:
        return glacier_or_404(self.kwargs["glac_id"])


class GlacierOutlinesView(_OfGlacier):
    """All outlines of a glacier, every date and analysis; no pages below a thousand."""

    queryset = Outline.objects.none()
    serializer_class = OutlineSerializer
    renderer_classes = FEATURES
    pagination_class = HistoryPagination
    keyset = ("src_date", "pk")

    def get_queryset(self) -> QuerySet[Outline]:
        return filters.drawn(self.glacier().outlines.filter(superseded_at__isnull=True))


class GlacierScenesView(_OfGlacier):
    """Scenes over a glacier's domain, the oldest first."""

    queryset = Scene.objects.none()
    serializer_class = SceneSerializer
    keyset = ("acquired", "pk")

    def get_queryset(self) -> QuerySet[Scene]:
        glacier = self.glacier()
        return Scene.objects.over(glacier.domain or glacier.point).filter(simulated=glacier.simulated)


class GlacierLineageView(_OfGlacier):
    """Which outline of a glacier continues which."""

    queryset = Lineage.objects.none()
    serializer_class = LineageSerializer

    def get_queryset(self) -> QuerySet[Lineage]:
        links = Lineage.objects.select_related("from_outline__glacier", "to_outline__glacier")
        glacier = self.glacier()
        return links.filter(from_outline__glacier=glacier) | links.filter(to_outline__glacier=glacier)


@extend_schema_view(list=extend_schema(parameters=described(filters.OUTLINES)))
class OutlineViewSet(Strict, viewsets.ReadOnlyModelViewSet):
    """Outlines as GeoJSON features."""

    queryset = Outline.objects.all()
    serializer_class = OutlineSerializer
    renderer_classes = FEATURES
    pagination_class = FeaturePagination
    reads_parameters = True

    def get_queryset(self) -> QuerySet[Outline]:
        found = Outline.objects.all() if self.action == "retrieve" else filters.outlines(self.request.query_params)
        return filters.drawn(found)


class OutlineDownloadView(APIView):
    """Outlines as a file, streamed."""

    @extend_schema(
        parameters=[
            OpenApiParameter("format", OpenApiTypes.STR, enum=list(exports.FORMATS), required=True),
            *described(filters.OUTLINES),
        ],
        responses={(200, one.content_type): one.described for one in exports.FORMATS.values()},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """The outlines that the filters ask for, in one of the formats."""
        found = filters.outlines(request.query_params, formats=tuple(exports.FORMATS))
        chosen = asking.choice("format", request.query_params.get("format", ""), tuple(exports.FORMATS))
        return exports.attachment(found, chosen, request.get_full_path())


@extend_schema_view(list=extend_schema(parameters=described(filters.SCENES)))
class SceneViewSet(Strict, viewsets.ReadOnlyModelViewSet):
    """Scenes, the oldest first."""

    queryset = Scene.objects.all()
    serializer_class = SceneSerializer
    keyset = ("acquired", "pk")
    reads_parameters = True

    def get_queryset(self) -> QuerySet[Scene]:
        return Scene.objects.all() if self.action == "retrieve" else filters.scenes(self.request.query_params)


class AreaOfInterestViewSet(Strict, viewsets.ReadOnlyModelViewSet):
    """Areas of interest."""

    queryset = AreaOfInterest.objects.select_related("glacier")
    serializer_class = AreaOfInterestSerializer


class AreaOfInterestScenesView(Strict, generics.ListAPIView):
    """Scenes over an area of interest, the oldest first."""

    queryset = Scene.objects.none()
    serializer_class = SceneSerializer
    keyset = ("acquired", "pk")

    def get_queryset(self) -> QuerySet[Scene]:
        aoi = generics.get_object_or_404(AreaOfInterest, pk=self.kwargs["pk"])
        return Scene.objects.over(aoi.polygon).filter(simulated=aoi.simulated)


class RegionViewSet(Strict, viewsets.ReadOnlyModelViewSet):
    """First-order regions that have glaciers here."""

    queryset = Region.objects.annotate(n_glaciers=Count("glaciers"), extent=Extent("glaciers__point"))
    serializer_class = RegionSerializer


class YearsView(APIView):
    """How many outlines and scenes each year has: what the time bar marks."""

    @extend_schema(parameters=described(frozenset({"bbox"})), responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Counts by year."""
        given = asking.known(request.query_params, {"bbox", "format"})
        return Response(years.counted(asking.bbox(given["bbox"]) if "bbox" in given else None))


class ColourMapsView(APIView):
    """The colour maps of tiles and legends."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Definitions by name, each with its hash."""
        asking.known(request.query_params, {"format"})
        return Response({name: told | {"hash": style_hash(name)} for name, told in COLOUR_MAPS.items()})
