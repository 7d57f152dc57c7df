"""Losses: what a training minimises. Each takes tensors and returns a scalar tensor."""

from __future__ import annotations

import torch
from torch import Tensor

GAMMA = 2.0
SMOOTHING = 0.1
CLIP = 1e-7


def mse(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean squared error over batch, time, rows and columns; NaN targets (not observed) are left out.

    predicted, target: (B, T, H, W). 0 with a gradient of 0 when nothing is observed.
    """
    known = ~torch.isnan(target)
    difference = torch.where(known, predicted - torch.nan_to_num(target), torch.zeros_like(predicted))
    return difference.square().sum() / known.sum().clamp(min=1)


def cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """Mean negative log likelihood over labelled pixels. logits (B, K, H, W); truth (B, H, W) float, NaN = no label."""
    known = ~torch.isnan(truth)
    classes = torch.nan_to_num(truth).long().unsqueeze(1)                     # (B, 1, H, W)
    likelihood = torch.log_softmax(logits, dim=1).gather(1, classes).squeeze(1)  # (B, H, W)
    return -(likelihood * known).sum() / known.sum().clamp(min=1)


def focal(logits: Tensor, truth: Tensor, gamma: float = GAMMA, smoothing: float = SMOOTHING) -> Tensor:
    """Focal loss with label smoothing (Lin et al. 2017, https://arxiv.org/abs/1708.02002).

    L = mean over labelled pixels of sum_k -(1 - p_k)^gamma y_k ln p_k, with y = one-hot (1 - e) + e / K and
    p clipped to [1e-7, 1 - 1e-7]. logits (B, K, H, W); truth (B, H, W) float, NaN = no label.
    """
    known = ~torch.isnan(truth)
    count = logits.shape[1]
    p = torch.softmax(logits.float(), dim=1).clamp(CLIP, 1 - CLIP)           # (B, K, H, W)
    hot = torch.nn.functional.one_hot(torch.nan_to_num(truth).long(), count)  # (B, H, W, K)
    y = hot.movedim(-1, 1) * (1 - smoothing) + smoothing / count             # (B, K, H, W)
    per_pixel = (-((1 - p) ** gamma) * y * torch.log(p)).sum(dim=1)          # (B, H, W)
    return (per_pixel * known).sum() / known.sum().clamp(min=1)


def deep_supervision(main: Tensor, auxiliary: Tensor, truth: Tensor, loss=focal, weight: float = 0.5) -> Tensor:
    """weight * auxiliary loss + 1.0 * main loss; both heads against the same labels."""
    return loss(main, truth) + weight * loss(auxiliary, truth)


def of_heads(output: Tensor | tuple[Tensor, Tensor], truth: Tensor, loss=focal) -> Tensor:
    """The loss of a network that answers with one head, or in training with (main, auxiliary)."""
    if isinstance(output, tuple):
        return deep_supervision(output[0], output[1], truth, loss)
    return loss(output, truth)
