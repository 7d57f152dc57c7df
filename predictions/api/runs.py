"""Runs: the door through which every piece of work is asked for, watched and cancelled."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from glacierweb import runs
from glacierweb.models import Run
from glacierweb.problems import Problem
from inventory import asking
from inventory.parameters import one_of
from inventory.views import Strict
from predictions import requests
from predictions.params import KINDS, ParamsError

RESULTS = {"version": "model", "forecast": "forecast", "mask": "mask", "flow": "flow"}


def links(run: Run, request: Request | None) -> dict[str, str]:
    """Where to look next: itself, cancelling, its page, and what it made."""

    def address(name: str, pk: Any) -> str:
        path = reverse(name, args=[pk])
        return request.build_absolute_uri(path) if request else path

    found = {"self": address("run", run.pk), "page": address("run-page", run.pk)}
    if run.state in requests.LIVE:
        found["cancel"] = address("run-cancel", run.pk)
    for key, name in RESULTS.items():
        if isinstance(pk := run.result.get(key), int):
            found["result"] = found[key] = address(name, pk)
    glacier = run.result.get("glacier") or run.params.get("glacier")
    if run.kind == "area_series" and isinstance(glacier, str):
        found["result"] = found["areas"] = address("glacier-areas", glacier)
    return found


class RunOut(serializers.ModelSerializer[Run]):
    """A run as everybody may see it; who asked is for the staff."""

    params = serializers.DictField()
    duration_s = serializers.FloatField(allow_null=True)
    warnings = serializers.ListField(child=serializers.JSONField())
    curves = serializers.ListField(child=serializers.DictField(), help_text="[{epoch, train, validation}]")
    log = serializers.ListField(child=serializers.CharField())
    result = serializers.DictField()
    asked_by = serializers.SerializerMethodField()
    links = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = (
            "id", "kind", "queue", "state", "progress", "step", "attempt", "params", "requested", "started", "finished",
            "duration_s", "error", "warnings", "curves", "log", "result", "asked_by", "links",
        )  # fmt: skip

    def get_asked_by(self, run: Run) -> str | None:
        request = self.context.get("request")
        if request is None or not request.user.is_staff or run.asked_by is None:
            return None
        return run.asked_by.get_username()

    def get_links(self, run: Run) -> dict[str, str]:
        return links(run, self.context.get("request"))


class JobOut(serializers.ModelSerializer[Run]):
    """The same row in the words of uploads."""

    warnings = serializers.ListField(child=serializers.JSONField())
    links = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = ("state", "progress", "step", "attempt", "error", "warnings", "links")

    def get_links(self, run: Run) -> dict[str, str]:
        return links(run, self.context.get("request"))


def wanted(request: Request, kinds: list[str] | None = None) -> Any:
    """Runs that the query parameters ask for, newest first."""
    given = asking.known(request.query_params, {"state", *(["kind"] if kinds is None else []), *asking.PAGING})
    rows = Run.objects.prefetch_related("asked_by")  # accounts lie behind another connection than runs
    if kinds is not None:
        rows = rows.filter(kind__in=kinds)
    if "kind" in given:
        rows = rows.filter(kind=asking.choice("kind", given["kind"], settings.RUN_KINDS))
    if "state" in given:
        state = asking.choice("state", given["state"], (*Run.State.values, "live"))
        rows = rows.filter(state__in=requests.LIVE) if state == "live" else rows.filter(state=state)
    return rows


STATE = one_of("state", [*Run.State.values, "live"], "A state, or `live` for queued and running.")


class RunList(generics.ListAPIView):
    """All runs, newest first; POST asks for one."""

    queryset = Run.objects.all()
    serializer_class = RunOut
    keyset = ("-pk",)

    def get_queryset(self) -> Any:
        """The rows that the query asks for."""
        return wanted(self.request)

    @extend_schema(parameters=[STATE, one_of("kind", settings.RUN_KINDS)])
    def get(self, request: Request) -> Response:
        """List runs, newest first."""
        return self.list(request)

    @extend_schema(
        request={"application/json": {"type": "object", "required": ["kind"], "additionalProperties": True,
                                      "properties": {"kind": {"type": "string", "enum": list(KINDS)}}}},
        responses={202: RunOut, 409: OpenApiResponse(description="The same run is queued or running already."),
                   422: OpenApiResponse(description="Unknown or wrong parameters, each named.")},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Ask for a run: `{"kind": ..., ...parameters}`. 202 with its address."""
        asking.known(request.query_params, set())
        run = ask(request.data, request.user)
        body = RunOut(run, context={"request": request}).data
        return Response(body, status=202, headers={"Location": body["links"]["self"]})


def ask(body: Any, user: Any) -> Run:
    """Queue what a request body asks for, or raise the problem that says why not."""
    payload = dict(body.items()) if hasattr(body, "items") else None
    if payload is None:
        raise Problem(422, "Not valid", 'Send an object such as {"kind": "segment", "scene": 12}.')
    try:
        return requests.request(payload.pop("kind", None), payload, user)
    except ParamsError as error:
        errors = [{"code": "invalid", **entry} for entry in error.errors]
        raise Problem(422, "Not valid", f"The run cannot be taken: {error}.", errors, kind="not-valid") from None
    except requests.TooManyTrainings as error:
        headers = {"Retry-After": str(error.wait_s)}
        raise Problem(429, "Too many trainings", f"{error}.", headers=headers) from None
    except requests.AlreadyGoing as error:
        where = reverse("run", args=[error.run.pk])
        detail = f"Run {error.run.pk} does the same already and is {error.run.state}; watch it at {where}."
        raise Problem(409, "Already going", detail, headers={"Location": where}) from None


class TrainingRunList(generics.ListAPIView):
    """Runs that teach a network."""

    queryset = Run.objects.filter(kind="train")
    serializer_class = RunOut
    keyset = ("-pk",)

    def get_queryset(self) -> Any:
        """The rows that the query asks for."""
        return wanted(self.request, ["train"])

    @extend_schema(parameters=[STATE])
    def get(self, request: Request) -> Response:
        """List trainings, newest first."""
        return self.list(request)


class RunDetail(Strict, generics.RetrieveAPIView):
    """One run: what it does now, how far it is, its losses, its log and what it made."""

    queryset = Run.objects.prefetch_related("asked_by")
    serializer_class = RunOut


class JobDetail(Strict, generics.RetrieveAPIView):
    """The same row as the run of this number."""

    queryset = Run.objects.all()
    serializer_class = JobOut


class RunCancel(APIView):
    """Stop a run that has not ended; its worker notices at its next report."""

    @extend_schema(request=None, responses={200: RunOut, 409: OpenApiResponse(description="It has ended.")})
    def post(self, request: Request, pk: int) -> Response:
        """Cancel the run."""
        asking.known(request.query_params, set())
        run = get_object_or_404(Run, pk=pk)
        if not runs.cancel(run.pk):
            run.refresh_from_db()
            raise Problem(409, "Already ended", f"Run {run.pk} is {run.state}; there is nothing to cancel.")
        run.refresh_from_db()
        return Response(RunOut(run, context={"request": request}).data)
