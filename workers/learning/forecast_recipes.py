"""How each forecaster is taught: samples, loss and settings; judged by hindcast, or by spatial transfer."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from workers.forecasting import rollout
from workers.forecasting.transfer import score_transfer, split_columns
from workers.imagery.splits import purged_split
from workers.imagery.windows import origins
from workers.learning import catalog, losses, memory
from workers.learning.fine_tuning import require_fit
from workers.learning.samples import ForecastWindows, Place, manifest_of
from workers.learning.trained import Trained, plain
from workers.learning.training import Batch, Report, TrainSettings, fit
from workers.learning.weights import Learned, Recipe

if TYPE_CHECKING:
    from workers.imagery.cubes import Cube

PAPER = {
    "lstm": TrainSettings(epochs=40, lr=1e-4, weight_decay=1e-3, validate_every=100, teacher_forcing="falling"),
    "unet": TrainSettings(epochs=20, lr=1e-3, weight_decay=1e-2, validate_every=100, teacher_forcing="falling"),
    "sa-lstm-h": TrainSettings(epochs=40, lr=1e-4, weight_decay=1e-3, validate_every=100, teacher_forcing="falling"),
    "conv-lstm": TrainSettings(epochs=35, lr=1e-4, weight_decay=1e-3, validate_every=100, teacher_forcing="falling"),
    "default-forecaster": TrainSettings(epochs=40, batch=32, lr=1e-3, weight_decay=1e-3, schedule="cosine"),
}
SMALL = {
    "lstm": replace(PAPER["lstm"], lr=5e-4, batch=32, epoch_steps=15),
    "unet": replace(PAPER["unet"], batch=32, epoch_steps=15),
    "sa-lstm-h": replace(PAPER["sa-lstm-h"], lr=5e-4, batch=32, epoch_steps=8),
    "conv-lstm": replace(PAPER["conv-lstm"], lr=2e-3, batch=32, epoch_steps=9),
    "default-forecaster": replace(PAPER["default-forecaster"], lr=3e-3, warmup_steps=20, batch=16, epoch_steps=3,
                                  validate_every=20),
}
"""On a CPU in minutes (the published batch of 100 and rate of 1e-4 need a GPU's patience). At 1e-3 the default
forecaster depended on its seed in the few steps of a spatial transfer (0.012 or 0.018 on the Parvati quarters)."""
DEPARTURE = 1 / 3
"""Weight of the default forecaster's departures from climatology in its loss. A few years hold few independent
anomalies, which a network soon knows by heart; this shrinks what it says to three quarters, as a ridge would
(simulated worlds: at worst 1.10 x the error of climatology without, 1.01 x with it; .93 to .95 x with memory)."""
STRIDE = {"paper": 10, "wide": 10, "small": 10}
TEST_SHARE = 0.2
TRANSFER_STEPS = 10
"""Steps of an epoch in a spatial transfer at least: one window of time holds no years to learn by heart."""
VALIDATION_WINDOWS = 256
"""At most so many windows, evenly chosen, are looked at in a validation of a small preset."""


def settings_of(architecture: str, preset: str) -> TrainSettings:
    """The published settings, or those for a CPU."""
    return (SMALL if preset == "small" else PAPER)[architecture]


def loss(network: nn.Module, batch: Batch, teacher_forcing: float = 0.0) -> Tensor:
    """Mean squared error of the unclipped output; `teacher_forcing` is the probability that truth is fed back."""
    frames, climatology, truth = batch
    fed = torch.where(torch.isnan(truth), frames[:, -1:].expand_as(truth), truth) if teacher_forcing > 0 else None
    return losses.mse(network(frames, climatology, fed, teacher_forcing), truth)


def cautious_loss(network: nn.Module, batch: Batch, teacher_forcing: float = 0.0) -> Tensor:
    """Mean squared error, and in training a price on departing from climatology where there is one."""
    frames, climatology, truth = batch
    said = network(frames, climatology)
    usual = climatology[:, -said.shape[1] :]
    return losses.mse(said, truth) + (DEPARTURE * losses.mse(said, usual) if network.training else 0)


def loss_of(architecture: str) -> Callable[..., Tensor]:
    """The default forecaster's is cautious; the published networks have the published one."""
    return cautious_loss if architecture == "default-forecaster" else loss


def fine_settings_of(architecture: str, preset: str) -> TrainSettings:
    """For going on from trained weights on another glacier: a tenth of the rate (none is published)."""
    usual = settings_of(architecture, preset)
    return replace(usual, lr=usual.lr / 10)


def train(architecture: str, preset: str, cubes: Sequence[Cube], settings: TrainSettings, report: Report,
          checkpoint: Path | None, start: Learned | None = None, **options: Any) -> Trained:
    """Purged split: the last fifth of the frames is held out in time, a stripe in space validates.

    start: go on from these weights; the card then holds the hindcast of both, `zero_shot` that of the weights as given.
    """
    network, config = _network(architecture, preset, settings.seed, options) if start is None else \
        _given(start, architecture, preset, options)
    stride = int(options.get("stride", STRIDE[preset]))
    training: list[Place] = []
    validation: list[Place] = []
    keep: list[np.ndarray] = []
    for number, cube in enumerate(cubes):
        taught, looked, frames = _purged_places(number, cube, config, stride)
        training, validation, keep = training + taught, validation + looked, [*keep, frames]
    validation = _some(validation, VALIDATION_WINDOWS) if preset == "small" else validation
    manifest = manifest_of((f"{c.starts[0]}|{c.months}", c.values) for c in cubes)
    network, history = fit(network, ForecastWindows(cubes, training, config, keep),
                           ForecastWindows(cubes, validation, config, keep), loss_of(architecture), settings,
                           _until(0.9, report), checkpoint, manifest)
    report(0.9, "hindcast beside the baselines")
    metrics = _hindcasts(network, config, cubes, settings.seed)
    found = {"kind": "hindcast", "training_windows": len(training), **metrics["record_1"], "records": metrics}
    if start is not None:
        found["zero_shot"] = _hindcasts(start.network, config, cubes, settings.seed)
    return _trained(architecture, preset, config, network, history, found, settings, manifest,
                    {"months": cubes[0].months, "threshold": 0.3})


def train_transfer(architecture: str, preset: str, seen: Cube, target: Cube, settings: TrainSettings | None = None,
                   report: Report = lambda *a, **k: None, checkpoint: Path | None = None, **options: Any) -> Trained:
    """Spatial transfer, for a record with a single window of time: taught on the western columns, scored on the
    eastern fifth, one patch between belongs to neither. Not a forecast: the target year was seen next door.

    seen: the frames read (as many as the network reads, the last ones are taken); target: the frames to say; both
    on one grid. Raises ValueError where the columns are too few, or the frames.
    """
    settings = settings or settings_of(architecture, preset)
    if settings.epoch_steps:
        settings = replace(settings, epoch_steps=max(settings.epoch_steps, TRANSFER_STEPS))
    network, config = _network(architecture, preset, settings.seed, options)
    values, gap = _joined(seen, target, config)
    shape = values.values.shape[1:]
    taught, test = split_columns(shape, config.patch, float(options.get("held_out", TEST_SHARE)))
    places, validation = _transfer_places(taught, config, int(options.get("stride", STRIDE[preset])))
    keep = [np.zeros(len(values.values), bool)]  # no second year of any season: no climatology
    manifest = manifest_of([("seen", seen.values), ("target", target.values)])
    validation = _some(validation, VALIDATION_WINDOWS) if preset == "small" else validation
    network, history = fit(network, ForecastWindows([values], places, config, keep, gap),
                           ForecastWindows([values], validation, config, keep, gap), loss_of(architecture),
                           settings, _until(0.95, report), checkpoint, manifest)
    inputs, truth = values.values[: config.frames], values.values[config.frames + gap :]
    said = rollout.predict_frames(network, inputs)
    found = score_transfer(said, inputs, truth, taught, test, seen.months, gap, settings.seed)
    metrics = {"kind": "spatial transfer", "training_windows": len(places), **found.to_dict()}
    return _trained(architecture, preset, config, network, history, metrics, settings, manifest,
                    {"months": seen.months, "threshold": 0.3, "gap": gap, "spatial_transfer": True})


def _network(architecture: str, preset: str, seed: int, options: dict[str, Any]) -> tuple[nn.Module, Any]:
    """A fresh network, seeded; options that are fields of its Config replace the preset's."""
    row, config = catalog.preset(architecture, preset)
    named = {k: v for k, v in options.items() if k in asdict(config) and v is not None}
    unknown = sorted(set(options) - set(asdict(config)) - {"stride", "held_out"})
    if unknown:
        known = ", ".join([*asdict(config), "stride"])
        raise ValueError(f"{architecture} has no option {', '.join(unknown)}; it has {known}")
    config = replace(config, **named)
    torch.manual_seed(seed)
    return memory.built(row.build, config), config


def _given(start: Learned, architecture: str, preset: str, options: dict[str, Any]) -> tuple[nn.Module, Any]:
    """A copy of a trained network; its Config cannot be changed any more."""
    require_fit(start, architecture, preset)
    if fixed := sorted(set(options) - {"stride"}):
        raise ValueError(f"{', '.join(fixed)} cannot be changed in weights that exist; leave it out or start afresh")
    return copy.deepcopy(start.network), start.network.config


def _hindcasts(network: nn.Module, config: Any, cubes: Sequence[Cube], seed: int) -> dict[str, dict[str, Any]]:
    """{"record_1": the hindcast on the held-out end of the first cube, ...}."""
    pasts = (rollout.hindcast(network, config, cube, config.leads, TEST_SHARE, seed=seed) for cube in cubes)
    return {f"record_{number}": past.to_dict() for number, past in enumerate(pasts, start=1)}


def _purged_places(number: int, cube: Cube, config: Any, stride: int) -> tuple[list[Place], list[Place], np.ndarray]:
    """Training and validation windows of one cube, and which of its frames may teach."""
    count, height, width = cube.values.shape
    split = purged_split(count, width, config.patch, stride, config.frames, config.leads, test_share=TEST_SHARE)
    rows = origins(height, config.patch, stride)
    taught, looked = (
        [Place(number, start, row, col) for start in split.train_starts for row in rows for col in cols]
        for cols in (split.train_cols, split.validation_cols)
    )
    first_held = max(split.train_starts) + config.frames + config.leads
    return taught, looked, np.arange(count) < first_held


def _joined(seen: Cube, target: Cube, config: Any) -> tuple[Cube, int]:
    """One record [seen | gap of NaN frames | target], and the gap in frames."""
    reads, says = config.frames, config.leads
    if len(seen.values) < reads or len(target.values) < says or seen.values.shape[1:] != target.values.shape[1:]:
        raise ValueError(f"a transfer needs {reads} frames seen and {says} to say on one grid; got {seen.values.shape} "
                         f"and {target.values.shape}")
    last, first = seen.starts[-1], target.starts[0]
    gap = ((first.year - last.year) * 12 + first.month - last.month) // seen.months - 1
    if gap < 0:
        raise ValueError(f"the frames to say begin {first}, before those seen end ({last})")
    hole = np.full((gap, *seen.values.shape[1:]), np.nan, np.float32)
    values = np.concatenate([seen.values[-reads:], hole, target.values[:says]]).astype(np.float32)
    starts = (seen.starts[-reads:] + rollout.starts_after(last, seen.months, gap) + target.starts[:says])
    status = seen.status[-reads:] + ("interpolated",) * gap + target.status[:says]
    scenes = seen.n_scenes[-reads:] + (0,) * gap + target.n_scenes[:says]
    joined = replace(seen, values=values, starts=starts, status=status, n_scenes=scenes, interpolated_fraction=())
    return joined, gap


def _transfer_places(taught: np.ndarray, config: Any, stride: int) -> tuple[list[Place], list[Place]]:
    """Windows inside the training columns; the eastern tenth of them validates, one patch apart."""
    height, width = taught.shape[0], int(taught[0].sum())
    cols, rows = origins(width, config.patch, stride), origins(height, config.patch, stride)
    border = cols[-max(1, round(0.1 * len(cols)))]
    west = [c for c in cols if c <= border - config.patch] or cols[:1]
    east = [c for c in cols if c >= border]
    taught_places, looked = ([Place(0, 0, row, col) for row in rows for col in some] for some in (west, east))
    return taught_places, looked


def _trained(architecture: str, preset: str, config: Any, network: nn.Module, history: Any, metrics: dict[str, Any],
             settings: TrainSettings, manifest: str, options: dict[str, Any]) -> Trained:
    metrics = plain(metrics)
    bands = tuple(f"ndsi_{k - config.frames + 1:+d}".replace("+0", "0") for k in range(config.frames))
    trained = {"settings": settings.to_dict(), "manifest": manifest, "seed": settings.seed, "metrics": metrics,
               "curve": plain(history.points)}
    recipe = Recipe(architecture, preset, asdict(config), bands, task="forecast", options=options, trained=trained)
    return Trained(Learned(network, recipe), metrics, history)


def _some(places: list[Place], most: int) -> list[Place]:
    """At most `most` of them, evenly spaced."""
    return places if len(places) <= most else [places[i * len(places) // most] for i in range(most)]


def _until(share: float, report: Report) -> Report:
    return lambda fraction, step, **curves: report(share * fraction, step, **curves)
