"""What three or more networks share: residual blocks and the U-Net made of them.

Zhang, Liu and Wang (2018), Road extraction by deep residual U-Net, https://arxiv.org/abs/1711.10684; widths, slopes and
up-sampling after Maslov, Persello, Schellenberger and Stein (2023), GlaViTU: a hybrid CNN-transformer for
multi-regional glacier mapping, https://arxiv.org/abs/2308.00429 . Shapes are (B, C, H, W).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

SLOPE = 0.3         # of the leaky ReLUs
DROPOUT = 0.1       # whole channels


class CBA2(nn.Sequential):
    """Twice convolution, batch normalisation, activation; then spatial dropout. (B, a, H, W) -> (B, b, H, W)."""

    def __init__(self, a: int, b: int, dropout: float = DROPOUT) -> None:
        super().__init__(
            nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.LeakyReLU(SLOPE),
            nn.Conv2d(b, b, 3, padding=1), nn.BatchNorm2d(b), nn.LeakyReLU(SLOPE),
            nn.Dropout2d(dropout),
        )


class Residual(nn.Module):
    """CBA2 beside a 1 x 1 projection. (B, a, H, W) -> (B, b, H, W)."""

    def __init__(self, a: int, b: int, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.body = CBA2(a, b, dropout)
        self.project = nn.Conv2d(a, b, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.project(x)


class UpConv(nn.Module):
    """Nearest neighbours, then a 2 x 2 convolution that looks right and down. (B, a, H, W) -> (B, b, 2H, 2W)."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.conv = nn.Conv2d(a, b, 2, bias=False)
        self.norm = nn.BatchNorm2d(b)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(pad(self.up(x), (0, 1, 0, 1))))


class Fusion(nn.Module):
    """One CBA2 for each source (optical, elevation, radar ...), summed. (B, all channels, H, W) -> (B, width, H, W)."""

    def __init__(self, sources: Sequence[int], width: int, dropout: float = DROPOUT) -> None:
        super().__init__()
        self.sources = tuple(sources)
        self.stems = nn.ModuleList(CBA2(channels, width, dropout) for channels in sources)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] != sum(self.sources):
            raise ValueError(f"expected {' + '.join(map(str, self.sources))} channels, got {x.shape[1]}")
        parts = x.split(self.sources, dim=1)
        return torch.stack([stem(part) for stem, part in zip(self.stems, parts, strict=True)]).sum(dim=0)


class Decoder(nn.Module):
    """From the narrowest map back to full size, one skip a step. widths rise: (base, 2 base, ...)."""

    def __init__(self, widths: Sequence[int], dropout: float = DROPOUT) -> None:
        super().__init__()
        falling = list(pairwise(reversed(widths)))
        self.up = nn.ModuleList(UpConv(wide, narrow) for wide, narrow in falling)
        self.join = nn.ModuleList(Residual(2 * narrow, narrow, dropout) for _, narrow in falling)

    def forward(self, x: Tensor, skips: Sequence[Tensor]) -> Tensor:        # skips: widest map first
        for up, join, skip in zip(self.up, self.join, reversed(skips), strict=True):
            x = join(torch.cat([up(x), skip], dim=1))
        return x


class ResUNet(nn.Module):
    """Residual U-Net: (B, inputs, H, W) -> (B, outputs, H, W) linear; H and W are multiples of 2^steps."""

    def __init__(self, inputs: int, outputs: int, steps: int, base: int, dropout: float = DROPOUT) -> None:
        super().__init__()
        widths = [base * 2**k for k in range(steps + 1)]
        self.steps = steps
        self.down = nn.ModuleList(Residual(a, b, dropout) for a, b in pairwise([inputs, *widths]))
        self.pool = nn.MaxPool2d(2)
        self.decoder = Decoder(widths, dropout)
        self.head = nn.Conv2d(base, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        require_multiple(x, 2**self.steps)
        *skips, x = self._levels(x)
        return self.head(self.decoder(x, skips))

    def _levels(self, x: Tensor) -> list[Tensor]:       # (B, base 2^k, H / 2^k, W / 2^k) for k = 0 .. steps
        levels: list[Tensor] = []
        for block in self.down:
            levels.append(block(self.pool(levels[-1]) if levels else x))
        return levels


def require_multiple(x: Tensor, side: int) -> None:
    """Raise ValueError unless height and width are multiples of `side`."""
    if x.shape[-2] % side or x.shape[-1] % side:
        raise ValueError(f"height and width must be multiples of {side}, got {x.shape[-2]} x {x.shape[-1]}")
