"""How the mapping networks are taught: inputs by name, normalisation, augmentation, loss and settings.

Fusion U-Net, SETR, GlaViTU: focal loss, Adam, cosine with warm restarts from 5e-4, 150 epochs (Maslov et al. 2023).
ResNet-50 U-Net: cross-entropy, Adam, weight decay 1e-5, flips and blur (Waismann et al.); their rate of 1e-5 is for an
encoder with published weights, from scratch it is 1e-3 with a cosine decay.

Small presets are taught for a minute of one CPU core and depart from that where so few steps need it: a higher rate
after a warm-up, cross-entropy (the focal loss with smoothed labels pays little for a pixel that is half right, and 260
steps do not make up for it), limits that clouds do not stretch, and flips alone as augmentation. Their weights say so
under "teaching".
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workers.imagery.bands import CANONICAL
from workers.learning import catalog, fine_tuning, losses, mapping_report, memory, metrics
from workers.learning.augment import Augment, light, mirrored, strong
from workers.learning.samples import SegmentSample, TruthWindows, offers, segment_manifest, split_groups
from workers.learning.trained import Trained, plain
from workers.learning.training import Batch, Report, TrainSettings, fit
from workers.learning.weights import Learned, Recipe
from workers.segmentation import calibrate, features, resnet_unet
from workers.segmentation.segment import glacier_probability, segment_stack

SOURCES = {
    "optical": CANONICAL,
    "dem": ("elevation", "slope"),
    "sar": ("co_pol_db", "coherence"),
    "dual_sar": ("co_pol_db", "cross_pol_db"),
    "thermal": ("thermal",),
}
"""The inputs of the fusion networks, one stem each. Thermal is used when it is asked for."""
BY_DEFAULT = ("optical", "dem", "sar")

STRONG = TrainSettings(epochs=150, batch=8, lr=5e-4, optimiser="adam", schedule="warm-restarts", clip_value=None,
                       patience=None)
RESNET = TrainSettings(epochs=60, batch=32, lr=1e-3, weight_decay=1e-5, optimiser="adam", schedule="cosine",
                       clip_value=None, patience=None)
PRETRAINED = replace(RESNET, lr=1e-5, schedule="constant")
"""As published, for an encoder that starts from ImageNet."""
SMALL_STRONG = replace(STRONG, epochs=10, schedule="cosine", epoch_steps=26)
"""260 steps at the published first rate: what the radar networks learn with."""
SMALL_FUSION = replace(SMALL_STRONG, lr=3e-3, warmup_steps=20)
SMALL = {
    "fusion-unet": SMALL_FUSION,
    "resunet": SMALL_FUSION,
    "resnet50-unet": replace(RESNET, epochs=10, batch=8, lr=3e-3, epoch_steps=26, warmup_steps=20),
}


@dataclass(frozen=True)
class Teaching:
    """What settings of the training loop do not say."""

    loss: str = "focal"
    """"focal" or "cross-entropy"."""
    augmentation: str = "strong"
    """"strong", "light" or "flips"."""
    limits_percent: tuple[float, float] = (0, 100)
    """Percentiles of the training pixels that become 0 and 1, where limits are those of the training set."""
    best_by: str = "iou"
    """What the kept weights are best at in the validation windows: glacier "iou", or the "loss"."""


RESNET_TEACHING = Teaching("cross-entropy", "light", best_by="loss")
SMALL_TEACHING = Teaching("cross-entropy", "flips", (1, 99))
SMALL_WINDOW = {"fusion-unet": 64, "resunet": 64, "resnet50-unet": 64}
"""Side (px) of the training windows of a small preset, where the network takes any size: a quarter of the work."""
FINE = replace(STRONG, epochs=80, lr=5e-5, schedule="cosine")
"""Fine-tuning on one region from global weights, as published: a tenth of the first rate, down to 0."""


def settings_of(architecture: str, preset: str) -> TrainSettings:
    """The published settings, or those for a CPU."""
    if preset == "small":
        return SMALL.get(architecture, SMALL_STRONG)
    published = RESNET if architecture == "resnet50-unet" else STRONG
    return replace(published, channels_last=True)  # how the tensor cores of a GPU read images


def fine_settings_of(architecture: str, preset: str) -> TrainSettings:
    """Settings for going on from trained weights: the published ones; small presets and the ResNet-50 U-Net, for which
    none are published, take a tenth (a hundredth, as with a pretrained encoder) of their own rate."""
    if preset != "small":
        return replace(RESNET, lr=PRETRAINED.lr) if architecture == "resnet50-unet" else FINE
    usual = settings_of(architecture, preset)
    return replace(usual, lr=usual.lr / 10, schedule="cosine", warmup_steps=0)


def teaching_of(architecture: str, preset: str) -> Teaching:
    """The published way, or the shorter one of a small fusion network."""
    if architecture == "resnet50-unet":
        return RESNET_TEACHING
    return SMALL_TEACHING if preset == "small" else Teaching()


def inputs_of(architecture: str, config: Any, samples: Sequence[SegmentSample],
              bands: Sequence[str] | None = None) -> tuple[tuple[str, ...], Any]:
    """(bands, config made for them), from what every sample offers.

    bands: asked for by name; raises MissingBands later where a sample lacks one.
    """
    offered = [name for name in _every_band() if all(offers(sample.stack, name) for sample in samples)]
    if architecture == "resnet50-unet":
        names = tuple(bands or (name for name in resnet_unet.BANDS if name in offered))
        return names, replace(config, channels=len(names))
    wanted = tuple(bands or offered)
    kinds = [kind for kind in SOURCES if (bands or kind in BY_DEFAULT) and set(SOURCES[kind]) <= set(wanted)]
    if "sar" in kinds and "dual_sar" in kinds:
        kinds.remove("dual_sar")
    names = tuple(name for kind in kinds for name in SOURCES[kind])
    if not names:
        raise ValueError(f"{architecture} needs at least the bands {', '.join(CANONICAL)}; every sample offers "
                         f"{', '.join(offered) or 'none'}")
    config = replace(config, sources=tuple(len(SOURCES[kind]) for kind in kinds))
    return names, config


def normalisation_of(architecture: str, names: Sequence[str], samples: Sequence[SegmentSample],
                     percent: tuple[float, float] = (0, 100)) -> dict[str, Any]:
    """Per-image for the ResNet-50 U-Net, else limits from the *training* samples.

    percent: between which percentiles of all their pixels; (0, 100) are the smallest and the largest value.
    """
    if architecture == "resnet50-unet":
        return {"kind": "image_minmax"}
    planes = [features.layers(sample.stack, names) for sample in samples]
    pooled = (np.concatenate([band.ravel() for band in bands]) for bands in zip(*planes, strict=True))
    low, high = np.transpose([np.nanpercentile(band.astype(np.float64), percent) for band in pooled])
    return {"kind": "dataset_minmax", "low": low.tolist(), "high": high.tolist()}


def train(architecture: str, preset: str, samples: Sequence[SegmentSample], settings: TrainSettings, report: Report,
          checkpoint: Path | None, bands: Sequence[str] | None = None, start: Learned | None = None,
          others: Mapping[str, Sequence[SegmentSample]] | None = None, encoder: Path | None = None,
          test_groups: Collection[str] | None = None) -> Trained:
    """Teach a mapping network; whole groups are held out 60/20/20, or those of `test_groups`.

    start: fine-tune these weights instead; the card then says what that did to the test groups and to the samples of
    `others`, region by region. encoder: ImageNet weights for the encoder of the ResNet-50 U-Net.
    """
    if not samples:
        raise ValueError("a mapping network needs at least one stack with truth")
    sets, manifest = divided(samples, settings.seed, test_groups), segment_manifest(samples)
    if start is None:
        network, recipe = _fresh(architecture, preset, samples, sets["train"], settings.seed, bands)
    else:
        fine_tuning.require_fit(start, architecture, preset)
        network, recipe = copy.deepcopy(start.network), replace(start.recipe, options={}, trained={})
    if encoder is not None:
        fine_tuning.load_encoder(network, encoder)
    recipe = replace(recipe, trained={"teaching": asdict(teaching_of(architecture, preset)),
                                      "started_from": start.sha256 if start else None})  # fmt: skip
    network, history, validation = taught(network, recipe, sets, settings, report, checkpoint, manifest)
    trained = judged(network, recipe, sets, settings, history, validation, manifest)
    if start is not None:
        regions = {"this region": sets["test"], **(others or {})}
        trained.metrics["fine_tuning"] = fine_tuning.before_and_after(start, trained.learned, regions)
    return trained


def _fresh(architecture: str, preset: str, samples: Sequence[SegmentSample], teaching: Sequence[SegmentSample],
           seed: int, bands: Sequence[str] | None) -> tuple[nn.Module, Recipe]:
    """A new network for the inputs that all samples offer; limits of normalisation are those of `teaching`."""
    row, config = catalog.preset(architecture, preset)
    names, config = inputs_of(architecture, config, samples, bands)
    torch.manual_seed(seed)
    network = memory.built(row.build, config)
    percent = teaching_of(architecture, preset).limits_percent
    normalisation = normalisation_of(architecture, names, teaching, percent)
    return network, Recipe(architecture, preset, asdict(config), names, normalisation)


def taught(network: nn.Module, recipe: Recipe, sets: dict[str, list[SegmentSample]], settings: TrainSettings,
           report: Report, checkpoint: Path | None, manifest: str) -> tuple[nn.Module, Any, TruthWindows]:
    """Run the training loop on windows; returns the network, its history and the validation windows."""
    side = int(recipe.config["patch"])
    if recipe.preset == "small":
        side = SMALL_WINDOW.get(recipe.architecture, side)

    def windows(some: Sequence[SegmentSample], augment: Augment | None) -> TruthWindows:
        images = [features.network_input(s.stack, recipe.bands, recipe.normalisation) for s in some]
        return TruthWindows(images, [s.truth for s in some], side, augment)

    teaching = teaching_of(recipe.architecture, recipe.preset)
    augment = {"strong": strong(_groups(network)), "light": light, "flips": mirrored}[teaching.augmentation]
    training, validation = windows(sets["train"], augment), windows(sets["validation"], None)
    by_loss = teaching.best_by == "loss"
    network, history = fit(network, training, validation if by_loss else None, loss_of(teaching.loss), settings,
                           until(0.9, report), checkpoint, manifest,
                           validate=None if by_loss else lambda network: 1 - iou(network, validation, settings.batch))
    return network, history, validation


def loss_of(kind: str) -> Callable[..., Tensor]:
    """"focal" or "cross-entropy", of both heads where a network has an auxiliary one."""
    function = {"focal": losses.focal, "cross-entropy": losses.cross_entropy}[kind]

    def loss(network: nn.Module, batch: Batch, teacher_forcing: float = 0.0) -> Tensor:
        images, truth = batch
        return losses.of_heads(network(images), truth, function)

    return loss


@torch.no_grad()
def predictions(network: nn.Module, windows: TruthWindows, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Probability and truth (N, p, p) of all windows of the lattice, where both are known."""
    device = next(network.parameters()).device
    said, true = [], []
    for begin in range(0, len(windows), batch):
        images, truth = windows.batch(np.arange(begin, min(begin + batch, len(windows))), None)
        said.append(glacier_probability(network, images.to(device)).cpu().numpy())
        true.append(truth.numpy())
    return np.concatenate(said), np.concatenate(true)


