"""The memory guard: a preset that would not fit is refused before it is taught."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

COPIES = 4
"""Weights, gradients and Adam's two moments, all float32."""
SHARE = 0.6


class TooLittleMemory(MemoryError):
    """Weights and optimiser state exceed the allowed share of free memory."""


def needed_bytes(network: nn.Module) -> int:
    """Bytes of weights, gradients and optimiser state; works on the meta device too."""
    return COPIES * sum(4 * parameter.numel() for parameter in network.parameters())


def free_bytes(device: str = "auto") -> int:
    """Free memory of the GPU when one is used, else of the machine or of the group the process is confined to."""
    if device != "cpu" and torch.cuda.is_available():
        return torch.cuda.mem_get_info()[0]
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    return min([available, *_confined()])


def require_memory(network: nn.Module, device: str = "auto", free: int | None = None) -> None:
    """Raise TooLittleMemory when `needed_bytes` is more than 60 % of what is free."""
    needed, free = needed_bytes(network), free_bytes(device) if free is None else free
    if needed > SHARE * free:
        raise TooLittleMemory(
            f"Teaching this network needs {needed / 1e9:.1f} GB for weights and optimiser; {free / 1e9:.1f} GB are "
            f"free, of which {SHARE:.0%} may be used. Choose the preset 'small', or a machine with more memory."
        )


def _confined() -> list[int]:
    """What the control group (version 2) leaves, if it sets a limit."""
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    try:
        text = limit.read_text().strip()
        return [] if text == "max" else [max(0, int(text) - int(used.read_text()))]
    except (OSError, ValueError):
        return []
