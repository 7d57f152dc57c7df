"""A season of radar scenes becomes one map: 3-D convolutions on the way down, 2-D on the way up.

Maslov et al., glacier mapping on Svalbard from Sentinel-1 time series (backscatter and 12-day coherence). The figure
with its layer sizes is not legible: the table of widths is ours. 4,356,482 trainable parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from workers.layers import DROPOUT, SLOPE, Decoder, require_multiple


@dataclass(frozen=True)
class Config:
    """Base 32, three steps."""

    channels: int = 2
    """Co-polarised backscatter in dB and interferometric coherence."""
    acquisitions: int = 15
    """Scenes of one season: 1, 3, 5 or 15; the network takes any number."""
    base: int = 32
    steps: int = 3
    classes: int = 2
    dropout: float = DROPOUT
    patch: int = 384


SMALL = Config(base=8, acquisitions=5, patch=64)        # 273,506 parameters


class Residual3d(nn.Module):
    """Two 3 x 3 x 3 convolutions beside a projection. (B, a, T, H, W) -> (B, b, T, H, W)."""

    def __init__(self, a: int, b: int, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv3d(a, b, 3, padding=1), nn.BatchNorm3d(b), nn.LeakyReLU(SLOPE),
            nn.Conv3d(b, b, 3, padding=1), nn.BatchNorm3d(b), nn.LeakyReLU(SLOPE),
            nn.Dropout3d(dropout),
        )
        self.project = nn.Conv3d(a, b, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.project(x)


class SARConv3d(nn.Module):
    """(B, T, channels, H, W) -> (B, classes, H, W) logits; H and W are multiples of 2^steps."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        widths = [config.base * 2**k for k in range(config.steps + 1)]
        self.down = nn.ModuleList(Residual3d(a, b, config.dropout) for a, b in pairwise([config.channels, *widths]))
        self.pool = nn.MaxPool3d(2, ceil_mode=True)             # T: 15 -> 8 -> 4 -> 2; one scene stays one
        self.decoder = Decoder(widths, config.dropout)
        self.head = nn.Conv2d(config.base, config.classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        require_multiple(x, 2**self.config.steps)
        x = x.transpose(1, 2)                                   # (B, C, T, H, W): convolutions want time beside space
        maps = []
        for level, block in enumerate(self.down):
            x = block(self.pool(x) if level else x)             # (B, 32 2^k, T / 2^k, H / 2^k, W / 2^k)
            maps.append(x.amax(dim=2))                          # (B, 32 2^k, H / 2^k, W / 2^k): the strongest in time
        *skips, y = maps
        return self.head(self.decoder(y, skips))                # (B, 2, H, W)
