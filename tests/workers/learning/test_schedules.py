"""Rates over the epochs of a training, against the published values and torch's own schedules."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from workers.learning.schedules import cosine, warm_restarts

RATES = [(0, 5e-4), (5, 2.5e-4), (10, 5e-4), (20, 2.5e-4), (50, 2.5e-4), (110, 2.5e-4), (150, 0)]


@pytest.mark.parametrize(("epoch", "rate"), RATES)
def test_warm_restarts_take_the_published_values(epoch, rate):
    assert warm_restarts(5e-4, epoch, 150) == pytest.approx(rate, abs=1e-12)


def test_warm_restarts_agree_with_torch_inside_each_cycle():
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=5e-4)
    reference = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimiser, T_0=10, T_mult=2)
    for epoch in np.arange(0, 149.9, 0.7):
        reference.step(float(epoch))
        assert warm_restarts(5e-4, epoch, 150) == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9)


def test_the_cosine_ends_at_zero():
    assert cosine(1.0, 80, 80) == pytest.approx(0, abs=1e-15) and cosine(1.0, 40, 80) == pytest.approx(0.5)
