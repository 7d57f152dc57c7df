"""Values that follow the training's clock: learning rate, teacher forcing, early stopping."""

from __future__ import annotations

import math
from dataclasses import dataclass

CYCLES = (10, 20, 40, 80)
"""Epochs of the warm restarts (Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983)."""


def constant(lr: float, epoch: float, epochs: float) -> float:
    """Always lr."""
    return lr


def cosine(lr: float, epoch: float, epochs: float) -> float:
    """lr at the beginning, 0 at the end, half a cosine between; epoch is fractional."""
    return 0.5 * lr * (1 + math.cos(math.pi * min(epoch / epochs, 1.0)))


def warm_restarts(lr: float, epoch: float, epochs: float = sum(CYCLES)) -> float:
    """Cosine cycles of 10, 20, 40 and 80 epochs; restarts at 10, 30, 70; 0 at 150.

    Other lengths keep the proportions: the clock runs `150 / epochs` times as fast.
    """
    clock = epoch * sum(CYCLES) / epochs
    for length in CYCLES:
        if clock < length:
            return cosine(lr, clock, length)
        clock -= length
    return 0.0


def warm_up(step: int, steps: int) -> float:
    """Share of the schedule's rate before step `step` (from 0): 1/steps, 2/steps, ... 1, and 1 from there on.

    Goyal et al. 2017, https://arxiv.org/abs/1706.02677.
    """
    return min(1.0, (step + 1) / steps) if steps else 1.0


SCHEDULES = {"constant": constant, "cosine": cosine, "warm-restarts": warm_restarts}


def teacher_forcing(kind: str, epoch: float, epochs: float, share: float = 0.75) -> float:
    """Probability that the true frame is fed back: "always" 1, "never" 0, "falling" linearly 1 -> 0 over `share`."""
    if kind == "falling":
        return max(0.0, 1.0 - epoch / (share * epochs))
    return {"always": 1.0, "never": 0.0}[kind]


@dataclass
class EarlyStop:
    """Stop after `patience` validations in a row without an improvement of 0.1 %."""

    patience: int | None
    improvement: float = 1e-3
    best: float = math.inf
    """Lowest value so far: its weights are kept."""
    mark: float = math.inf
    """Last value that counted as an improvement."""
    waited: int = 0

    def is_best(self, value: float) -> bool:
        """Take note of a validation; True when it is the lowest so far."""
        if value < self.mark - self.improvement * abs(self.mark) if math.isfinite(self.mark) else value < math.inf:
            self.mark, self.waited = value, 0
        else:
            self.waited += 1
        lowest = value < self.best
        self.best = min(self.best, value) if not math.isnan(value) else self.best
        return lowest

    @property
    def over(self) -> bool:
        """Whether patience has run out."""
        return self.patience is not None and self.waited >= self.patience
