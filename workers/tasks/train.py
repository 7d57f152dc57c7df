"""A network is taught, its weights kept, and the version registered as a candidate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from glacierweb import paths, runs
from glacierweb.delivery import report
from glacierweb.models import Run
from predictions import params, versions
from predictions.models import ModelVersion
from workers.forecasting import issue
from workers.learning import catalog, recipes, season_truth, weights
from workers.learning.forest_recipe import train_forest
from workers.learning.samples import folds
from workers.tasks import chips, lessons, stored, taught


def train(run: Run) -> dict[str, Any]:
    """Teach a network, keep its weights, register it as a candidate; goes on from its checkpoint after a loss."""
    asked, tell = params.read(run.kind, run.params), report(run)
    areas = lessons.areas_of(asked.data)
    folder = f"checkpoints/run-{run.pk}"
    runs.keep_checkpoint(run, folder)
    trained, snapshot = TEACHERS[asked.task](asked, areas, tell, paths.data_path(folder))
    learned_from = [area for area in areas if area.pk in snapshot["areas"]]
    version = versions.register(
        run, asked.task, asked.architecture, asked.preset, taught.keep(trained.learned), _card(asked.task, trained),
        trained.learned.recipe.bands, taught.trainable_parameters_of(trained.learned), snapshot,
        versions.scope_of(learned_from, asked.data.regions), all(area.simulated for area in learned_from),
    )  # fmt: skip
    versions.promote_if_first(version)
    return {"version": version.pk, "warnings": snapshot.get("left_out", [])}


def _card(task_name: str, trained: Any) -> dict[str, Any]:
    """The metrics with the one row by which versions are compared, and the curves of the training."""
    found = trained.metrics
    if task_name in ("segment", "sar"):
        overall = found.get("pooled", {})
    elif task_name == "video":
        overall = found["overall"]
    else:
        overall = {"mse": found["scores"]["pooled_mse"], "mae": found["scores"]["pooled_mae"]}
    return {**found, "overall": overall, "curves": trained.history.points}


def _settings(asked: params.TrainParams) -> Any:
    known = {"epochs": asked.epochs, "lr": asked.lr, "batch": asked.batch, "seed": asked.seed}
    return recipes.with_settings(asked.architecture, asked.preset, asked.start != "scratch", **known)


def _teach_segmenter(asked, areas, tell, checkpoint: Path) -> tuple[Any, dict[str, Any]]:
    found, left_out = lessons.of_each(areas, lambda area: lessons.pairs(asked, area))
    keys, samples = map(list, zip(*(pair for _, pairs in found for pair in pairs), strict=True))
    tell(0.02, f"{len(samples)} scenes with truth")
    trained = recipes.train_segmenter(
        asked.architecture, asked.preset, samples, _settings(asked), tell, checkpoint, start=_start(asked)
    )
    snapshot = {
        "scenes": keys, "groups": [sample.group for sample in samples], "areas": [area.pk for area, _ in found],
        "left_out": left_out,
    }  # fmt: skip
    if asked.architecture == "random-forest":
        snapshot["folds"] = list(_folds(asked, keys, samples, trained))
    return trained, snapshot


def _start(asked: params.TrainParams) -> weights.Learned | None:
    """The version that the training starts from. Raises ValueError for what can only be taught from scratch."""
    if asked.start == "scratch":
        return None
    if asked.architecture == "random-forest" or asked.task not in ("segment", "forecast") or asked.split == "spatial":
        raise ValueError(f"{asked.architecture}, split {asked.split}, is always taught from scratch: "
                         "ask again with start = scratch")  # fmt: skip
    return taught.load(ModelVersion.objects.get(pk=asked.start))


def _folds(asked, keys: list[str], samples: list, trained: Any) -> Iterator[dict[str, Any]]:
    """For each part of the groups a forest that never saw it: what predicts the scenes that were learned from."""
    for groups in folds([sample.group for sample in samples]):
        others = [sample for sample in samples if sample.group not in groups]
        if not others:
            continue
        one = train_forest(asked.preset, others, asked.seed, lambda *_, **__: None, trained.learned.recipe.bands, False)
        scenes_out = [key for key, sample in zip(keys, samples, strict=True) if sample.group in groups]
        yield {"groups": sorted(groups), "scenes": scenes_out, "weights_sha256": taught.keep(one.learned)}


def _teach_forecaster(asked, areas, tell, checkpoint: Path) -> tuple[Any, dict[str, Any]]:
    start = _start(asked)
    found, left_out = lessons.of_each(areas, lambda area: stored.record_of(area, 3, lambda *_: None))
    series = [cube for _, cube in found]
    frames = {area.name: [first_day.isoformat() for first_day in cube.starts] for area, cube in found}
    snapshot = {"frames": frames, "areas": [area.pk for area, _ in found], "left_out": left_out}
    if asked.split == "spatial":
        if len(series) > 1:
            raise ValueError(f"a spatial transfer learns from one area: name one of {', '.join(frames)}")
        seen, target = issue.split_transfer(series[0])
        trained = recipes.train_transfer(
            asked.architecture, asked.preset, seen, target, _settings(asked), tell, checkpoint
        )
        return trained, snapshot
    return recipes.train_forecaster(
        asked.architecture, asked.preset, series, _settings(asked), tell, checkpoint, start
    ), snapshot


def _teach_series(asked, areas, tell, checkpoint: Path) -> tuple[Any, dict[str, Any]]:
    """A radar network, on seasons of stored scenes beside the outlines nearest to the end of each."""
    _start(asked)
    acquisitions = catalog.preset(asked.architecture, asked.preset)[1].acquisitions
    found, left_out = lessons.of_each(areas, lambda area: lessons.season_pairs(asked, area, acquisitions))
    pairs = [pair for _, (pairs, _) in found for pair in pairs]
    samples = [sample for _, sample in pairs]
    season_truth.require_truths(samples)
    tell(0.02, f"{len(samples)} seasons with truth, {acquisitions} acquisitions of each")
    trained = recipes.train_series(asked.architecture, asked.preset, samples, _settings(asked), tell, checkpoint)
    snapshot = {
        "scenes": [key for key, _ in pairs], "groups": [sample.group for sample in samples],
        "acquisitions": acquisitions, "areas": [area.pk for area, _ in found],
        "left_out": left_out + [one for _, (_, told) in found for one in told],
    }  # fmt: skip
    return trained, snapshot


def _teach_video(asked, areas, tell, checkpoint: Path) -> tuple[Any, dict[str, Any]]:
    """Video generation, on chips cut from the scenes of the areas; judged on what came later."""
    _start(asked)
    return chips.teach(asked, areas, _settings(asked), tell, checkpoint)


TEACHERS = {
    "segment": _teach_segmenter, "forecast": _teach_forecaster, "sar": _teach_series, "video": _teach_video,
}  # fmt: skip