def iou(network: nn.Module, windows: TruthWindows, batch: int) -> float:
    """Pooled glacier IoU; 0 where neither truth nor prediction has a glacier (nothing to be best at)."""
    probability, truth = predictions(network, windows, batch)
    value = metrics.confusion(probability, truth).iou
    return 0.0 if np.isnan(value) else value


def judged(network: nn.Module, recipe: Recipe, sets: dict[str, list[SegmentSample]], settings: TrainSettings,
           history: Any, validation: TruthWindows, manifest: str,
           predict: Callable[[Any, Any], np.ndarray] | None = None) -> Trained:
    """Temperature from the validation windows; then the card from the test groups."""
    probability, truth = predictions(network, validation, settings.batch)
    temperature = calibrate.fit_temperature(probability, truth)
    calibrated = calibrate.tempered(probability, temperature)
    before, after = (calibrate.reliability(p, truth) for p in (probability, calibrated))
    recipe = replace(recipe, options={**recipe.options, "temperature": temperature})
    learned: Any = Learned(network, recipe)
    predict = predict or (lambda sample, learned: segment_stack(sample.stack, learned))
    held = mapping_report.report([mapping_report.judge(predict(sample, learned), sample) for sample in sets["test"]])
    counts = {name: len(some) for name, some in sets.items()}
    card = plain({**held, "held_out": "whole groups", "samples_by_set": counts,
                  "test_groups": sorted({sample.group for sample in sets["test"]}), "temperature": temperature,
                  "validation_iou": metrics.confusion(probability, truth).iou,
                  "reliability": {"before": before.to_dict(), "after": after.to_dict()}})
    trained = {**recipe.trained, "settings": settings.to_dict(), "manifest": manifest, "seed": settings.seed,
               "metrics": card}
    return Trained(Learned(network, replace(recipe, trained=trained)), card, history)


