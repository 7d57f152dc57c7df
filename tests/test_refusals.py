"""What a run is told when it fails: its own mistake in its own words, or that the program is at fault."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from workers import tasks
from workers.learning.memory import TooLittleMemory, require_memory
from workers.learning.training import Diverged, TrainSettings, fit


class One:
    def __len__(self):
        return 1

    def batch(self, indices, rng):
        return (torch.full((1, 1), torch.inf),)


def test_a_training_that_diverges_is_told_to_learn_more_slowly_and_not_that_the_program_is_at_fault():
    with pytest.raises(tasks.REFUSALS, match="smaller rate") as refused:
        fit(nn.Linear(1, 1), One(), None, lambda n, b, teacher_forcing: n(b[0]).mean(), TrainSettings())
    assert refused.type is Diverged


def test_too_little_memory_is_a_refusal_too_and_a_fault_of_the_program_is_none():
    with pytest.raises(tasks.REFUSALS) as refused:
        require_memory(nn.Linear(8, 8), free=1)
    assert refused.type is TooLittleMemory
    assert not issubclass(RuntimeError, tasks.REFUSALS) and not issubclass(ZeroDivisionError, tasks.REFUSALS)
