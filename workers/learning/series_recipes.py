"""How the radar-series networks are taught: a season of scenes in, the map of its end out (Maslov et al.)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from workers.learning import catalog, mapping_recipes
from workers.learning.augment import strong
from workers.learning.samples import TruthWindows, manifest_of
from workers.learning.trained import Trained
from workers.learning.training import Report, TrainSettings, fit, no_report
from workers.learning.weights import Recipe
from workers.segmentation import features
from workers.segmentation.radar_series import segment_series, series

if TYPE_CHECKING:
    from workers.imagery.rasters import Stack

BANDS = ("co_pol_db", "coherence")
NORMALISATION = {"kind": "dataset_minmax", "low": [-30.0, 0.0], "high": [5.0, 1.0]}
"""dB and coherence."""
SMALL = replace(mapping_recipes.SMALL_STRONG, batch=4)


@dataclass(frozen=True)
class SeriesSample:
    """The radar scenes of a season with the glacier mask at its end."""

    stacks: Sequence[Stack]
    """In linear power ("co_pol") with "coherence", on one grid, each with its date."""
    truth: np.ndarray
    """(H, W) bool, or float with NaN where there is no label."""
    group: str
    latitude: float
    year: int
    domains: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def stack(self) -> Stack:
        """The scene that stands for the season: the last one."""
        return self.stacks[-1]


def settings_of(preset: str) -> TrainSettings:
    """Those of the mapping networks; 150 epochs as published, or few for a CPU."""
    return SMALL if preset == "small" else mapping_recipes.STRONG


def train_series(architecture: str, preset: str, samples: Sequence[SeriesSample],
                 settings: TrainSettings | None = None, report: Report = no_report, checkpoint: Path | None = None,
                 acquisitions: int | None = None) -> Trained:
    """Teach "sar-3d" or "sar-convlstm" on seasons of `acquisitions` scenes (1, 3, 5 or 15; default the preset's).

    Raises MissingBands, TooFewScenes and ValueError by name.
    """
    row, config = catalog.preset(architecture, preset)
    if row.task != "sar":
        raise ValueError(f"{architecture} is taught for the task {row.task!r}, not for radar series")
    settings = settings or settings_of(preset)
    config = replace(config, acquisitions=acquisitions or config.acquisitions)
    sets = mapping_recipes.divided(samples, settings.seed)
    torch.manual_seed(settings.seed)
    network = row.build(config)
    manifest = manifest_of((f"{s.group}|{stack.acquired}", stack.pixels) for s in samples for stack in s.stacks)
    recipe = Recipe(architecture, preset, asdict(config), BANDS, NORMALISATION, task="sar")
    training, validation = (_windows(sets[name], config, augment)
                            for name, augment in (("train", strong()), ("validation", None)))
    network, history = fit(network, training, None, mapping_recipes.loss_of("focal"), settings,
                           mapping_recipes.until(0.9, report), checkpoint, manifest,
                           validate=lambda network: 1 - mapping_recipes.iou(network, validation, settings.batch))

    def predict(sample: SeriesSample, learned: Any) -> np.ndarray:
        return segment_series(sample.stacks, learned, sample.latitude, sample.year)

    return mapping_recipes.judged(network, recipe, sets, settings, history, validation, manifest, predict)


def _windows(samples: Sequence[SeriesSample], config, augment) -> TruthWindows:
    images = []
    for sample in samples:
        values = series(sample.stacks, BANDS, config.acquisitions, sample.latitude, sample.year)   # (T, C, H, W)
        known = features.limits(list(np.moveaxis(values, 1, 0)), BANDS, NORMALISATION)
        images.append(np.stack([known.apply(one) for one in values], axis=1))                      # (C, T, H, W)
    return TruthWindows(images, [sample.truth for sample in samples], config.patch, augment)