def divided(samples: Sequence[Any], seed: int, test_groups: Collection[str] | None = None) -> dict[str, list[Any]]:
    """Samples by set, whole groups together. With one or two groups a set is missing: then the next one before it
    stands in (validation for test, train for validation), which the counts on the card show.

    test_groups: what is tested on instead of the fifth that a hash chooses; the others teach and validate. Raises
    ValueError unless they leave samples on both sides.
    """
    held = [s for s in samples if test_groups is not None and s.group in test_groups]
    rest = [s for s in samples if test_groups is None or s.group not in test_groups]
    if test_groups is not None and not (held and rest):
        there = ", ".join(sorted({s.group for s in samples}))
        raise ValueError(f"of the groups {there} some must be tested on and some must teach; asked to test on "
                         f"{', '.join(sorted(test_groups)) or 'none'}")
    of = split_groups((sample.group for sample in rest), seed)
    sets = {name: [s for s in rest if of[s.group] == name] for name in ("train", "validation", "test")}
    if held:
        sets = {"train": sets["train"] + sets["test"], "validation": sets["validation"], "test": held}
    sets["validation"] = sets["validation"] or sets["train"]
    sets["test"] = sets["test"] or sets["validation"]
    return sets


def until(share: float, report: Report) -> Report:
    """The report of a part of the work, as part of the whole."""
    return lambda fraction, step, **curves: report(share * fraction, step, **curves)


def _groups(network: nn.Module) -> list[list[int]] | None:
    """Channels that are occluded together: those of one source, where a network has sources."""
    config: Any = network.config
    sizes = getattr(config, "sources", None)
    if sizes is None:
        return None
    return [list(range(a, b)) for a, b in pairwise([0, *accumulate(sizes)])]


def _every_band() -> tuple[str, ...]:
    return tuple(dict.fromkeys([*resnet_unet.BANDS, *(name for names in SOURCES.values() for name in names)]))
