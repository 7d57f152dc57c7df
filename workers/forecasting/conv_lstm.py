"""ConvLSTM encoder-decoder.

Shi et al. (2015), Convolutional LSTM network: a machine learning approach for precipitation nowcasting; without their
peepholes, as Müller (2023, eq. 4) uses it for NDSI masks. The source gives no widths; decision: 64, 64, 24 up and
24, 64, 24 down (a second published set, 128, 64, 32 and 32, 64, 32, is ``WIDE``).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from .residual import Residual, base_frames, check_residual

State = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Config:
    """The published network; 842,233 trainable parameters."""

    encoder: tuple[int, ...] = (64, 64, 24)
    """Hidden channels of the cells that read."""
    decoder: tuple[int, ...] = (24, 64, 24)
    """Hidden channels of the cells that write."""
    frames: int = 4
    leads: int = 4
    patch: int = 50
    """Pixels on a side of a training window. The network itself takes any size."""
    residual: Residual = "none"


WIDE = Config(encoder=(128, 64, 32), decoder=(32, 64, 32))                # 1,554,593 parameters
SMALL = Config(encoder=(16, 16, 8), decoder=(8, 16, 8), patch=20)         # 60,841 parameters


class Cell(nn.Module):
    """One ConvLSTM cell: all four gates from one 3 x 3 convolution of input and hidden map, one bias per gate."""

    def __init__(self, channels_in: int, hidden: int):
        super().__init__()
        self.hidden = hidden
        self.gates = nn.Conv2d(channels_in + hidden, 4 * hidden, 3, padding=1)
        with torch.no_grad():
            self.gates.get_parameter("bias")[hidden : 2 * hidden] = 1.0                 # the forget gate starts open

    def forward(self, x: Tensor, state: State | None) -> State:        # (B, C, H, W)
        if state is None:
            zero = x.new_zeros(x.shape[0], self.hidden, *x.shape[-2:])
            state = zero, zero
        h, c = state                                                   # (B, hidden, H, W)
        i, f, g, o = self.gates(torch.cat([x, h], 1)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


class Stack(nn.Module):
    """Cells on top of each other; each reads the hidden map of the one below."""

    def __init__(self, channels_in: int, widths: tuple[int, ...]):
        super().__init__()
        self.cells = nn.ModuleList(Cell(a, b) for a, b in pairwise((channels_in, *widths)))

    def forward(self, x: Tensor, states: list[State | None]) -> tuple[Tensor, list[State | None]]:
        after: list[State | None] = []
        for cell, state in zip(self.cells, states, strict=True):
            x, c = cell(x, state)
            after.append((x, c))
        return x, after

    def start(self) -> list[State | None]:
        return [None] * len(self.cells)


class ConvLSTM(nn.Module):
    """Reads the frames, then writes the coming ones, feeding its own last hidden map back to itself."""

    reads_whole_images = True

    def __init__(self, config: Config = Config()):
        super().__init__()
        check_residual(config.residual)
        self.config = config
        self.encoder = Stack(1, config.encoder)
        self.decoder = Stack(config.encoder[-1], config.decoder)
        if config.decoder[-1] != config.encoder[-1]:
            raise ValueError(f"the decoder ends with {config.decoder[-1]} channels and is fed its own output: "
                             f"end it with the encoder's {config.encoder[-1]}")
        self.head = nn.Conv2d(config.decoder[-1], 1, 3, padding=1)

    def forward(self, frames: Tensor, climatology: Tensor | None = None, truth: Tensor | None = None,
                teaching: float = 0.0) -> Tensor:                      # frames (B, T, H, W)
        """``truth`` and ``teaching`` change nothing: what is fed back is a hidden map, which has no true value."""
        leads = self.config.leads
        base = base_frames(self.config.residual, frames, climatology, leads)
        states = self.encoder.start()
        for t in range(frames.shape[1]):
            hidden, states = self.encoder(frames[:, t, None], states)  # (B, 24, H, W)
        states, predicted = self.decoder.start(), []                   # zero, then carried along
        for k in range(leads):
            hidden, states = self.decoder(hidden, states)              # (B, 24, H, W)
            predicted.append(base[:, k] + self.head(hidden)[:, 0])
        return torch.stack(predicted, 1)                               # (B, leads, H, W)
