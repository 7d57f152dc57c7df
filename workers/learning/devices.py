"""Where a training runs: processor or GPU, alone or as one of several processes under torchrun."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import nn

from workers.learning.train_settings import TrainSettings


def place(device: str) -> tuple[int, int, torch.device]:
    """(rank, number of processes, device); joins the others only when `torchrun` started more than one."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    rank, local = int(os.environ.get("RANK", "0")), int(os.environ.get("LOCAL_RANK", "0"))
    gpu = torch.cuda.is_available() and device != "cpu"
    if world > 1 and gpu:
        torch.cuda.set_device(local)
    if world > 1 and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if gpu else "gloo")
    return (rank if world > 1 else 0), world, torch.device(f"cuda:{local}" if gpu else "cpu")


def seed_all(seed: int) -> None:
    """Seed the global generators of Python, numpy and torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - libraries that draw from the global generator
    torch.manual_seed(seed)


def seed_of(seed: int, step: int, rank: int) -> int:
    """One seed for a step of one process."""
    return int(np.random.SeedSequence([seed, step, rank]).generate_state(1)[0])


def store_channels_last(network: nn.Module) -> None:
    """Lay out the kernels of 2-D and 3-D convolutions with the channels last, in place; values stay."""
    layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
    for parameter in network.parameters():
        if parameter.ndim in layouts:
            parameter.data = parameter.data.contiguous(memory_format=layouts[parameter.ndim])


def optimiser_of(network: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    """Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019), second moment 0.999, eps 1e-8."""
    kind = torch.optim.AdamW if settings.optimiser == "adamw" else torch.optim.Adam
    return kind(network.parameters(), lr=settings.lr, betas=(settings.beta1, 0.999), eps=1e-8,
                weight_decay=settings.weight_decay)


def precision_on(device: torch.device, asked: str) -> str:
    """What a forward pass computes in: as asked on a GPU ("auto": bf16 where it has it), else float32."""
    if device.type != "cuda":
        return "float32"
    if asked == "auto":
        return "bf16" if torch.cuda.is_bf16_supported() else "float32"
    return asked


def autocast_of(precision: str) -> Callable[[], AbstractContextManager]:
    """The context of a forward pass in this precision: autocast on the GPU, or nothing for float32."""
    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
    if precision not in kinds:
        return nullcontext
    return lambda: torch.autocast("cuda", dtype=kinds[precision])


def shared(objective: nn.Module, device: torch.device) -> nn.Module:
    """The objective with its gradients averaged over all processes."""
    devices = [device.index] if device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(objective, device_ids=devices)
