"""Pages of runs and versions for everybody; what changes anything is for the staff."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from glacierweb import runs as life
from glacierweb.models import Run
from predictions import cards, requests
from predictions.models import ModelVersion

MOST_RUNS = 200
FETCH = "fetch_scene"


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """The last runs; the many that fetch one scene each are only counted."""
    rows = Run.objects.exclude(kind=FETCH).defer("curves", "log", "result").order_by("-pk")[:MOST_RUNS]
    scenes = Run.objects.filter(kind=FETCH).order_by("state").values("state").annotate(n=Count("pk"))
    return render(request, "runs.html", {"runs": list(rows), "scenes": list(scenes), "most": MOST_RUNS})


@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """What a run does now, how far it is, its loss curves and the last lines of its log."""
    found = get_object_or_404(Run.objects.prefetch_related("asked_by"), pk=pk)
    told = {
        "run": found, "live": found.state in requests.LIVE, "asked": cards.asked_of(found),
        "made": cards.made_by(found), "chips": cards.chips(found.result.get("predicted", {}).get("table", [])),
    }  # fmt: skip
    return render(request, "run.html", told)


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a run; its worker notices at its next report."""
    if not request.user.is_staff:
        raise PermissionDenied("Cancelling a run is for the staff: sign in.")
    found = get_object_or_404(Run, pk=pk)
    if not life.cancel(found.pk):
        messages.warning(request, f"Run {pk} had ended already.")
    return redirect("run-page", pk=pk)


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
