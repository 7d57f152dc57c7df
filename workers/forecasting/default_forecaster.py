"""The default forecaster: a U-Net that predicts how the coming seasons will differ from their usual state.

Ours, not published. The networks of Müller (2023) see four frames and must learn the seasons from them; this one is
given the seasons. It reads the last four frames as anomalies from climatology, beside the climatology of the four
target seasons, and predicts the four anomaly frames at once. The U-Net is that of Ronneberger et al. (2015), base 16.

A record of ten years holds few independent anomalies, which a network soon knows by heart. So what it says of
anomalies with the opposite sign is made the opposite: in training the sign is drawn per sample, in use both are
averaged. No anomaly then means climatology, and a climatology that lacks the target cannot betray it. Where there is
no climatology, and anomalies are counted from the last frame, nothing speaks for such a symmetry and none is imposed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .residual import Residual, base_frames, check_residual
from .unet import UNet


@dataclass(frozen=True)
class Config:
    """Small enough for a minute or two of training on a CPU."""

    base: int = 16
    """Channels of the first level."""
    frames: int = 4
    """Frames seen: one year of quarters."""
    leads: int = 4
    """Frames predicted."""
    patch: int = 50
    """Pixels on a side of a training window. The network itself takes any size from 16."""
    residual: Residual = "climatology"
    """What the anomalies are counted from."""
    forgetting: float = 0.1
    """Share of its weight that a frame of the climatology loses with each year of distance. Ice that shrinks and snow
    that remembers the year before are both nearer to the last years than to the mean of all. A record of ten years
    cannot say how much nearer, so this is a setting and not learned; 0 is the plain mean."""


SMALL = Config(patch=20)


class DefaultForecaster(nn.Module):
    """Frames and climatology in, frames out. Untrained it returns its base: the head starts at zero."""

    reads_whole_images = True

    def __init__(self, config: Config = Config()):
        super().__init__()
        check_residual(config.residual)
        self.config = config
        self.unet = UNet(config.frames + config.leads, config.leads, config.base)
        for p in self.unet.head.parameters():
            nn.init.zeros_(p)

    def forward(self, frames: Tensor, climatology: Tensor | None = None, truth: Tensor | None = None,
                teaching: float = 0.0) -> Tensor:
        """``frames`` (B, T, H, W) thresholded NDSI; ``climatology`` (B, T + leads, H, W), seasonal means of the frames
        seen and of those to come, NaN where unknown; ``truth`` and ``teaching`` are not used: nothing is fed back.
        Returns (B, leads, H, W), not clipped."""
        seen, leads = self.config.frames, self.config.leads
        base = base_frames(self.config.residual, frames, climatology, seen + leads)
        anomalies = frames - base[:, :seen]                            # (B, T, H, W)
        coming = base[:, seen:]                                        # (B, leads, H, W)
        return coming + self.departure(anomalies, coming, self.has_climatology(climatology, frames))

    def has_climatology(self, climatology: Tensor | None, frames: Tensor) -> Tensor:
        """(B, 1, 1, 1) bool: whether the anomalies of a sample are counted from climatology, somewhere at least."""
        if climatology is None or self.config.residual != "climatology":
            return torch.zeros(len(frames), 1, 1, 1, dtype=torch.bool, device=frames.device)
        return climatology.isfinite().flatten(1).any(1)[:, None, None, None]

    def departure(self, anomalies: Tensor, coming: Tensor, odd: Tensor) -> Tensor:
        """How the coming frames differ from their base, (B, leads, H, W); odd in the anomalies where ``odd``."""
        if self.training:
            sign = torch.where(odd & (torch.rand_like(odd, dtype=anomalies.dtype) < 0.5), -1.0, 1.0)
            return sign * self.unet(torch.cat([sign * anomalies, coming], 1))
        said = self.unet(torch.cat([anomalies, coming], 1))
        if not odd.any():
            return said
        opposite = self.unet(torch.cat([-anomalies, coming], 1))
        return torch.where(odd, (said - opposite) / 2, said)
