"""GlaViTU, Glacier-VisionTransformer-U-Net: a small transformer for context, a residual U-Net for the margin.

Maslov, Persello, Schellenberger and Stein (2023), GlaViTU: a hybrid CNN-transformer for multi-regional glacier mapping
from multi-source data, https://arxiv.org/abs/2308.00429; and (2025), Globally scalable glacier mapping by deep
learning matches expert delineation accuracy, Nature Communications 16. 10,046,276 parameters at 384 px.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from workers.layers import DROPOUT, Fusion, ResUNet

from .setr import Transformer


@dataclass(frozen=True)
class Config:
    """The published network."""

    sources: tuple[int, ...] = (6, 2, 2)
    width: int = 64
    """Channels of the fusion stems, of the embedding and of the U-Net's first level."""
    steps: int = 3
    patch: int = 384
    """Pixels on a side; the learned positions are tied to it."""
    token: int = 16
    size: int = 64
    hidden: int = 256
    blocks: int = 12
    heads: int = 4
    decoder: int = 64
    classes: int = 2
    dropout: float = DROPOUT

    @property
    def channels(self) -> int:
        return sum(self.sources)


SMALL = Config(width=16, patch=128, blocks=4, decoder=16)


class GlaViTU(nn.Module):
    """(B, channels, patch, patch) -> (B, classes, patch, patch) logits; in training (main, auxiliary) logits.

    The loss of the auxiliary head counts half (deep supervision).
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.fusion = Fusion(config.sources, config.width, config.dropout)
        self.transformer = Transformer(config.width, config.width, config)
        self.unet = ResUNet(config.width, config.width, config.steps, config.width, config.dropout)
        self.head = nn.Conv2d(config.width, config.classes, 1)
        self.auxiliary = nn.Conv2d(config.width, config.classes, 1)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        f = self.fusion(x)                          # (B, 10, 384, 384) -> (B, 64, 384, 384)
        e = f + self.transformer(f)                 # (B, 64, 384, 384)
        main = self.head(e + self.unet(e))          # (B, 2, 384, 384)
        return (main, self.auxiliary(e)) if self.training else main
