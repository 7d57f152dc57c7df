"""How stochastic video generation with a learned prior is taught on chips of a moving surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workers.learning import catalog, memory, video_report
from workers.learning.mapping_recipes import until
from workers.learning.samples import manifest_of
from workers.learning.trained import Trained, plain
from workers.learning.training import Batch, Report, TrainSettings, fit, no_report
from workers.learning.weights import Learned, Recipe
from workers.motion import video

PAPER = TrainSettings(epochs=100, batch=100, lr=2e-3, optimiser="adam", clip_value=None, patience=None)
SMALL = replace(PAPER, epochs=10, batch=8, epoch_steps=30)
VALIDATION_SHARE = 0.1


class Sequences:
    """Chips (N, T, H, W) in 0..1; a batch is one tensor (B, T, H, W)."""

    def __init__(self, chips: np.ndarray) -> None:
        self.chips = chips

    def __len__(self) -> int:
        return len(self.chips)

    def batch(self, indices: np.ndarray, rng: np.random.Generator | None) -> tuple[Tensor]:
        return (torch.from_numpy(np.ascontiguousarray(self.chips[indices], dtype=np.float32)),)


def settings_of(preset: str) -> TrainSettings:
    """Adam, 2e-3, batch 100 as published; batch 8 and few steps for a CPU."""
    return SMALL if preset == "small" else PAPER


def loss(network: nn.Module, batch: Batch, teacher_forcing: float = 0.0) -> Tensor:
    """Reconstruction with the weighted peak and the divergence of posterior and prior, as `motion.video` defines it."""
    (frames,) = batch
    config: Any = network.config  # also of a compiled network, which passes the question on
    return video.loss(network(frames), frames, config)


def train_video(preset: str, chips: np.ndarray, settings: TrainSettings | None = None, report: Report = no_report,
                checkpoint: Path | None = None, test: np.ndarray | None = None, terrain: Sequence[str] | None = None,
                **options: float) -> Trained:
    """Teach SVG-LP on chips (N, T, size, size) in 0..1 without NaN; the last tenth validates.

    test: sequences of later frames, NaN where hidden, that judge it beside the baselines (`video_report`), with the
    terrain of each.
    options: beta, peak and other fields of `video.Config`. Raises ValueError on another shape or missing values.
    """
    row, config = catalog.preset("svg-lp", preset)
    config = replace(config, **options)
    settings = settings or settings_of(preset)
    expected = (config.frames, config.size, config.size)
    if test is not None and (test.shape[1:] != expected or not len(test)):
        raise ValueError(f"svg-lp is judged on sequences of {expected} (frames, rows, columns); got {test.shape}")
    if chips.ndim != 4 or chips.shape[1:] != expected or len(chips) < 2:
        raise ValueError(f"svg-lp is taught on at least 2 sequences of {expected} (frames, rows, columns); "
                         f"got {chips.shape}")
    if not np.isfinite(chips).all():
        raise ValueError("svg-lp is taught on sequences without missing values; leave out chips that have some")
    held = max(1, round(VALIDATION_SHARE * len(chips)))
    torch.manual_seed(settings.seed)
    manifest = manifest_of([("chips", chips)])
    network = memory.built(row.build, config)
    network, history = fit(network, Sequences(chips[:-held]), Sequences(chips[-held:]), loss, settings,
                           until(0.8, report), checkpoint, manifest)
    report(0.8, "judging what it predicts beside the baselines")
    judged = {} if test is None else video_report.judge(network.eval(), test, terrain, settings.seed)
    metrics = {**plain({"validation_loss": history.best, "sequences": len(chips) - held}), **judged}
    trained = {"settings": settings.to_dict(), "manifest": manifest, "seed": settings.seed, "metrics": metrics}
    recipe = Recipe("svg-lp", preset, asdict(config), ("chip",), task="video", trained=trained)
    return Trained(Learned(network, recipe), metrics, history)
