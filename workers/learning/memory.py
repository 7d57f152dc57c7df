"""The memory guard: a preset that would not fit is refused before it is taught."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def built(build: Callable[[Any], nn.Module], config: Any, device: str = "auto") -> nn.Module:
    """build(config), once it is known that it can be taught here.

    Raises TooLittleMemory before a single weight is laid out: the weights alone may be more than the machine has.
    """
    with torch.device("meta"):
        require_memory(build(config), device)
    return build(config)


def _confined(group: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """What the control group (version 2) leaves, if it sets a limit.

    Files read but not in use count as used there although they are given up at once: they are counted as free.
    """
    try:
        text = (group / "memory.max").read_text().strip()
        if text == "max":
            return []
        pages = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        used = int((group / "memory.current").read_text()) - int(pages.get("inactive_file", 0))
        return [max(0, int(text) - used)]
    except (OSError, ValueError):
        return []
