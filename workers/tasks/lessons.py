"""Data with truth: scenes beside expert masks and outlines of their date, for trainings and evaluations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from django.db.models import Q

from inventory.models import AreaOfInterest, Glacier, Outline
from predictions import params
from workers.learning import season_truth, truth
from workers.learning.truth import KnownOutline, NothingToLearn
from workers.segmentation.radar_series import TooFewScenes
from workers.tasks import seasons, stored

Found = TypeVar("Found")


def areas_of(data: params.DataParams) -> list[AreaOfInterest]:
    """Areas of interest that are named, or lie in the regions named. Raises ValueError where there are none."""
    areas = list(AreaOfInterest.objects.filter(pk__in=data.aois))
    areas += [a for a in AreaOfInterest.objects.filter(glacier__region__in=data.regions) if a not in areas]
    if not areas:
        raise ValueError(f"regions {', '.join(data.regions)} have no area of interest with scenes: ingest some")
    return areas


def of_each(
    areas: Sequence[AreaOfInterest], take: Callable[[AreaOfInterest], Found]
) -> tuple[list[tuple[AreaOfInterest, Found]], list[str]]:
    """(area, what `take` finds in it) of every area that has something, and why each other one is left out.

    One place without scenes or truth must not spoil the work on all others. Raises NothingToLearn with every reason
    where no area has anything; what `take` raised where only one was asked for.
    """
    found: list[tuple[AreaOfInterest, Found]] = []
    left_out: list[str] = []
    for area in areas:
        try:
            found.append((area, take(area)))
        except ValueError as error:
            if len(areas) == 1:
                raise
            left_out.append(f"{area.name} is left out: {error}")
    if not found:
        raise NothingToLearn("; ".join(left_out))
    return found, left_out


def pairs(asked: params.TrainParams | params.EvaluateParams, area: AreaOfInterest) -> list:
    """(scene key, sample with truth) of an area, as the run asked for data."""
    labels = {scene.acquired: scene for scene in stored.usable(Q(item__aoi=area.pk), "label")}
    # Whoever learns from scenes with late snow learns to call snow ice: only the end of the melt season teaches.
    known = [
        stored.known_scene(scene, labels.get(scene.acquired))
        for scene in stored.usable(Q(item__aoi=area.pk))
        if not scene.refusals.get("outline", ["not judged"]) and within(scene.acquired.date(), asked.data)
    ]
    return truth.samples(known, *_outlines_and_domains(asked.data, area))


def season_pairs(
    asked: params.TrainParams | params.EvaluateParams, area: AreaOfInterest, acquisitions: int
) -> tuple[list, list[str]]:
    """(key of the standing scene, season of radar scenes with truth) of an area, and a sentence for each season that is
    left out because too many of so many acquisitions are missing."""
    known = [one.known() for one in seasons.of_area(area) if within(one.standing.acquired.date(), asked.data)]
    if not known:
        raise NothingToLearn(f"{area.name} has no radar scenes in the span asked for: ingest Sentinel-1 gamma nought")
    kept, told = season_truth.complete(known, acquisitions)
    if not kept:
        raise TooFewScenes(f"{area.name}: {'; '.join(told)}. Add radar scenes, or teach a preset that reads fewer.")
    return season_truth.samples(kept, *_outlines_and_domains(asked.data, area)), [f"{area.name}: {one}" for one in told]


def _outlines_and_domains(data: params.DataParams, area: AreaOfInterest) -> tuple[list[KnownOutline], dict]:
    """What analysts drew of the glaciers in view, from the sources asked for, and where each glacier may lie."""
    glaciers = Glacier.objects.filter(domain__intersects=area.polygon, simulated=area.simulated)
    drawn = Outline.objects.filter(glacier__in=glaciers, preferred=True, superseded_at=None).select_related("glacier")
    if data.sources:
        drawn = drawn.filter(source__name__in=data.sources)
    known = [
        KnownOutline(one.glacier.glac_id, stored.shape(one.geometry), one.src_date, one.src_date_end or one.src_date)
        for one in drawn
    ]
    return known, {glacier.glac_id: stored.shape(glacier.domain) for glacier in glaciers}


def inside(area: AreaOfInterest) -> Q:
    """Scenes that are kept on the area's grid."""
    return Q(item__aoi=area.pk)


def within(day: date, data: params.DataParams | params.AreaSeriesParams) -> bool:
    """Whether a day lies in the span asked for, both ends inclusive."""
    return (data.from_ is None or day >= data.from_) and (data.to is None or day <= data.to)
