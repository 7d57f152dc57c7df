"""/healthz, /readyz and /metrics: is it alive, can it work, and how does it do."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import rasterio
from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Min
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from glacierweb import broker
from glacierweb.celery import app
from glacierweb.models import Outbox, Run
from glacierweb.problems import CONTENT_TYPE, Problem

DISK_FREE_FRACTION = 0.10


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return HttpResponse("ok\n", content_type="text/plain")


def _database() -> str:
    for name in connections:  # the one of public reads too
        with connections[name].cursor() as cursor:
            cursor.execute("select postgis_lib_version()")
            version = cursor.fetchone()[0]
    return f"PostGIS {version}"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise RuntimeError(f"{len(waiting)} migrations wait: run bin/start migrate")
    return "all applied"


def _broker() -> str:
    if not broker.answers():
        raise RuntimeError("Redis does not answer at REDIS_URL")
    return "answers"


def _disk() -> str:
    settings.DATA_ROOT.mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(settings.DATA_ROOT)
    if usage.free < DISK_FREE_FRACTION * usage.total:
        raise RuntimeError(f"only {usage.free / 1e9:.1f} GB are free below DATA_ROOT; make room")
    return f"{usage.free / 1e9:.0f} GB free"


def _workers() -> str:
    answers = app.control.inspect(timeout=1.5).active_queues() or {}
    seen = {queue["name"] for queues in answers.values() for queue in queues}
    if missing := set(broker.QUEUES) - seen:
        raise RuntimeError(f"no worker listens to {', '.join(sorted(missing))}: start it with bin/start worker-<queue>")
    return f"{len(answers)} workers"


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "disk": _disk,
    "workers": _workers,
}


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether everything that a user's wish needs is there; 503 names the part that is not."""
    parts: dict[str, str] = {"gdal": rasterio.__gdal_version__}
    failing = []
    for name, check in CHECKS.items():
        try:
            parts[name] = check()
        except (DatabaseError, RuntimeError, OSError) as error:
            parts[name] = f"failing: {str(error).splitlines()[0]}"
            failing.append(name)
        except Exception as error:  # kombu raises its transports' own classes
            parts[name] = f"failing: {type(error).__name__}"
            failing.append(name)
    body = {"ready": not failing, "failing": failing, "parts": parts}
    if not failing:
        return JsonResponse(body)
    detail = "; ".join(f"{name}: {parts[name].removeprefix('failing: ')}" for name in failing)
    problem = Problem(503, "Not ready", f"{detail}.", headers={"Retry-After": "5"})
    return JsonResponse(problem.body() | body, status=503, content_type=CONTENT_TYPE, headers=problem.headers)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Queue ages and stuck runs in Prometheus' text format."""
    lines = ["# TYPE glacierweb_runs gauge"]
    for row in Run.objects.values("kind", "state").annotate(n=Count("pk")).order_by("kind", "state"):
        lines.append(f'glacierweb_runs{{kind="{row["kind"]}",state="{row["state"]}"}} {row["n"]}')
    lines.append("# TYPE glacierweb_queue_oldest_seconds gauge")
    waiting = Run.objects.filter(state=Run.State.QUEUED).values_list("queue").annotate(oldest=Min("requested"))
    for queue, oldest in waiting:
        lines.append(f'glacierweb_queue_oldest_seconds{{queue="{queue}"}} {(now() - oldest).total_seconds():.0f}')
    stuck = Run.objects.filter(state=Run.State.RUNNING, lease_until__lt=Now()).count()
    lines += ["# TYPE glacierweb_runs_stuck gauge", f"glacierweb_runs_stuck {stuck}"]
    lines += ["# TYPE glacierweb_outbox_messages gauge", f"glacierweb_outbox_messages {Outbox.objects.count()}"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4")
