"""Losses against what they say on paper."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from workers.learning import losses


@pytest.fixture
def logits_and_truth():
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(2, 2, 6, 7, generator=generator, requires_grad=True)
    truth = torch.randint(0, 2, (2, 6, 7), generator=generator).float()
    return logits, truth


def test_focal_without_focus_and_smoothing_is_cross_entropy(logits_and_truth):
    logits, truth = logits_and_truth
    reference = functional.cross_entropy(logits, truth.long())
    assert losses.focal(logits, truth, gamma=0, smoothing=0).item() == pytest.approx(reference.item(), rel=1e-5)
    assert losses.cross_entropy(logits, truth).item() == pytest.approx(reference.item(), rel=1e-6)


def test_focal_follows_its_formula_pixel_by_pixel(logits_and_truth):
    logits, truth = logits_and_truth
    p = torch.softmax(logits, 1).detach().numpy().astype(float)
    total = 0.0
    for b, i, j in np.ndindex(2, 6, 7):
        for k in range(2):
            y = float(truth[b, i, j] == k) * 0.9 + 0.05
            total += -((1 - p[b, k, i, j]) ** 2) * y * np.log(p[b, k, i, j])
    assert losses.focal(logits, truth).item() == pytest.approx(total / truth.numel(), rel=1e-5)


@pytest.mark.parametrize("loss", [losses.focal, losses.cross_entropy])
def test_pixels_without_a_label_count_neither_in_the_mean_nor_in_the_gradient(loss, logits_and_truth):
    logits, truth = logits_and_truth
    holed = truth.clone()
    holed[:, :3] = torch.nan
    value = loss(logits, holed)
    assert value.item() == pytest.approx(loss(logits[:, :, 3:], truth[:, 3:]).item(), rel=1e-5)
    value.backward()
    assert (logits.grad[:, :, :3] == 0).all() and (logits.grad[:, :, 3:] != 0).any()


def test_a_sure_and_wrong_pixel_does_not_give_infinity():
    logits = torch.tensor([[[[200.0]], [[-200.0]]]])
    assert torch.isfinite(losses.focal(logits, torch.ones(1, 1, 1)))


def test_deep_supervision_adds_half_of_the_auxiliary_loss(logits_and_truth):
    logits, truth = logits_and_truth
    main, auxiliary = losses.focal(logits, truth), losses.focal(logits * 2, truth)
    assert losses.of_heads((logits, logits * 2), truth).item() == pytest.approx((main + 0.5 * auxiliary).item())
    assert losses.of_heads(logits, truth).item() == pytest.approx(main.item())


def test_mse_leaves_out_what_was_not_observed():
    said, truth = torch.zeros(1, 2, 2, 2), torch.ones(1, 2, 2, 2)
    truth[0, 0] = torch.nan
    truth[0, 1, 0, 0] = 3
    assert losses.mse(said, truth).item() == pytest.approx((9 + 3) / 4)


def test_mse_of_nothing_observed_is_zero_with_a_zero_gradient():
    said = torch.ones(1, 1, 2, 2, requires_grad=True)
    losses.mse(said, torch.full((1, 1, 2, 2), torch.nan)).backward()
    assert (said.grad == 0).all()
