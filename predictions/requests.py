"""Asking for a run: parameters are checked, what they name must exist, and the same work is not queued twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection, models, transaction
from django.utils.timezone import now

from glacierweb import runs
from glacierweb.models import Run
from inventory.models import AreaOfInterest, Glacier, Region, Scene
from predictions import params as asked
from predictions.models import ModelVersion

Person = models.Model | AnonymousUser
IMAGES = ("reflectance", "ndsi")
DAY = timedelta(days=1)
LIVE = (Run.State.QUEUED, Run.State.RUNNING)


class AlreadyGoing(Exception):
    """The same run (kind and parameters) is queued or running: `run` is it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        super().__init__(f"run {run.pk} does this already; it is {run.state}")


class TooManyTrainings(Exception):
    """This person has asked for as many trainings as one may in a day; `wait_s` says when the next one is taken."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(
            f"{settings.TRAININGS_PER_DAY} trainings a day is the most one person may ask for; the next one is taken "
            f"in {timedelta(seconds=wait_s)} (hours, minutes, seconds), or raise TRAININGS_PER_DAY"
        )


def request(kind: str, payload: Mapping[str, Any], asked_by: Person | None = None) -> Run:
    """Queue a run.

    Raises ParamsError for parameters that cannot be taken, AlreadyGoing when the same is queued or running,
    TooManyTrainings beyond a person's day.
    """
    read = asked.read(kind, payload)
    errors = _absent(read) or _unordered(read) or _of_another_task(read)
    if errors:
        raise asked.ParamsError(errors)
    complete = asked.to_dict(read)
    person = asked_by if isinstance(asked_by, models.Model) else None
    with transaction.atomic():
        _one_at_a_time(kind, complete)
        if going := Run.objects.filter(kind=kind, params=complete, state__in=LIVE).first():
            raise AlreadyGoing(going)
        if kind == asked.TrainParams.kind and person is not None:
            _within_the_day(person.pk)
        return runs.request(kind, complete, queue=asked.queue_of(kind), asked_by=person)


def _within_the_day(person_id: int) -> None:
    """The rows are the count; a training that was cancelled before it began does not belong to it."""
    begun = Run.objects.filter(kind=asked.TrainParams.kind, asked_by=person_id).exclude(
        state=Run.State.CANCELLED, started=None
    )
    recent = list(begun.filter(requested__gt=now() - DAY).order_by("requested").values_list("requested", flat=True))
    most = settings.TRAININGS_PER_DAY
    if 0 < most <= len(recent):
        raise TooManyTrainings(int((recent[len(recent) - most] + DAY - now()).total_seconds()) + 1)


def _one_at_a_time(kind: str, complete: dict[str, Any]) -> None:
    """Hold off a second request for the same work until this one is committed."""
    text = json.dumps([kind, complete], sort_keys=True)
    key = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def _absent(read: Any) -> list[dict[str, str]]:
    """One entry for each row that is named and does not exist, or cannot be used for this."""
    data = getattr(read, "data", None)
    scenes = Scene.objects.filter(state=Scene.State.STORED)
    named: list[tuple[str, str, Any, models.QuerySet]] = [
        *[(f"/{name}", "pk", getattr(read, name, None), scenes) for name in ("scene", "first", "second")],
        *[(f"/scenes/{at}", "pk", pk, scenes) for at, pk in enumerate(getattr(read, "scenes", ()))],
        ("/glacier", "glac_id", getattr(read, "glacier", None), Glacier.objects.all()),
        ("/aoi", "pk", getattr(read, "aoi", None), AreaOfInterest.objects.all()),
        ("/version", "pk", getattr(read, "version", None), _versions_for(read)),
    ]
    if isinstance(read, asked.TrainParams) and read.start != "scratch":
        same = ModelVersion.objects.filter(architecture=read.architecture, preset=read.preset)
        named.append(("/start", "pk", read.start, same))
    for at, pk in enumerate(data.aois if data else ()):
        named.append((f"/data/aois/{at}", "pk", pk, AreaOfInterest.objects.all()))
    for at, code in enumerate(data.regions if data else ()):
        named.append((f"/data/regions/{at}", "pk", code, Region.objects.all()))
    return [
        {"pointer": pointer, "message": _sentence(pointer, value)}
        for pointer, key, value, rows in named
        if value is not None and not rows.filter(**{key: value}).exists()
    ]


def _versions_for(read: Any) -> models.QuerySet[ModelVersion]:
    """Versions of the task that this kind of run needs."""
    tasks = {
        "forecast": ["forecast"], "evaluate": ["segment", "forecast", "sar", "video"], "segment": ["segment", "sar"],
        "area_series": ["segment", "sar"], "track": ["video"],
    }  # fmt: skip
    return ModelVersion.objects.filter(task__in=tasks.get(read.kind, ["segment"]))


def _of_another_task(read: Any) -> list[dict[str, str]]:
    """A version that maps the other kind of scene than the one named: radar seasons, or single optical scenes."""
    if not isinstance(read, asked.SegmentParams) or read.version is None:
        return []
    scene, version = Scene.objects.get(pk=read.scene), ModelVersion.objects.get(pk=read.version)
    if (scene.kind == "sar") == (version.task == "sar"):
        return []
    maps = "seasons of radar scenes" if version.task == "sar" else "optical scenes"
    told = f"version {version.pk} ({version.architecture}) maps {maps}; scene {scene.pk} is {scene.kind}"
    return [{"pointer": "/version", "message": f"{told}: name a version of the other task, or none for the active one"}]


def _unordered(read: Any) -> list[dict[str, str]]:
    """Scenes that motion cannot be measured between: of two kinds, no images, or not later than the one before."""
    named = {"/first": getattr(read, "first", None), "/second": getattr(read, "second", None)}
    named |= {f"/scenes/{at}": pk for at, pk in enumerate(getattr(read, "scenes", ()))}
    rows = Scene.objects.in_bulk([pk for pk in named.values() if pk])
    chain = [(pointer, rows[pk]) for pointer, pk in named.items() if pk]
    errors = []
    for (_, before), (pointer, scene) in pairwise(chain):
        if scene.kind != before.kind or scene.kind not in IMAGES:
            kinds = " or ".join(IMAGES)
            errors.append({"pointer": pointer, "message": f"motion needs images of one kind ({kinds}); this is "
                           f"{scene.kind}, the one before {before.kind}"})
        elif scene.middle <= before.middle:
            errors.append({"pointer": pointer, "message": f"was taken on {scene.middle:%Y-%m-%d}, not after the one "
                           f"before it ({before.middle:%Y-%m-%d}); name the earlier one first"})
    return errors


def _sentence(pointer: str, value: Any) -> str:
    what = pointer.split("/")[1] if not pointer.startswith("/data") else pointer.split("/")[2]
    return {
        "scene": f"there is no stored scene {value}",
        "scenes": f"there is no stored scene {value}",
        "first": f"there is no stored scene {value}",
        "second": f"there is no stored scene {value}",
        "glacier": f"there is no glacier {value}",
        "aoi": f"there is no area of interest {value}",
        "aois": f"there is no area of interest {value}",
        "regions": f"there is no region {value}",
        "version": f"there is no version {value} for this kind of run",
        "start": f"there is no version {value} of the same architecture and preset to start from",
    }[what]
