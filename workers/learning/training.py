"""One training loop for every network: short, seeded, cancellable, and resumable to the last bit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workers.learning import checkpoints, devices, schedules
from workers.learning.batches import Batch, Batches, Samples
from workers.learning.memory import require_memory
from workers.learning.train_settings import TrainSettings

__all__ = ["Batch", "Diverged", "History", "Loss", "Report", "Samples", "Stopped", "TrainSettings", "fit", "no_report"]

SECONDS_BETWEEN_REPORTS = 2.0


Loss = Callable[..., Tensor]
"""loss(network, batch, teacher_forcing=probability) -> scalar."""

Report = Callable[..., None]
"""report(fraction, step, losses={"epoch", "train", "validation"}); may raise to cancel."""


class Diverged(RuntimeError):
    """The loss is no longer a number."""


class Stopped(RuntimeError):
    """`stop()` asked for an end; the checkpoint holds the state after the last step."""


@dataclass
class History:
    """What happened, one entry a validation (or an epoch where there is none)."""

    points: list[dict[str, float]] = field(default_factory=list)
    best: float | None = None
    steps: int = 0
    stopped_early: bool = False


def no_report(fraction: float, step: str, **curves: Any) -> None:
    """The default report: says nothing."""


def fit(network: nn.Module, training: Samples, validation: Samples | None, loss: Loss, settings: TrainSettings,
        report: Report = no_report, checkpoint: Path | None = None, manifest: str = "",
        stop: Callable[[], bool] = lambda: False,
        validate: Callable[[nn.Module], float] | None = None) -> tuple[nn.Module, History]:
    """Teach `network`; return it in eval mode, with its best weights where there was a validation, and the history.

    checkpoint: a folder; one is written each epoch, when `stop()` says so and when `report` raises, and a call with
    the same arguments goes on from there, bit for bit. validate(network) -> value to minimise; without it the loss
    over `validation`. Under `torchrun` (WORLD_SIZE > 1) the batches are shared out between the processes.
    Raises ValueError on no samples (or fewer than processes), TooLittleMemory, OtherData (another manifest),
    OtherSettings, Diverged, Stopped, and whatever `report` raises.
    """
    if not len(training):
        raise ValueError("nothing to learn from: the training set is empty")
    require_memory(network, settings.device)
    session = _Session(network, training, validation, loss, settings, manifest, validate)
    if checkpoint is not None:
        session.resume(checkpoint)
    session.run(report, checkpoint, stop)
    return session.finished()


class _Objective(nn.Module):
    """Network and loss as one module, so that DDP sees every call of the network inside a loss."""

    def __init__(self, network: nn.Module, loss: Loss, compiled: bool) -> None:
        super().__init__()
        self.network = torch.compile(network) if compiled else network
        self.loss = loss

    def forward(self, batch: Batch, teacher_forcing: float) -> Tensor:
        return self.loss(self.network, batch, teacher_forcing=teacher_forcing)


class _Session:
    """The state of one training between two steps."""

    def __init__(self, network: nn.Module, training: Samples, validation: Samples | None, loss: Loss,
                 settings: TrainSettings, manifest: str, validate: Callable[[nn.Module], float] | None) -> None:
        self.settings, self.manifest = settings, manifest
        self.training, self.validation, self.validate = training, validation, validate
        self.rank, self.world, self.device = devices.place(settings.device)
        if len(training) < self.world:
            raise ValueError(f"{len(training)} samples cannot be shared out between {self.world} processes")
        devices.seed_all(settings.seed + self.rank)
        self.network = network.to(self.device)
        if settings.channels_last:
            devices.store_channels_last(self.network)
        self.objective = _Objective(self.network, loss, settings.compile)
        self.step_module = devices.shared(self.objective, self.device) if self.world > 1 else self.objective
        self.optimiser = devices.optimiser_of(network, settings)
        precision = devices.precision_on(self.device, settings.precision)
        self.scaler = torch.amp.GradScaler("cuda", enabled=precision == "fp16")  # bf16 has the range of float32
        self.autocast = devices.autocast_of(precision)
        whole = max(1, -(-(len(training) // self.world) // settings.batch))
        self.per_epoch = settings.epoch_steps or whole
        self.total = min(self.per_epoch * settings.epochs, settings.max_steps or 10**12)
        self.step, self.loss_sum, self.loss_count = 0, 0.0, 0
        self.stopper = schedules.EarlyStop(settings.patience)
        self.best: dict[str, Tensor] | None = None
        self.history = History()
        self.told = time.monotonic()

    @property
    def epoch(self) -> float:
        """Epochs done, fractional."""
        return self.step / self.per_epoch

    @property
    def over(self) -> bool:
        return self.step >= self.total or self.stopper.over

    def run(self, report: Report, checkpoint: Path | None, stop: Callable[[], bool]) -> None:
        """Step until the end; between steps the state is whole, and only there may it be left."""
        with Batches(self.training, self.settings, self.per_epoch, self.total, self.rank, self.world) as batches:
            self._steps(batches, report, checkpoint, stop)

    def _steps(self, batches: Batches, report: Report, checkpoint: Path | None, stop: Callable[[], bool]) -> None:
        while not self.over:
            self._learn(self._placed(batches.of(self.step)))
            point = self._look() if self._time_to_look() else None
            if self.step % self.per_epoch == 0 or self.over:
                self._save(checkpoint)
            try:
                self._tell(report, point)
                if stop():
                    raise Stopped(f"stopped after step {self.step} of {self.total}")
            except BaseException:
                self._save(checkpoint)
                raise

    def _learn(self, batch: Batch) -> None:
        """One step of the optimiser."""
        settings = self.settings
        epochs = self.total / self.per_epoch  # the clocks run out with the last step, also where max_steps cuts
        lr = schedules.SCHEDULES[settings.schedule](settings.lr, self.epoch, epochs)
        lr *= schedules.warm_up(self.step, settings.warmup_steps)
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        forcing = schedules.teacher_forcing(settings.teacher_forcing, self.epoch, epochs)
        if self.world > 1:  # a checkpoint holds the generators of the first process only
            torch.manual_seed(devices.seed_of(settings.seed, self.step, self.rank))
        self.step_module.train()
        self.optimiser.zero_grad(set_to_none=True)
        with self.autocast():
            loss = self.step_module(batch, forcing)
        value = loss.item()
        if not np.isfinite(value):
            raise Diverged(f"the loss is {value} at step {self.step + 1}: use a smaller rate than {settings.lr:g}")
        self.scaler.scale(loss).backward()
        if settings.clip_value is not None:
            self.scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_value_(self.network.parameters(), settings.clip_value)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.step += 1
        self.loss_sum, self.loss_count = self.loss_sum + value, self.loss_count + 1

    def _placed(self, batch: Batch) -> Batch:
        last = self.settings.channels_last
        return tuple(
            t.to(self.device, memory_format=torch.channels_last) if last and t.ndim == 4 else t.to(self.device)
            for t in batch
        )

    def _time_to_look(self) -> bool:
        every = self.settings.validate_every or self.per_epoch
        return self.step % every == 0 or self.step == self.total

    def _look(self) -> dict[str, float]:
        """Validate; keep the weights if they are the best so far; write the history."""
        point = {"epoch": self.epoch, "train": self.loss_sum / self.loss_count,
                 "lr": self.optimiser.param_groups[0]["lr"]}
        self.loss_sum, self.loss_count = 0.0, 0
        if self.validation is not None or self.validate is not None:
            point["validation"] = self._validated()
            if self.stopper.is_best(point["validation"]):
                self.best = {name: t.detach().cpu().clone() for name, t in self.network.state_dict().items()}
        self.history.points.append(point)
        return point

    @torch.no_grad()
    def _validated(self) -> float:
        """The value to minimise, computed by the first process and told to the others."""
        self.step_module.eval()
        value = 0.0
        if self.rank == 0:
            value = self.validate(self.network) if self.validate else self._mean_loss(self.validation)
        if self.world > 1:
            told = torch.tensor([value], dtype=torch.float64, device=self.device)
            torch.distributed.broadcast(told, 0)
            value = told.item()
        return float(value)

    def _mean_loss(self, samples: Any) -> float:
        total, count = 0.0, 0
        for indices in islice(_chunks(len(samples), self.settings.batch), self.settings.validation_batches):
            with self.autocast():
                loss = self.objective(self._placed(samples.batch(indices, None)), 0.0)
            total, count = total + loss.item() * len(indices), count + len(indices)
        return total / count

    def _tell(self, report: Report, point: dict[str, float] | None) -> None:
        if self.rank or (point is None and time.monotonic() - self.told < SECONDS_BETWEEN_REPORTS):
            return
        self.told = time.monotonic()
        text = f"epoch {min(int(self.epoch) + 1, self.settings.epochs)} of {self.settings.epochs}"
        if point is None:
            report(self.step / self.total, text)
            return
        losses = {"epoch": point["epoch"], "train": point["train"], "validation": point.get("validation")}
        text += f", loss {point['train']:.4g}"
        if "validation" in point:
            text += f", validation {point['validation']:.4g}"
        report(self.step / self.total, text, losses=losses)

    def _save(self, folder: Path | None) -> None:
        if folder is None or self.rank:
            return
        checkpoints.write(folder, self.step, {
            "manifest": self.manifest, "settings": self.settings.to_dict(), "step": self.step,
            "network": self.network.state_dict(), "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(), "random": checkpoints.random_state(), "best": self.best,
            "loss": (self.loss_sum, self.loss_count), "history": self.history.points,
            "stopper": (self.stopper.best, self.stopper.mark, self.stopper.waited),
        })

    def resume(self, folder: Path) -> None:
        """Go back to the newest checkpoint, if there is one."""
        state = checkpoints.newest(folder, self.manifest)
        if state is None:
            return
        checkpoints.require_same_settings(state["settings"], self.settings.to_dict())
        try:
            self.network.load_state_dict(state["network"])
        except RuntimeError as error:
            raise ValueError(f"the checkpoint in {folder.name} is of another network: {error}") from error
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        checkpoints.restore_random_state(state["random"])
        self.step, self.best = state["step"], state["best"]
        self.loss_sum, self.loss_count = state["loss"]
        self.history.points = list(state["history"])
        self.stopper.best, self.stopper.mark, self.stopper.waited = state["stopper"]

    def finished(self) -> tuple[nn.Module, History]:
        if self.best is not None:
            self.network.load_state_dict(self.best)
            self.history.best = self.stopper.best
        self.history.steps, self.history.stopped_early = self.step, self.step < self.total
        return self.network.eval(), self.history


def _chunks(count: int, size: int) -> Iterator[np.ndarray]:
    for begin in range(0, count, size):
        yield np.arange(begin, min(begin + size, count))
