"""Fusion U-Net, also called ResU-Net: one stem a source, summed, then a residual U-Net.

Maslov et al., large-scale glacier mapping of the Alps and the Arctic (MASSIVE, slides 2023); the ResU-Net which the
multi-regional study compares GlaViTU with (https://arxiv.org/abs/2308.00429) is the same network.
32,593,922 trainable parameters with optical, elevation and radar; published as 33 M.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from workers.layers import DROPOUT, Fusion, ResUNet


@dataclass(frozen=True)
class Config:
    """The published network."""

    sources: tuple[int, ...] = (6, 2, 2)
    """Channels of each source: six optical bands; elevation and slope; two of radar. Thermal would be another 1."""
    width: int = 64
    """Channels of the stems and of the first level; they double at each level below."""
    steps: int = 4
    classes: int = 2
    dropout: float = DROPOUT
    patch: int = 384
    """Pixels on a side of a training window; the network itself takes any multiple of 2^steps."""

    @property
    def channels(self) -> int:
        return sum(self.sources)


SMALL = Config(width=16, steps=3, patch=128)        # 515,842 parameters


class FusionUNet(nn.Module):
    """(B, channels, H, W) -> (B, classes, H, W) logits."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.fusion = Fusion(config.sources, config.width, config.dropout)
        self.unet = ResUNet(config.width, config.classes, config.steps, config.width, config.dropout)

    def forward(self, x: Tensor) -> Tensor:     # (B, 10, H, W)
        return self.unet(self.fusion(x))        # (B, 64, H, W) -> (B, 2, H, W)
