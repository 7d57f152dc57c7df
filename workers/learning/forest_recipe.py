"""How the random forest is taught and honestly judged: every number on its card is from pixels it never saw."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from workers.imagery.bands import CANONICAL
from workers.learning import mapping_report
from workers.learning.catalog import preset as of_catalog
from workers.learning.samples import SegmentSample, folds, offers, segment_manifest
from workers.learning.trained import Trained
from workers.learning.training import History, Report, no_report
from workers.learning.weights import Learned, Recipe
from workers.segmentation import features
from workers.segmentation.random_forest import Config, PixelForest, fit
from workers.segmentation.segment import segment_stack

ADDED = {"elevation": ("elevation", "slope"), "radar": ("co_pol_db", "cross_pol_db", "coherence")}
"""Layers beside the optical bands, used when every stack has them; how much each kind helps is always told."""
OPTIONAL = tuple(layer for layers in ADDED.values() for layer in layers)
HELD_OUT_TREES = 50
"""At most so many trees in the forests that only serve the measuring; a smaller forest is judged a little worse."""
PIXELS_A_SAMPLE = 20
"""A sample offers at most this many times its share of the training pixels: bounds the memory."""


def forest_bands(samples: Sequence[SegmentSample]) -> tuple[str, ...]:
    """Six bands, NDSI, and whatever optional layer all stacks have."""
    return (*CANONICAL, "ndsi", *(name for name in OPTIONAL if all(offers(sample.stack, name) for sample in samples)))


def train_forest(preset: str, samples: Sequence[SegmentSample], seed: int, report: Report,
                 bands: Sequence[str] | None = None, held_out: bool = True) -> Trained:
    """Grow a forest on all samples; measure it by forests that left one group (or a fifth of the groups) out.

    Returns Trained with metrics of the held-out pixels: pooled, per group, per glacier, relative area errors, s_m, and
    under "feature_sets" the pooled ones of forests that were shown less: optical bands, then elevation, then radar.
    Raises ValueError when there are no samples or only one class, MissingBands by name.
    """
    samples = list(samples)
    if not samples:
        raise ValueError("a forest needs at least one stack with truth")
    names = tuple(bands or forest_bands(samples))
    config = replace(of_catalog("random-forest", preset)[1], channels=len(names), seed=seed)
    began = time.monotonic()
    table = _Pixels.of(samples, names, config)
    forest = fit(table.pixels, table.truth, table.sample, config)
    report(0.3, f"grown {config.trees} trees on {min(len(table.truth), config.max_pixels):,} pixels")
    recipe = Recipe("random-forest", preset, vars(config), names, trained={"seed": seed})
    metrics = _held_out(samples, table, config, recipe, report) if held_out else {}
    if "pooled" in metrics:
        metrics["feature_sets"] = _by_feature_set(samples, table, config, recipe, metrics["pooled"])
    metrics["seconds"] = round(time.monotonic() - began, 1)
    trained = {"settings": {"seed": seed}, "manifest": segment_manifest(samples), "seed": seed, "metrics": metrics}
    return Trained(Learned(forest, replace(recipe, trained=trained)), metrics, History())


class _Pixels:
    """Labelled pixels of all samples with the sample each came from."""

    def __init__(self, pixels: np.ndarray, truth: np.ndarray, sample: np.ndarray) -> None:
        self.pixels, self.truth, self.sample = pixels, truth, sample

    @classmethod
    def of(cls, samples: Sequence[SegmentSample], names: Sequence[str], config: Config) -> _Pixels:
        most = max(2_000, PIXELS_A_SAMPLE * config.max_pixels // len(samples))
        parts = [cls._some(s, names, most, config.seed + k) for k, s in enumerate(samples)]
        origin = np.repeat(np.arange(len(parts)), [len(truth) for _, truth in parts])
        return cls(np.concatenate([p for p, _ in parts]), np.concatenate([t for _, t in parts]), origin)

    @staticmethod
    def _some(sample: SegmentSample, names: Sequence[str], most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        pixels = np.moveaxis(features.features(sample.stack, names), 0, -1).reshape(-1, len(names))
        truth = np.asarray(sample.truth, np.float32).ravel()
        usable = np.flatnonzero(np.isfinite(truth) & np.isfinite(pixels).all(1))
        if len(usable) > most:
            usable = np.random.default_rng(seed).choice(usable, most, replace=False)
        return pixels[usable], truth[usable]

    def only(self, columns: Sequence[int]) -> _Pixels:
        return _Pixels(self.pixels[:, list(columns)], self.truth, self.sample)

    def without(self, left_out: set[int]) -> _Pixels:
        kept = ~np.isin(self.sample, list(left_out))
        return _Pixels(self.pixels[kept], self.truth[kept], self.sample[kept])


def _held_out(samples: Sequence[SegmentSample], table: _Pixels, config: Config, recipe: Recipe,
              report: Report) -> dict[str, Any]:
    """Predict every sample by a forest that saw nothing of its group; report what that gives."""
    parts = folds(sample.group for sample in samples)
    if len(parts) < 2:
        return {"held_out": "none: all samples belong to one group"}
    smaller = replace(config, trees=min(config.trees, HELD_OUT_TREES))
    found: list[mapping_report.Judged] = []
    for number, groups in enumerate(parts):
        tested = {k for k, sample in enumerate(samples) if sample.group in groups}
        forest = _grown(table.without(tested), smaller)
        if forest is None:
            continue
        learned: Any = Learned(forest, recipe)
        found += [mapping_report.judge(segment_stack(samples[k].stack, learned), samples[k]) for k in sorted(tested)]
        report(0.3 + 0.7 * (number + 1) / len(parts), f"measured on held-out part {number + 1} of {len(parts)}")
    return mapping_report.report(found) | {"held_out": f"{len(parts)} parts, whole groups", "trees": smaller.trees}


def feature_sets(bands: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The optical bands, then with elevation, then with radar as well, as far as there are such layers: by name."""
    name, found = "optical", {"optical": tuple(band for band in bands if band not in OPTIONAL)}
    for kind, layers in ADDED.items():
        if set(layers) & set(bands):
            wider = tuple(band for band in bands if band in found[name] or band in layers)
            name = f"{name}, {kind}"
            found[name] = wider
    return found


def _by_feature_set(samples: Sequence[SegmentSample], table: _Pixels, config: Config, recipe: Recipe,
                    pooled: dict[str, Any]) -> dict[str, Any]:
    """Pooled metrics by what the forest is shown, each judged on the same held-out parts; `pooled` are those of all."""
    found: dict[str, Any] = {}
    for name, bands in feature_sets(recipe.bands).items():
        if bands == recipe.bands:
            found[name] = pooled
        else:
            part = table.only([recipe.bands.index(band) for band in bands])
            shown = replace(config, channels=len(bands))
            found[name] = _held_out(samples, part, shown, replace(recipe, bands=bands), no_report)["pooled"]
    return found


def _grown(table: _Pixels, config: Config) -> PixelForest | None:
    """A forest, or None where the part that is left has one class only."""
    return fit(table.pixels, table.truth, table.sample, config) if len(np.unique(table.truth)) == 2 else None
