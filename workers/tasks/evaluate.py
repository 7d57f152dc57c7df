"""A version is measured on data of one's choice; what had taught it is reported apart."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from glacierweb.delivery import report
from glacierweb.models import Run
from inventory.models import AreaOfInterest, Scene
from predictions import params, versions
from predictions.models import ModelVersion
from workers.forecasting.rollout import Hindcast
from workers.learning import evaluation, mapping_report, video_report
from workers.tasks import chips, lessons, mapped, stored, taught


def evaluate(run: Run) -> dict[str, Any]:
    """Measure a version on data of one's choice, and put the figures on its card."""
    asked, tell = params.read(run.kind, run.params), report(run)
    version = ModelVersion.objects.get(pk=asked.version)
    measures = {"forecast": _evaluated_forecaster, "video": _evaluated_video}
    found = measures.get(version.task, _evaluated_mapper)(asked, version, lessons.areas_of(asked.data), tell)
    versions.keep_evaluation(run, version, {**found, "data": params.to_dict(asked.data)})
    return {"version": version.pk, **found, "warnings": [*evaluation.remarks(found), *found["left_out"]]}


def _evaluated_mapper(asked, version: ModelVersion, areas: list[AreaOfInterest], tell) -> dict[str, Any]:
    found, left_out = lessons.of_each(areas, lambda area: _pairs(asked, version, area))
    pairs, judged = [pair for _, pairs in found for pair in pairs], []
    for number, (key, sample) in enumerate(pairs):
        tell(number / len(pairs), f"scene {number + 1} of {len(pairs)}: {key}")
        scene = Scene.objects.get(key=key)
        probability, held_out = mapped.probability_of(version, scene)
        how = "held_out" if held_out else "seen" if _taught(version, scene, sample.group) else "unseen"
        judged.append((how, mapping_report.judge(probability, sample)))
    return {**evaluation.mapping(judged), "left_out": left_out}


def _pairs(asked, version: ModelVersion, area: AreaOfInterest) -> list:
    """Scenes (for a radar version: standing scenes of seasons) with truth."""
    if version.task != "sar":
        return lessons.pairs(asked, area)
    return lessons.season_pairs(asked, area, taught.load(version).network.config.acquisitions)[0]


def _taught(version: ModelVersion, scene: Scene, group: str) -> bool:
    """Whether a scene, or another one of the same place and truth, shaped the version's weights."""
    snapshot, seed = version.data_snapshot, version.trained_by.params.get("seed", 0)
    groups = evaluation.taught_groups(snapshot.get("groups", []), seed, version.architecture)
    there = Scene.objects.filter(key__in=snapshot.get("scenes", []), footprint__intersects=scene.footprint)
    return group in groups and there.exists()


def _evaluated_forecaster(asked, version: ModelVersion, areas: list[AreaOfInterest], tell) -> dict[str, Any]:
    learned, frames = taught.load(version), version.data_snapshot.get("frames", {})

    def past_of(area: AreaOfInterest) -> tuple[Hindcast, bool]:
        tell(areas.index(area) / len(areas), f"forecasting the past of {area.name} beside the baselines")
        cube = stored.record_of(area, learned.recipe.options.get("months", 3), lambda *_: None)
        past = evaluation.hindcast_within(learned, cube, asked.data.from_, asked.data.to)
        return past, evaluation.frames_taught(frames, area.name, past)

    found, left_out = lessons.of_each(areas, past_of)
    records = [(area.name, past, seen) for area, (past, seen) in found]
    return {**evaluation.forecasts(records), "left_out": left_out}


def _evaluated_video(asked, version: ModelVersion, areas: list[AreaOfInterest], tell) -> dict[str, Any]:
    """Sequences whose targets came after all that taught; of places that did not teach, every sequence."""
    network, until = taught.load(version).network, date.fromisoformat(version.data_snapshot["until"])
    honest, seen = [], 0
    found, left_out = lessons.of_each(areas, lambda area: chips.record_of(area, asked.data, network.config.size))
    for number, (area, record) in enumerate(found):
        tell(0.5 * number / len(found), f"cutting chips of {area.name}")
        every = chips.windows(record, network.config)
        later = [one for one in every if chips.first_target(record, one, network.config) >= until]
        kept = later if area.pk in version.data_snapshot["areas"] else every
        seen += len(every) - len(kept)
        honest.append(chips.cut(record, chips.few(record, kept), network.config).frames)
    frames = np.concatenate(honest)
    if not len(frames):
        raise ValueError(f"{seen} windows of chips, none later than what taught it ({until}): name later scenes")
    tell(0.5, f"predicting {len(frames)} sequences")
    counted = {"task": "video", "scenes": {"unseen": len(frames)}, "left_out": left_out}
    return {**counted, **video_report.judge(network, frames)}
