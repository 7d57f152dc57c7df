"""SETR: a vision transformer looks at the whole patch at once, convolutions bring it back to full size.

Zheng et al. (2021), Rethinking semantic segmentation from a sequence-to-sequence perspective with transformers,
https://arxiv.org/abs/2012.15840 (progressive up-sampling), with the ViT-B/16 of Dosovitskiy et al. (2021),
https://arxiv.org/abs/2010.11929 . Here after the fusion stems of the glacier mapping studies; 101,740,546 parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from workers.layers import DROPOUT, Fusion


@dataclass(frozen=True)
class Config:
    """The published network."""

    sources: tuple[int, ...] = (6, 2, 2)
    width: int = 64
    """Channels of the fusion stems."""
    patch: int = 384
    """Pixels on a side; the learned positions are tied to it."""
    token: int = 16
    """Pixels on a side of what becomes one token."""
    size: int = 768
    """Numbers in a token."""
    hidden: int = 3072
    """Width of the perceptron in a block."""
    blocks: int = 12
    heads: int = 12
    decoder: int = 256
    classes: int = 2
    dropout: float = DROPOUT

    @property
    def channels(self) -> int:
        return sum(self.sources)


SMALL = Config(width=16, patch=128, size=192, hidden=768, blocks=6, heads=6, decoder=64)


class Attention(nn.Module):
    """Multi-head self-attention with biases. (B, N, size) -> (B, N, size)."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        if size % heads:
            raise ValueError(f"the size of a token ({size}) must be a multiple of the heads ({heads})")
        self.heads = heads
        self.ask = nn.Linear(size, 3 * size)
        self.out = nn.Linear(size, size)

    def forward(self, x: Tensor) -> Tensor:
        b, n, size = x.shape
        q, k, v = self.ask(x).view(b, n, 3, self.heads, size // self.heads).permute(2, 0, 3, 1, 4)  # (B, heads, N, d)
        seen = scaled_dot_product_attention(q, k, v)
        return self.out(seen.transpose(1, 2).reshape(b, n, size))


class Block(nn.Module):
    """Pre-norm transformer block. (B, N, size) -> (B, N, size).

    GELU follows both linear layers of the perceptron, as in the code published with GlaViTU.
    """

    def __init__(self, size: int, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_1, self.attention = nn.LayerNorm(size), Attention(size, heads)
        self.norm_2 = nn.LayerNorm(size)
        self.perceptron = nn.Sequential(
            nn.Linear(size, hidden), nn.GELU(), nn.Dropout(dropout),
            nn.Linear(hidden, size), nn.GELU(), nn.Dropout(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm_1(x))
        return x + self.perceptron(self.norm_2(x))


class Transformer(nn.Module):
    """(B, inputs, patch, patch) -> (B, outputs, patch, patch); no class token, no final norm."""

    def __init__(self, inputs: int, outputs: int, config) -> None:
        super().__init__()
        if config.patch % config.token or config.token % 8:
            raise ValueError(f"the patch ({config.patch} px) must be a multiple of the token ({config.token} px), "
                             "and the token one of 8 px")
        self.side = config.patch // config.token
        self.embed = nn.Conv2d(inputs, config.size, config.token, stride=config.token)      # linear on token x token
        self.positions = nn.Parameter(torch.empty(1, self.side**2, config.size))
        self.blocks = nn.Sequential(
            *(Block(config.size, config.hidden, config.heads, config.dropout) for _ in range(config.blocks)))
        self.grow = nn.Sequential(*_growing(config.size, config.decoder))
        self.head = nn.Conv2d(config.decoder, outputs, 1)
        self.last = nn.Upsample(scale_factor=config.token // 8, mode="bilinear")
        nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, x: Tensor) -> Tensor:                             # (B, 64, 384, 384)
        x = self.embed(x)                                               # (B, 768, 24, 24)
        if x.shape[-2:] != (self.side, self.side):
            raise ValueError(f"this network was made for {self.side} x {self.side} tokens, got {list(x.shape[-2:])}")
        x = self.blocks(x.flatten(2).transpose(1, 2) + self.positions)  # (B, 576, 768)
        x = x.transpose(1, 2).unflatten(2, (self.side, self.side))      # (B, 768, 24, 24)
        return self.last(self.head(self.grow(x)))                       # (B, 256, 192, 192) -> (B, 2, 384, 384)


def _growing(size: int, width: int) -> list[nn.Module]:
    """Four times convolution, normalisation, ReLU, and a bilinear doubling between each two."""
    layers: list[nn.Module] = []
    for inputs in (size, width, width, width):
        if layers:
            layers.append(nn.Upsample(scale_factor=2, mode="bilinear"))
        layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
    return layers


class SETR(nn.Module):
    """(B, channels, patch, patch) -> (B, classes, patch, patch) logits."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.fusion = Fusion(config.sources, config.width, config.dropout)
        self.transformer = Transformer(config.width, config.classes, config)

    def forward(self, x: Tensor) -> Tensor:             # (B, 10, 384, 384)
        return self.transformer(self.fusion(x))         # (B, 64, 384, 384) -> (B, 2, 384, 384)
