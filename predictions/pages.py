"""Pages of runs and versions for everybody; what changes anything is for the staff."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from glacierweb.models import Run
from predictions import cards, requests
from predictions.models import ModelVersion


@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """What a run does now, how far it is, its loss curves and the last lines of its log."""
    found = get_object_or_404(Run.objects.select_related("asked_by"), pk=pk)
    return render(request, "run.html", {"run": found, "live": found.state in requests.LIVE})


@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """All versions by task and scope, the active ones first."""
    rows = ModelVersion.objects.order_by("task", "scope", "state", "-pk")
    return render(request, "models.html", {"cards": [cards.brief(version) for version in rows]})


@require_safe
def model(request: HttpRequest, pk: int) -> HttpResponse:
    """The card of a version: data, metrics by group, reliability, curves, and how it compares with the active one."""
    version = get_object_or_404(ModelVersion.objects.select_related("trained_by", "previous"), pk=pk)
    return render(request, "model.html", {"version": version, **cards.card(version)})
