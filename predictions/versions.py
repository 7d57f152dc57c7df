"""The life of a trained version: asked for, registered as a candidate, promoted through a gate, rolled back.

`ModelVersion.state` is written here and nowhere else, by conditional UPDATEs. For each task and scope (where a version
is meant to be used) at most one version is active.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.db.models.functions import Now

from glacierweb import runs
from glacierweb.models import Run
from inventory.models import AreaOfInterest, Glacier, Scene
from predictions import requests
from predictions.models import ModelVersion
from predictions.requests import Person

GENERAL = "general"
SIMULATED = "simulated"


@dataclass(frozen=True)
class Headline:
    """The one figure of a task by which versions are compared, and how much worse a candidate may be."""

    metric: str
    higher_is_better: bool
    margin: float
    """Share of the active version's figure."""


HEADLINES = {
    "segment": Headline("iou", True, 0.02),
    "sar": Headline("iou", True, 0.02),
    "forecast": Headline("mse", False, 0.05),
    "video": Headline("ci", True, 0.02),
}


class Refused(Exception):
    """The gate did not let a version through, or there is nothing to roll back to; the text says why."""


def request_training(params: Mapping[str, Any], asked_by: Person | None = None) -> Run:
    """Queue a training. Raises ParamsError, or AlreadyGoing when the same one is on its way."""
    return requests.request("train", params, asked_by)


def register(
    run: Run,
    task: str,
    architecture: str,
    preset: str,
    weights_sha256: str,
    metrics: dict[str, Any],
    bands: Sequence[str],
    parameters: int | None,
    data_snapshot: dict[str, Any],
    scope: str,
    simulated: bool,
) -> ModelVersion:
    """Write down what a training made, as a candidate; the weights must lie in place already.

    A second delivery of the same run returns the version of the first. Raises LeaseLost or Cancelled when the run is
    no longer ours.
    """
    with runs.fenced(run):
        version, _ = ModelVersion.objects.get_or_create(
            trained_by=run,
            defaults={
                "task": task,
                "architecture": architecture,
                "preset": preset,
                "weights_sha256": weights_sha256,
                "metrics": finite(metrics),
                "bands": list(bands),
                "parameters": parameters,
                "data_snapshot": finite(data_snapshot),
                "scope": scope,
                "simulated": simulated,
            },
        )
    return version


def keep_evaluation(run: Run, version: ModelVersion, found: Mapping[str, Any]) -> None:
    """Put a measurement on a version's card, under `evaluations` by the run's number; a second delivery replaces it.

    `found` names its `data` (aois, regions). Where these lie in the version's scope and it has no headline yet, its
    `overall` figures become it: what was measured elsewhere says nothing about where the version is used. Raises
    LeaseLost or Cancelled when the run is no longer ours.
    """
    with runs.fenced(run):
        row = ModelVersion.objects.select_for_update().get(pk=version.pk)
        metrics = {**row.metrics, "evaluations": {**row.metrics.get("evaluations", {}), str(run.pk): finite(found)}}
        if headline(row) is None and found.get("overall") and _in_scope(row.scope, found["data"]):
            metrics["overall"] = finite(found["overall"])
        ModelVersion.objects.filter(pk=row.pk).update(metrics=metrics)


def _in_scope(scope: str, data: Mapping[str, Any]) -> bool:
    """Whether a version of this scope may be used at every place that was measured."""
    named = models.Q(pk__in=data["aois"]) | models.Q(glacier__region__in=data["regions"])
    return all(scope in scopes_of(aoi) for aoi in AreaOfInterest.objects.filter(named).select_related("glacier"))


