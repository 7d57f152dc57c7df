"""The recipes by name: how each architecture is taught, with the settings of its publication or small ones.

`train_segmenter` and `train_forecaster` take plain records and return a `Trained`; the caller saves it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workers.learning import catalog, forecast_recipes, mapping_recipes, series_recipes, video_recipe
from workers.learning.forecast_recipes import train_transfer
from workers.learning.forest_recipe import train_forest
from workers.learning.samples import SegmentSample
from workers.learning.series_recipes import train_series
from workers.learning.trained import Trained
from workers.learning.training import Report, TrainSettings, no_report
from workers.learning.video_recipe import train_video
from workers.learning.weights import Learned

if TYPE_CHECKING:
    from workers.imagery.cubes import Cube

__all__ = [
    "SegmentSample", "Trained", "defaults", "train_forecaster", "train_segmenter", "train_series", "train_transfer",
    "train_video", "with_settings",
]  # fmt: skip


def defaults(architecture: str, preset: str = "small") -> TrainSettings:
    """The settings of a recipe: what a form shows. Raises ValueError naming what there is."""
    row, _ = catalog.preset(architecture, preset)
    if row.task == "forecast":
        return forecast_recipes.settings_of(architecture, preset)
    if row.task == "video":
        return video_recipe.settings_of(preset)
    if row.task == "sar":
        return series_recipes.settings_of(preset)
    return mapping_recipes.settings_of(architecture, preset)


def with_settings(architecture: str, preset: str, fine: bool = False, **asked: Any) -> TrainSettings:
    """The recipe's settings (`fine`: those for going on from weights) with those of `asked` that are not None in their
    place."""
    given = {name: value for name, value in asked.items() if value is not None}
    usual = going_on if fine else defaults
    return replace(usual(architecture, preset), **given)


def going_on(architecture: str, preset: str) -> TrainSettings:
    """The settings of a recipe for going on from weights. Raises ValueError where it only starts from scratch."""
    row, _ = catalog.preset(architecture, preset)
    if row.fit is not None or row.task not in ("segment", "forecast"):
        raise ValueError(f"{architecture} is always taught from scratch: leave out the weights to go on from")
    recipe: Any = mapping_recipes if row.task == "segment" else forecast_recipes
    return recipe.fine_settings_of(architecture, preset)


def train_segmenter(architecture: str, preset: str, samples: Iterable[SegmentSample],
                    settings: TrainSettings | None = None, report: Report = no_report,
                    checkpoint: Path | None = None, bands: Sequence[str] | None = None,
                    start: Learned | None = None, others: Mapping[str, Sequence[SegmentSample]] | None = None,
                    encoder: Path | None = None, test_groups: Collection[str] | None = None) -> Trained:
    """Teach a mapper of glacier ice on stacks with truth; metrics are from held-out groups.

    bands: input channels by name; by default what the samples offer and the architecture can use. start: weights to
    go on from (regional fine-tuning); `others` are samples of other regions, on which the card shows what was lost.
    encoder: a safetensors file with ImageNet weights for the ResNet-50 U-Net. Without `settings` each of the three has
    its own. test_groups: groups to test a network on instead of a fifth chosen by hash, such as those of one region or
    of the last years (`imagery.splits.leave_one_region_out`, `leave_last_years_out`).

    Raises ValueError on no samples or one class only, MissingBands by name, and what `report` raises.
    """
    row, _ = catalog.preset(architecture, preset)
    if row.task != "segment":
        raise ValueError(f"{architecture} is taught for the task {row.task!r}, not for mapping")
    settings = settings or _mapping_settings(architecture, preset, start, encoder)
    if row.fit is not None:
        return train_forest(preset, list(samples), settings.seed, report, bands)
    return mapping_recipes.train(architecture, preset, list(samples), settings, report, checkpoint, bands,
                                 start, others, encoder, test_groups)


def _mapping_settings(architecture: str, preset: str, start: Learned | None, encoder: Path | None) -> TrainSettings:
    if start is not None:
        return going_on(architecture, preset)
    return mapping_recipes.PRETRAINED if encoder is not None else defaults(architecture, preset)


def train_forecaster(architecture: str, preset: str, cubes: Cube | Sequence[Cube],
                     settings: TrainSettings | None = None, report: Report = no_report,
                     checkpoint: Path | None = None, start: Learned | None = None, **options: Any) -> Trained:
    """Teach a forecaster of NDSI frames; metrics hold its hindcast on the last fifth of the frames beside the
    baselines. options: residual="none" | "last" | "climatology", feedback (SA-LSTM-H), stride. start: weights to go on
    from, also on frames of other months (Müller 2023, experiment 2); metrics then hold their `zero_shot` hindcast too.

    Raises ValueError where the record is too short (naming the need) or the architecture is no forecaster.
    """
    row, _ = catalog.preset(architecture, preset)
    if row.task != "forecast":
        raise ValueError(f"{architecture} is taught for the task {row.task!r}, not for forecasts")
    settings = settings or (defaults if start is None else going_on)(architecture, preset)
    some: list[Any] = list(cubes) if isinstance(cubes, list | tuple) else [cubes]
    return forecast_recipes.train(architecture, preset, some, settings, report, checkpoint, start, **options)
