"""Where a training runs: processor or GPU, alone or as one of several processes under torchrun."""

from __future__ import annotations

import os
import random
from contextlib import nullcontext

import numpy as np
import torch
from torch import nn

from workers.learning.train_settings import TrainSettings


def place(device: str) -> tuple[int, int, torch.device]:
    """(rank, number of processes, device); joins the others only when `torchrun` started more than one."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    rank, local = int(os.environ.get("RANK", "0")), int(os.environ.get("LOCAL_RANK", "0"))
    gpu = torch.cuda.is_available() and device != "cpu"
    if world > 1 and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if gpu else "gloo")
    return (rank if world > 1 else 0), world, torch.device(f"cuda:{local}" if gpu else "cpu")


def seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - libraries that draw from the global generator
    torch.manual_seed(seed)


def optimiser_of(network: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    kind = torch.optim.AdamW if settings.optimiser == "adamw" else torch.optim.Adam
    return kind(network.parameters(), lr=settings.lr, betas=(settings.beta1, 0.999), eps=1e-8,
                weight_decay=settings.weight_decay)


def autocast_of(precision: str):
    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
    if precision not in kinds:
        return nullcontext
    return lambda: torch.autocast("cuda", dtype=kinds[precision])


def shared(objective: nn.Module, device: torch.device) -> nn.Module:
    devices = [device.index] if device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(objective, device_ids=devices)
