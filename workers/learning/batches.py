"""Which samples make which step of a training, and how they are at hand when the step begins."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
from torch import Tensor

from workers.learning.train_settings import TrainSettings

Batch = tuple[Tensor, ...]


class Samples(Protocol):
    """What a training reads. `rng` is None in validation: then nothing is drawn at random.

    Training batches are made in a thread of their own: whatever is drawn must come from `rng`.
    """

    def __len__(self) -> int: ...

    def batch(self, indices: np.ndarray, rng: np.random.Generator | None) -> Batch: ...


class Batches:
    """The training batches of one process by step; the next one is cut and augmented while this one is learned."""

    def __init__(self, samples: Samples, settings: TrainSettings, per_epoch: int, total: int, rank: int,
                 world: int) -> None:
        self.samples, self.settings, self.per_epoch, self.total = samples, settings, per_epoch, total
        self.rank, self.world = rank, world
        self.beside = ThreadPoolExecutor(1, "next-batch")
        self.ahead: dict[int, Future[Batch]] = {}
        self.parts: dict[int, list[np.ndarray]] = {}

    def __enter__(self) -> Batches:
        return self

    def __exit__(self, *_: object) -> None:
        self.beside.shutdown(cancel_futures=True)

    def of(self, step: int) -> Batch:
        """The batch of a step (from 0)."""
        ready = self.ahead.pop(step, None) or self.beside.submit(self._drawn, step)
        if step + 1 < self.total:
            self.ahead[step + 1] = self.beside.submit(self._drawn, step + 1)
        return ready.result()

    def _drawn(self, step: int) -> Batch:
        """A function of seed, epoch and place in it, so that a resumed training draws the same."""
        epoch, place = divmod(step, self.per_epoch)
        rng = np.random.default_rng([self.settings.seed, epoch, place, self.rank])
        return self.samples.batch(self._parts(epoch)[place], rng)

    def _parts(self, epoch: int) -> list[np.ndarray]:
        """The batches of an epoch, as indices of samples."""
        if epoch not in self.parts:
            self.parts = {epoch: np.array_split(self._order(epoch), self.per_epoch)}
        return self.parts[epoch]

    def _order(self, epoch: int) -> np.ndarray:
        """This process's samples of an epoch, shuffled; gone through again where an epoch has more steps."""
        rng, count = np.random.default_rng([self.settings.seed, epoch]), len(self.samples)
        wanted = self.settings.batch * self.per_epoch if self.settings.epoch_steps else count // self.world
        rounds = -(-wanted * self.world // count)
        order = np.concatenate([rng.permutation(count) for _ in range(max(1, rounds))])
        return order[: max(1, wanted) * self.world][self.rank :: self.world]
