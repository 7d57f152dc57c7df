"""LSTM encoder-decoder on flattened frames, with peepholes.

Hochreiter and Schmidhuber (1997), Long short-term memory; peepholes after Gers and Schmidhuber (2000), Recurrent nets
that time and count; encoder-decoder after Srivastava et al. (2015), Unsupervised learning of video representations
using LSTMs; used for NDSI masks by Müller (2023, eq. 2). Decision: the text there asks for peepholes, the printed
equations omit them; they are on by default, diagonal, and the output gate sees the new cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from .residual import Residual, base_frames, check_residual, fed_back

State = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Config:
    """The published network; 300,165,000 trainable parameters (300,120,000 without peepholes)."""

    patch: int = 50
    """Pixels on a side; a frame of patch x patch pixels is one input vector and one hidden vector."""
    layers: int = 3
    """Cells on top of each other, in the encoder and again in the decoder."""
    peepholes: bool = True
    dropout: float = 0.1
    """Between the layers."""
    frames: int = 4
    leads: int = 4
    residual: Residual = "none"


SMALL = Config(patch=20, layers=2)  # 5,137,600 parameters


class Cell(nn.Module):
    """One LSTM cell with separate input and recurrent biases; without peepholes it is ``torch.nn.LSTMCell``."""

    def __init__(self, inputs: int, hidden: int, peepholes: bool):
        super().__init__()
        self.input = nn.Linear(inputs, 4 * hidden)                     # gates in the order i, f, g, o
        self.recurrent = nn.Linear(hidden, 4 * hidden)
        self.peephole = nn.Parameter(torch.zeros(3, hidden)) if peepholes else None   # of i, f, o
        with torch.no_grad():
            self.input.bias[hidden : 2 * hidden] = 1.0                 # the forget gate starts open:
            self.recurrent.bias[hidden : 2 * hidden] = 0.0             # its two biases add up to +1

    def forward(self, x: Tensor, state: State) -> State:               # x (B, inputs)
        h, c = state                                                   # (B, hidden) each
        i, f, g, o = (self.input(x) + self.recurrent(h)).chunk(4, 1)
        if self.peephole is not None:
            i, f = i + self.peephole[0] * c, f + self.peephole[1] * c
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        if self.peephole is not None:
            o = o + self.peephole[2] * c
        return o.sigmoid() * c.tanh(), c


class Stack(nn.Module):
    """Cells on top of each other, with dropout between them."""

    def __init__(self, size: int, layers: int, peepholes: bool, drop: float):
        super().__init__()
        self.size, self.drop = size, drop
        self.cells = nn.ModuleList(Cell(size, size, peepholes) for _ in range(layers))

    def start(self, like: Tensor) -> list[State]:
        zero = like.new_zeros(like.shape[0], self.size)
        return [(zero, zero) for _ in self.cells]

    def forward(self, x: Tensor, states: list[State]) -> tuple[Tensor, list[State]]:   # x (B, size), one step
        after: list[State] = []
        for depth, (cell, state) in enumerate(zip(self.cells, states, strict=True)):
            x, c = cell(dropout(x, self.drop, self.training) if depth else x, state)
            after.append((x, c))
        return x, after                                                # the top hidden state (B, size)

    def read(self, sequence: Tensor) -> tuple[Tensor, list[State]]:    # (B, T, size)
        """Run over a whole sequence from zero: the top hidden states (B, T, size) and the last states."""
        states, hidden = self.start(sequence), []
        for t in range(sequence.shape[1]):
            top, states = self(sequence[:, t], states)
            hidden.append(top)
        return torch.stack(hidden, 1), states


class LSTM(nn.Module):
    """Reads the frames, hands its states over layer by layer, and writes the coming frames one by one."""

    reads_whole_images = False

    def __init__(self, config: Config = Config()):
        super().__init__()
        check_residual(config.residual)
        self.config = config
        self.encoder = Stack(config.patch**2, config.layers, config.peepholes, config.dropout)
        self.decoder = Stack(config.patch**2, config.layers, config.peepholes, config.dropout)

    def forward(self, frames: Tensor, climatology: Tensor | None = None, truth: Tensor | None = None,
                teaching: float = 0.0) -> Tensor:                      # frames (B, T, 50, 50)
        if frames.shape[-2:] != (self.config.patch, self.config.patch):
            raise ValueError(f"frames of {tuple(frames.shape[-2:])} pixels: this network takes "
                             f"{self.config.patch} x {self.config.patch}; cut them into patches")
        leads = self.config.leads
        base = base_frames(self.config.residual, frames, climatology, leads).flatten(2)
        hidden, states = self.encoder.read(frames.flatten(2))          # (B, T, 2500)
        x, predicted = hidden[:, -1], []                               # the first input: the encoder's last output
        for k in range(leads):
            top, states = self.decoder(x, states)                      # (B, 2500)
            predicted.append(base[:, k] + top)
            x = fed_back(predicted[-1], None if truth is None else truth[:, k].flatten(1), teaching)
        return torch.stack(predicted, 1).unflatten(2, frames.shape[-2:])   # (B, leads, 50, 50)
