"""Data with truth: scenes beside expert masks and outlines of their date, for trainings and evaluations."""

from __future__ import annotations

from datetime import date

from django.db.models import Q

from glacierweb import paths
from inventory.models import AreaOfInterest, Glacier, Outline, Scene
from predictions import params
from workers.learning import truth
from workers.learning.truth import KnownOutline, KnownScene
from workers.tasks import stored


def areas_of(data: params.DataParams) -> list[AreaOfInterest]:
    """Areas of interest that are named, or lie in the regions named. Raises ValueError where there are none."""
    areas = list(AreaOfInterest.objects.filter(pk__in=data.aois))
    areas += [a for a in AreaOfInterest.objects.filter(glacier__region__in=data.regions) if a not in areas]
    if not areas:
        raise ValueError(f"regions {', '.join(data.regions)} have no area of interest with scenes: ingest some")
    return areas


def pairs(asked: params.TrainParams | params.EvaluateParams, area: AreaOfInterest) -> list:
    """(scene key, sample with truth) of an area, as the run asked for data."""
    labels = {scene.acquired: scene for scene in stored.usable(Q(item__aoi=area.pk), "label")}
    # Whoever learns from scenes with late snow learns to call snow ice: only the end of the melt season teaches.
    known = [
        _known_scene(scene, labels.get(scene.acquired))
        for scene in stored.usable(Q(item__aoi=area.pk))
        if not scene.refusals.get("outline", ["not judged"]) and within(scene.acquired.date(), asked.data)
    ]
    glaciers = Glacier.objects.filter(domain__intersects=area.polygon, simulated=area.simulated)
    drawn = Outline.objects.filter(glacier__in=glaciers, preferred=True, superseded_at=None).select_related("glacier")
    if asked.data.sources:
        drawn = drawn.filter(source__name__in=asked.data.sources)
    outlines_known = [
        KnownOutline(one.glacier.glac_id, stored.shape(one.geometry), one.src_date, one.src_date_end or one.src_date)
        for one in drawn
    ]
    domains = {glacier.glac_id: stored.shape(glacier.domain) for glacier in glaciers}
    return truth.samples(known, outlines_known, domains)


def _known_scene(scene: Scene, label: Scene | None) -> KnownScene:
    end = (scene.acquired_end or scene.acquired).date()
    mask = paths.data_path(label.raster) if label else None
    return KnownScene(scene.key, paths.data_path(scene.raster), scene.acquired, scene.acquired.date(), end, mask)


def within(day: date, data: params.DataParams) -> bool:
    return (data.from_ is None or day >= data.from_) and (data.to is None or day <= data.to)
