"""What a forecaster adds its output to: nothing, the last frame seen, or the climatology of the coming seasons."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Residual = Literal["none", "last", "climatology"]
KINDS = ("none", "last", "climatology")


def check_residual(kind: str) -> None:
    """Refuse a kind of residual nobody defined, by name."""
    if kind not in KINDS:
        raise ValueError(f"residual={kind!r}: use one of {', '.join(KINDS)}")


def base_frames(kind: Residual, frames: Tensor, climatology: Tensor | None, steps: int) -> Tensor:
    """The frames a network's output is added to, one per frame asked for.

    ``frames`` (B, T, H, W) are the frames seen, ``steps`` how many frames of base are wanted and ``climatology``
    (B, >= steps, H, W) ends with the seasonal means of those frames. Where the climatology is NaN (fewer than two
    earlier years) or not given at all, the last frame seen stands in for it. Returns (B, steps, H, W).
    """
    last = frames[:, -1:].expand(-1, steps, -1, -1)                   # (B, steps, H, W)
    if kind == "none":
        return torch.zeros_like(last)
    if kind == "last" or climatology is None:
        return last
    if climatology.shape[1] < steps:
        raise ValueError(f"climatology has {climatology.shape[1]} frames, {steps} are needed: one per frame predicted")
    wanted = climatology[:, -steps:]
    return torch.where(wanted.isnan(), last, wanted)


def fed_back(own: Tensor, truth: Tensor | None, teaching: float) -> Tensor:
    """The frame a recurrent forecaster reads next: its own, or with probability ``teaching`` the true one.

    Teacher forcing (Williams and Zipser 1989) with scheduled sampling (Bengio et al. 2015): drawn per sample, so a
    batch mixes both. ``own`` and ``truth`` are (B, ...); ``teaching`` 1 is the published setting, 0 is prediction.
    """
    if truth is None or teaching <= 0:
        return own
    taught = torch.rand(own.shape[0], *[1] * (own.dim() - 1), device=own.device) < teaching
    return torch.where(taught, truth, own)
