"""A season of radar scenes becomes one map: convolutional LSTMs read it forwards and backwards at every level.

Maslov et al., glacier mapping on Svalbard from Sentinel-1 time series; ConvLSTM: Shi et al. (2015),
https://arxiv.org/abs/1506.04214 . The figure with its layer sizes is not legible: the table of widths is ours.
1,456,034 trainable parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from workers.layers import DROPOUT, SLOPE, Decoder, require_multiple


@dataclass(frozen=True)
class Config:
    """Base 32, two steps."""

    channels: int = 2
    acquisitions: int = 15
    base: int = 32
    steps: int = 2
    classes: int = 2
    dropout: float = DROPOUT
    patch: int = 384


SMALL = Config(base=8, acquisitions=5, patch=64)        # 91,562 parameters


class ConvLSTM(nn.Module):
    """One direction. (B, T, inputs, H, W) -> hidden maps (B, T, hidden, H, W)."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.gates = nn.Conv2d(inputs + hidden, 4 * hidden, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        b, t, _, height, width = x.shape
        h = c = x.new_zeros(b, self.hidden, height, width)
        states = []
        for step in range(t):
            i, f, g, o = self.gates(torch.cat([x[:, step], h], dim=1)).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            states.append(h)
        return torch.stack(states, dim=1)


class Level(nn.Module):
    """Convolution of each scene, a ConvLSTM each way, and from the second level on a residual projection."""

    def __init__(self, inputs: int, width: int, projected: bool, dropout: float) -> None:
        super().__init__()
        self.each = nn.Sequential(nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.LeakyReLU(SLOPE),
                                  nn.Dropout2d(dropout))
        self.forwards, self.backwards = ConvLSTM(width, width // 2), ConvLSTM(width, width // 2)
        self.project = nn.Conv2d(inputs, width, 1, bias=False) if projected else None

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:       # (B, T, inputs, H, W)
        """The series (B, T, width, H, W), the last states of both directions (B, width, H, W), the projection."""
        y = _each(self.each, x)
        ahead, back = self.forwards(y), self.backwards(y.flip(1)).flip(1)
        series, last = torch.cat([ahead, back], dim=2), torch.cat([ahead[:, -1], back[:, 0]], dim=1)
        if self.project is None:
            return series, last, None
        projection = _each(self.project, x)                                     # (B, T, width, H, W)
        return series + projection, last, projection


class SARConvLSTM(nn.Module):
    """(B, T, channels, H, W) -> (B, classes, H, W) logits; H and W are multiples of 2^steps."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        widths = [config.base * 2**k for k in range(config.steps + 1)]
        self.levels = nn.ModuleList(
            Level(a, b, projected=number > 0, dropout=config.dropout)
            for number, (a, b) in enumerate(pairwise([config.channels, *widths])))
        self.pool = nn.MaxPool2d(2)
        self.decoder = Decoder(widths, config.dropout)
        self.head = nn.Conv2d(config.base, config.classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        require_multiple(x, 2**self.config.steps)
        maps = []
        for number, level in enumerate(self.levels):
            x, last, projection = level(_each(self.pool, x) if number else x)   # (B, T, 32 2^k, H / 2^k, W / 2^k)
            maps.append(last)
        *skips, y = maps
        if projection is not None:
            y = y + projection.mean(dim=1)                                      # what every scene says of the whole
        return self.head(self.decoder(y, skips))                                # (B, 2, H, W)


def _each(layer: nn.Module, x: Tensor) -> Tensor:
    """Apply a 2-D layer to every scene of a series (B, T, C, H, W)."""
    return layer(x.flatten(0, 1)).unflatten(0, x.shape[:2])