def finite(value: Any) -> Any:
    """The same with null for every NaN and infinity, which JSON does not know: such a figure was not measured."""
    if isinstance(value, Mapping):
        return {str(key): finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def headline(version: ModelVersion) -> float | None:
    """The version's figure that counts; None where it was never measured."""
    value = version.metrics.get("overall", {}).get(HEADLINES[version.task].metric)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def objection(version: ModelVersion, current: ModelVersion | None) -> str:
    """Why the gate would not let this version replace the active one; empty when it would."""
    rule, own = HEADLINES[version.task], headline(version)
    if own is None:
        return f"version {version.pk} has no {rule.metric} measured on held-out data; evaluate it first"
    theirs = headline(current) if current is not None else None
    if current is None or theirs is None:
        return ""
    loss = (theirs - own) if rule.higher_is_better else (own - theirs)
    if loss <= rule.margin * abs(theirs):
        return ""
    return (
        f"{rule.metric} {own:.4g} of version {version.pk} is worse than {theirs:.4g} of the active version "
        f"{current.pk} by more than {100 * rule.margin:.0f} %; promote it with a reason if you know better"
    )


def promote(version: ModelVersion, by: Person | None = None, *, force: bool = False, reason: str = "") -> ModelVersion:
    """Make a version the active one of its task and scope; the one before is retired and remembered.

    Raises Refused when the gate objects and no reason is given with `force`. Promoting the active version does nothing.
    """
    with transaction.atomic():
        version, current = _locked(version)
        if version.state == ModelVersion.State.ACTIVE:
            return version
        against = objection(version, current)
        if against and not (force and reason.strip()):
            raise Refused(against)
        note = f"promoted by {by or 'the starter'}" + (f" although {against}: {reason.strip()}" if against else "")
        return _replace(current, version, previous=current, note=note)


def promote_if_first(version: ModelVersion) -> ModelVersion:
    """Make a version active where its task and scope have none; leaves it a candidate otherwise."""
    with transaction.atomic():
        version, current = _locked(version)
        if current is not None or objection(version, None):
            return version
        return _replace(None, version, previous=None, note="the first of its task and scope")


def roll_back(version: ModelVersion) -> ModelVersion:
    """Return from the active version to the one that was active before; asking twice goes back once.

    Raises Refused when it is not active (any more), or when no version was active before it.
    """
    with transaction.atomic():
        version, _ = _locked(version)
        if version.state != ModelVersion.State.ACTIVE:
            raise Refused(f"version {version.pk} is {version.state}; only the active one can be rolled back")
        earlier = version.previous
        if earlier is None:
            raise Refused(f"no version of {version.task} was active for {version.scope} before {version.pk}")
        note = f"active again: version {version.pk} was rolled back"
        return _replace(version, earlier, previous=earlier.previous, note=note)


def active(task: str, scope: str) -> ModelVersion | None:
    """The active version of a task and scope."""
    return _of(task, scope).filter(state=ModelVersion.State.ACTIVE).first()


def active_at(task: str, place: AreaOfInterest | Glacier | Scene) -> ModelVersion | None:
    """The active version to use at a place: its own scope first, then its region's, then the general one.

    Simulated places only take versions of simulated worlds, real places never do.
    """
    for scope in scopes_of(place):
        if found := active(task, scope):
            return found
    return None


def scope_of(aois: Sequence[AreaOfInterest], regions: Sequence[str] = ()) -> str:
    """The scope of a version that learns from these places."""
    if aois and all(aoi.simulated for aoi in aois):
        return SIMULATED
    if len(aois) == 1 and not regions:
        return slug(aois[0].name)
    codes = set(regions) | {aoi.glacier.region_id if aoi.glacier else None for aoi in aois}
    code = codes.pop() if len(codes) == 1 else None
    return f"region-{code}" if code else GENERAL


def scopes_of(place: AreaOfInterest | Glacier | Scene) -> list[str]:
    """Scopes whose active version may be used at a place, the narrowest first."""
    if place.simulated:
        return [SIMULATED]
    aois = _aois_of(place)
    codes = {aoi.glacier.region_id for aoi in aois if aoi.glacier and aoi.glacier.region_id}
    if isinstance(place, Glacier) and place.region_id:
        codes.add(place.region_id)
    return [*[slug(aoi.name) for aoi in aois], *[f"region-{code}" for code in sorted(codes)], GENERAL]


def slug(name: str) -> str:
    """A name as it is written in scopes: lower case, words joined by hyphens."""
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-")[:80] or GENERAL


def _aois_of(place: AreaOfInterest | Glacier | Scene) -> list[AreaOfInterest]:
    if isinstance(place, AreaOfInterest):
        return [place]
    real = AreaOfInterest.objects.filter(simulated=False).select_related("glacier")
    if isinstance(place, Glacier):
        where = models.Q(glacier=place) | models.Q(polygon__contains=place.point)
    elif isinstance(place.item.get("aoi"), int):
        where = models.Q(pk=place.item["aoi"])
    else:
        where = models.Q(polygon__intersects=place.footprint)
    return list(real.filter(where).order_by("-glacier", "name"))


def _of(task: str, scope: str) -> models.QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(task=task, scope=scope)


def _locked(version: ModelVersion) -> tuple[ModelVersion, ModelVersion | None]:
    """The version and the active one of its task and scope, both locked; promotions of one scope go in turn."""
    rows = {row.pk: row for row in _of(version.task, version.scope).select_for_update().order_by("pk")}
    current = next((row for row in rows.values() if row.state == ModelVersion.State.ACTIVE), None)
    return rows[version.pk], current


def _replace(current: ModelVersion | None, new: ModelVersion, previous: ModelVersion | None, note: str) -> ModelVersion:
    """Retire the active version before the new one takes its place: the database allows one at a time."""
    if current is not None:
        ModelVersion.objects.filter(pk=current.pk, state=ModelVersion.State.ACTIVE).update(
            state=ModelVersion.State.RETIRED
        )
    ModelVersion.objects.filter(pk=new.pk).exclude(state=ModelVersion.State.ACTIVE).update(
        state=ModelVersion.State.ACTIVE, promoted=Now(), previous=previous, note=note
    )
    new.refresh_from_db()
    return new
