"""How the radar-series networks are taught: a season of scenes in, the map of its end out (Maslov et al.)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from workers.imagery.rasters import MissingBands
from workers.learning import catalog, mapping_recipes, metrics
from workers.learning.augment import strong
from workers.learning.samples import TruthWindows, manifest_of, offers
from workers.learning.trained import Trained, plain
from workers.learning.training import Report, TrainSettings, fit, no_report
from workers.learning.weights import Recipe
from workers.segmentation import features
from workers.segmentation.radar_series import nearest_to_end, segment_series, series

if TYPE_CHECKING:
    from workers.imagery.rasters import Stack

BANDS = ("co_pol_db", "coherence")
DUAL = ("co_pol_db", "cross_pol_db")
"""Where no coherence was delivered (ordinary catalogues have none) and every acquisition has both polarisations."""
LIMITS = {"co_pol_db": (-30.0, 5.0), "cross_pol_db": (-30.0, 5.0), "coherence": (0.0, 1.0)}
"""What becomes 0 and 1: dB and coherence."""
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
        """The scene that stands for the season: the one nearest the end of the melt, with its date."""
        moments = [stack.acquired for stack in self.stacks if stack.acquired]
        return self.stacks[nearest_to_end(moments, self.latitude, self.year)] if moments else self.stacks[-1]


def settings_of(preset: str) -> TrainSettings:
    """Those of the mapping networks; 150 epochs as published, or few for a CPU."""
    return SMALL if preset == "small" else mapping_recipes.STRONG


def bands_of(samples: Sequence[SeriesSample]) -> tuple[str, str]:
    """Backscatter with coherence where every acquisition has it, else both polarisations.

    Raises MissingBands naming an acquisition that has neither.
    """
    stacks = [stack for sample in samples for stack in sample.stacks]
    for names in (BANDS, DUAL):
        if all(offers(stack, name) for stack in stacks for name in names):
            return names
    poor = next(stack for stack in stacks if not all(offers(stack, name) for name in BANDS))
    raise MissingBands(
        f"A radar series needs co_pol and coherence, or co_pol and cross_pol, in every acquisition; that of "
        f"{poor.acquired:%Y-%m-%d} has {', '.join(poor.bands)}. Deliver what is missing, or leave its year out.")


def normalisation_of(names: Sequence[str]) -> dict[str, Any]:
    """The fixed limits of radar features."""
    low, high = zip(*(LIMITS[name] for name in names), strict=True)
    return {"kind": "dataset_minmax", "low": list(low), "high": list(high)}


def train_series(architecture: str, preset: str, samples: Sequence[SeriesSample],
                 settings: TrainSettings | None = None, report: Report = no_report, checkpoint: Path | None = None,
                 acquisitions: int | None = None) -> Trained:
    """Teach "sar-3d" or "sar-convlstm" on seasons of `acquisitions` scenes (1, 3, 5 or 15; default the preset's).

    Metrics are of held-out groups, with `baselines` judged on the same. Raises MissingBands, TooFewScenes and
    ValueError by name.
    """
    row, config = catalog.preset(architecture, preset)
    if row.task != "sar":
        raise ValueError(f"{architecture} is taught for the task {row.task!r}, not for radar series")
    settings, names = settings or settings_of(preset), bands_of(samples)
    config = replace(config, acquisitions=acquisitions or config.acquisitions)
    sets = mapping_recipes.divided(samples, settings.seed)
    torch.manual_seed(settings.seed)
    network = row.build(config)
    manifest = manifest_of((f"{s.group}|{stack.acquired}", stack.pixels) for s in samples for stack in s.stacks)
    recipe = Recipe(architecture, preset, asdict(config), names, normalisation_of(names), task="sar")
    training, validation = (_windows(sets[name], recipe, config, augment)
                            for name, augment in (("train", strong()), ("validation", None)))
    network, history = fit(network, training, None, mapping_recipes.loss_of("focal"), settings,
                           mapping_recipes.until(0.9, report), checkpoint, manifest,
                           validate=lambda network: 1 - mapping_recipes.iou(network, validation, settings.batch))

    def predict(sample: SeriesSample, learned: Any) -> np.ndarray:
        return segment_series(sample.stacks, learned, sample.latitude, sample.year)

    trained = mapping_recipes.judged(network, recipe, sets, settings, history, validation, manifest, predict)
    trained.metrics["baselines"] = plain(baselines(sets, names, config.acquisitions))
    return trained


def baselines(sets: Mapping[str, Sequence[SeriesSample]], names: Sequence[str], acquisitions: int) -> dict[str, Any]:
    """Pooled accuracy on the test seasons of two maps that need no network: one cut through the seasonal mean of the
    second band, chosen on the training seasons; and the mask of the training season nearest in time, copied."""
    def second_band(sample: SeriesSample) -> np.ndarray:
        return series(sample.stacks, names, acquisitions, sample.latitude, sample.year)[:, 1].mean(axis=0)

    cut, sign = _best_cut([(second_band(sample), sample.truth) for sample in sets["train"]])
    by_cut, copied = metrics.NOTHING, metrics.NOTHING
    for sample in sets["test"]:
        mean = second_band(sample)
        by_cut += metrics.confusion(np.where(np.isfinite(mean), sign * mean >= sign * cut, np.nan), sample.truth)
        if there := [one for one in sets["train"] if one.stack.grid.same_as(sample.stack.grid)]:
            nearest = min(there, key=lambda one: abs(one.year - sample.year))
            copied += metrics.confusion(np.asarray(nearest.truth, np.float32), sample.truth)
    return {f"one cut of mean {names[1].replace('_', ' ')}": by_cut.to_dict(),
            "mask of the nearest training year": copied.to_dict()}


def _best_cut(pairs: Sequence[tuple[np.ndarray, np.ndarray]], steps: int = 64) -> tuple[float, int]:
    """Cut and sign (+1: ice above it) of a layer with the best pooled IoU."""
    layer = np.concatenate([np.ravel(one) for one, _ in pairs])
    truth = np.concatenate([np.ravel(np.asarray(one, np.float32)) for _, one in pairs])
    cuts = np.nanquantile(layer, np.linspace(0.02, 0.98, steps)) if np.isfinite(layer).any() else np.zeros(1)
    tried = [(metrics.confusion(np.where(np.isfinite(layer), sign * layer >= sign * cut, np.nan), truth).iou, cut, sign)
             for cut in cuts for sign in (1, -1)]
    _, cut, sign = max(tried, key=lambda one: -1.0 if np.isnan(one[0]) else one[0])
    return float(cut), sign


def _windows(samples: Sequence[SeriesSample], recipe: Recipe, config, augment) -> TruthWindows:
    images = []
    for sample in samples:
        values = series(sample.stacks, recipe.bands, config.acquisitions, sample.latitude, sample.year)  # (T, C, H, W)
        known = features.limits(list(np.moveaxis(values, 1, 0)), recipe.bands, recipe.normalisation)
        images.append(np.stack([known.apply(one) for one in values], axis=1))                            # (C, T, H, W)
    return TruthWindows(images, [sample.truth for sample in samples], config.patch, augment)
