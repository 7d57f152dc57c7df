"""Rasters of what the networks say, as files; `inventory.assets` sends them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from glacierweb.models import Run
from glacierweb.paths import data_path
from glacierweb.problems import Problem
from inventory.assets import raster
from predictions.models import FlowField, Frame, Mask


@require_safe
def mask(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The probability raster of a mask."""
    found = get_object_or_404(Mask, pk=pk)
    return raster(request, data_path(found.raster), f"mask-{pk}.tif")


@require_safe
def frame(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The NDSI raster of one frame of a forecast."""
    found = get_object_or_404(Frame, pk=pk)
    return raster(request, data_path(found.raster), f"ndsi-{found.start}.tif")


@require_safe
def flow(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The displacement field between two scenes: v, vx and vy in m a year."""
    found = get_object_or_404(FlowField, pk=pk)
    return raster(request, data_path(found.raster), f"flow-{pk}.tif")


@require_safe
def chips(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What a video version predicted in a run of the kind track: one layer a lead, in the units of the band."""
    digest = get_object_or_404(Run, pk=pk, kind="track").result.get("predicted", {}).get("raster_sha256")
    if not digest:
        raise Problem(404, "Nothing predicted", f"Run {pk} was asked without a version, or has not ended.")
    return raster(request, data_path(f"chips/{digest}.tif"), f"chips-{pk}.tif")
