"""SA-LSTM-H: an LSTM whose hidden states attend to each other, and a linear layer that says the next frame.

Müller (2023), who combines the LSTM (Hochreiter and Schmidhuber 1997, with the peepholes of Gers and Schmidhuber 2000)
with multi-head self-attention (Vaswani et al. 2017, Attention is all you need). The number of heads is not given
there; decision: 5, which divides 2500.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from .lstm import Stack
from .residual import Residual, base_frames, check_residual, fed_back


@dataclass(frozen=True)
class Config:
    """The published network; 200,095,000 trainable parameters (200,072,500 without peepholes)."""

    patch: int = 50
    """Pixels on a side; a frame of patch x patch pixels is one vector."""
    layers: int = 3
    heads: int = 5
    peepholes: bool = True
    dropout: float = 0.1
    """Between the layers of the LSTM, and on the attention."""
    frames: int = 4
    leads: int = 4
    feedback: Literal["hidden", "frames"] = "hidden"
    """What the new frame is appended to: the hidden states (as published) or the frames (cleaner)."""
    residual: Residual = "none"


SMALL = Config(patch=20, layers=2, heads=4)  # 3,850,800 parameters


class SALSTM(nn.Module):
    """Reads a window of four vectors, says the next one, slides the window by one, and reads it again."""

    reads_whole_images = False

    def __init__(self, config: Config = Config()):
        super().__init__()
        check_residual(config.residual)
        if config.feedback not in ("hidden", "frames"):
            raise ValueError(f"feedback={config.feedback!r}: use 'hidden' or 'frames'")
        size = config.patch**2
        self.config = config
        self.lstm = Stack(size, config.layers, config.peepholes, config.dropout)
        self.attention = nn.MultiheadAttention(size, config.heads, config.dropout, batch_first=True)
        self.head = nn.Linear(config.frames * size, size)

    def forward(self, frames: Tensor, climatology: Tensor | None = None, truth: Tensor | None = None,
                teaching: float = 0.0) -> Tensor:                      # frames (B, 4, 50, 50)
        side, leads = self.config.patch, self.config.leads
        if frames.shape[1:] != (self.config.frames, side, side):
            raise ValueError(f"frames of shape {tuple(frames.shape[1:])}: this network takes "
                             f"{(self.config.frames, side, side)}; cut them into patches")
        base = base_frames(self.config.residual, frames, climatology, leads).flatten(2)
        window, predicted = frames.flatten(2), []                      # (B, 4, 2500)
        for k in range(leads):
            hidden, _ = self.lstm.read(window)                         # (B, 4, 2500), from zero states
            mixed, _ = self.attention(hidden, hidden, hidden, need_weights=False)
            predicted.append(base[:, k] + self.head(mixed.flatten(1)))     # (B, 10000) -> (B, 2500)
            new = fed_back(predicted[-1], None if truth is None else truth[:, k].flatten(1), teaching)
            kept = hidden if self.config.feedback == "hidden" else window
            window = torch.cat([kept[:, 1:], new[:, None]], 1)         # (B, 4, 2500)
        return torch.stack(predicted, 1).unflatten(2, (side, side))    # (B, leads, 50, 50)
