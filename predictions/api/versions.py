"""Trained versions as a collection; promoting and rolling back."""

from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from glacierweb.problems import Problem
from inventory import asking
from inventory.parameters import one_of
from inventory.views import Strict
from predictions import filters, versions
from predictions.models import ModelVersion
from predictions.serializers import VersionSerializer
from predictions.training_defaults import DEFAULTS


class ModelList(Strict, generics.ListAPIView):
    """Trained versions, the newest first."""

    reads_parameters = True
    queryset = ModelVersion.objects.all()
    serializer_class = VersionSerializer
    keyset = ("-pk",)

    def get_queryset(self) -> QuerySet[ModelVersion]:
        """As the query asks."""
        return filters.models(self.request.query_params)

    @extend_schema(parameters=[
            one_of("architecture", DEFAULTS),
            OpenApiParameter("scope", description="Where it is meant to be used."),
            one_of("state", ModelVersion.State.values),
            one_of("task", ModelVersion.Task.values),
        ])
    def get(self, request: Request) -> Response:
        """List versions."""
        return self.list(request)


class ModelDetail(Strict, generics.RetrieveAPIView):
    """One version with its card."""

    queryset = ModelVersion.objects.all()
    serializer_class = VersionSerializer


class Promotion(serializers.Serializer):
    """A promotion against the gate needs a reason."""

    force = serializers.BooleanField(default=False)
    reason = serializers.CharField(default="", allow_blank=True, max_length=2000)


class ModelPromote(APIView):
    """Make a version the active one of its task and scope."""

    @extend_schema(
        request=Promotion,
        responses={200: VersionSerializer, 409: OpenApiResponse(description="The gate objects; its reason is told.")},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Promote; 409 where its figures are worse than the active version's and no reason is given."""
        asking.known(request.query_params, set())
        asked = Promotion(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            version = versions.promote(get_object_or_404(ModelVersion, pk=pk), request.user, **asked.validated_data)
        except versions.Refused as error:
            raise Problem(409, "Not promoted", f"{error}.") from None
        return Response(VersionSerializer(version, context={"request": request}).data)


class ModelRollBack(APIView):
    """Return to the version that was active before."""

    @extend_schema(
        request=None,
        responses={200: VersionSerializer, 409: OpenApiResponse(description="There is none to return to.")},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Roll the task and scope of this version back; answers the version that is active now."""
        asking.known(request.query_params, set())
        try:
            found = versions.roll_back(get_object_or_404(ModelVersion, pk=pk))
        except versions.Refused as error:
            raise Problem(409, "Not rolled back", f"{error}.") from None
        return Response(VersionSerializer(found, context={"request": request}).data)
