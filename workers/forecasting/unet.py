"""The U-Net with 23 convolutions, and the forecaster that applies it frame after frame.

Ronneberger, Fischer, Brox (2015), U-Net: convolutional networks for biomedical image segmentation; used as a recurrent
forecaster of NDSI masks by Müller (2023). Two changes: batch normalisation after each 3 x 3 convolution, and "same"
padding, because unpadded convolutions cannot return the 50 x 50 pixels they are given. As a forecaster it sees one
frame only and cannot know the season.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from .residual import Residual, base_frames, check_residual, fed_back


@dataclass(frozen=True)
class Config:
    """The published network; 31,036,481 trainable parameters."""

    base: int = 64
    """Channels of the first level; they double at each of the four levels below."""
    frames: int = 4
    """Frames in the sample. Only the last is read."""
    leads: int = 4
    """Frames predicted."""
    patch: int = 50
    """Pixels on a side of a training window. The network itself takes any size from 16."""
    residual: Residual = "none"


SMALL = Config(base=16, patch=20)  # 1,942,289 parameters


class TwoConvolutions(nn.Sequential):
    """Twice: 3 x 3 convolution, batch normalisation (whose shift makes a bias idle), ReLU."""

    def __init__(self, channels_in: int, channels: int):
        super().__init__(
            nn.Conv2d(channels_in, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    """(B, channels_in, H, W) -> (B, channels_out, H, W), any H and W from 16; linear output."""

    def __init__(self, channels_in: int, channels_out: int, base: int, levels: int = 4):
        super().__init__()
        widths = [base * 2**k for k in range(levels + 1)]              # 64, 128, 256, 512, 1024
        self.smallest = 2**levels
        self.pool = nn.MaxPool2d(2)
        self.down = nn.ModuleList(TwoConvolutions(a, b) for a, b in pairwise([channels_in, *widths]))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * b, b, 2, stride=2) for b in reversed(widths[:-1]))
        self.join = nn.ModuleList(TwoConvolutions(2 * b, b) for b in reversed(widths[:-1]))
        self.head = nn.Conv2d(base, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:                            # (B, channels_in, H, W)
        if min(x.shape[-2:]) < self.smallest:
            raise ValueError(f"{tuple(x.shape[-2:])} pixels are too few: give at least {self.smallest} on each side")
        skips: list[Tensor] = []
        for block in self.down:
            x = block(self.pool(x) if skips else x)                    # H and W halve, channels double
            skips.append(x)                                            # 50, 25, 12, 6, 3 pixels
        skips.pop()
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([skips[-1], fit(up(x), skips.pop())], 1))
        return self.head(x)                                            # (B, channels_out, H, W)


def fit(x: Tensor, like: Tensor) -> Tensor:
    """Pad with zeros, right and below, to the height and width of ``like``: 2 x 12 pixels are one short of 25."""
    return pad(x, (0, like.shape[-1] - x.shape[-1], 0, like.shape[-2] - x.shape[-2]))


class UNetForecaster(nn.Module):
    """The next frame from the present one, applied once per lead."""

    reads_whole_images = False
    """It could; but it was taught in windows and is applied to its own answer. On a whole image, whose statistics
    differ at the lower levels, each application adds to the error of the last (0.09 in place of 0.06 on the Parvati
    quarters after 120 steps, without bound after 300)."""

    def __init__(self, config: Config = Config()):
        super().__init__()
        check_residual(config.residual)
        self.config = config
        self.unet = UNet(1, 1, config.base)

    def forward(self, frames: Tensor, climatology: Tensor | None = None, truth: Tensor | None = None,
                teaching: float = 0.0) -> Tensor:                      # frames (B, T, H, W), truth (B, leads, H, W)
        leads = self.config.leads
        base = base_frames(self.config.residual, frames, climatology, leads)
        present, predicted = frames[:, -1], []                         # (B, H, W)
        for k in range(leads):
            predicted.append(base[:, k] + self.unet(present[:, None])[:, 0])
            present = fed_back(predicted[-1], None if truth is None else truth[:, k], teaching)
        return torch.stack(predicted, 1)                               # (B, leads, H, W)
