"""Checkpoints of a training: written all or nothing, the last two kept, read without unpickling objects."""

from __future__ import annotations

import os
import pickle
import random
import re
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from workers.imagery.durable import flush

KEPT = 2
FREE = ("device", "compile")
"""Settings that say where a training runs, not what it is."""
NAME = re.compile(r"step-(\d{9})\.ckpt")


class OtherData(ValueError):
    """A checkpoint belongs to a training on other data."""

    def __init__(self, checkpoint: str, asked: str) -> None:
        self.checkpoint, self.asked = checkpoint, asked
        super().__init__(
            f"The checkpoint was made on the data manifest {checkpoint or '(none)'}, this training is asked on "
            f"{asked or '(none)'}. Start a new training, or give the same data."
        )


class OtherSettings(ValueError):
    """A checkpoint belongs to a training with other settings: going on would end where neither would have."""


def require_same_settings(checkpoint: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Raise OtherSettings naming what differs. The device may change: a machine can be lost."""
    unlike = [f"{name} was {checkpoint[name]!r} and is {value!r}" for name, value in asked.items()
              if name in checkpoint and name not in FREE and checkpoint[name] != value]  # fmt: skip
    if unlike:
        raise OtherSettings(f"The checkpoint was made with other settings: {'; '.join(unlike)}. "
                            "Start a new training, or give the same settings.")  # fmt: skip


def write(folder: Path, step: int, state: dict[str, Any]) -> Path:
    """Write `state` as the checkpoint of `step`: temporary file, fsync, rename; older than the last two go."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(".checkpoint-*"):  # of a process that was killed while it wrote
        left.unlink(missing_ok=True)
    handle, name = tempfile.mkstemp(prefix=".checkpoint-", dir=folder)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        path = folder / f"step-{step:09d}.ckpt"
        temporary.replace(path)
        flush(folder)
    finally:
        temporary.unlink(missing_ok=True)
    for old in found(folder)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def found(folder: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(path for path in folder.glob("step-*.ckpt") if NAME.fullmatch(path.name))


def newest(folder: Path, manifest: str) -> dict[str, Any] | None:
    """The newest whole checkpoint's state; None when there is none. Raises OtherData on another manifest."""
    for path in reversed(found(folder)):
        state = _read(path)
        if state is None:
            continue  # damaged by a full disk or a crash of the machine: the one before it is whole
        if state["manifest"] != manifest:
            raise OtherData(state["manifest"], manifest)
        return state
    return None


def _read(path: Path) -> dict[str, Any] | None:
    """The state in a file; None where it is cut short, altered, or no checkpoint."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:  # torch itself does not look at the checksums
                return None
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (zipfile.BadZipFile, zlib.error, pickle.UnpicklingError,
            RuntimeError, EOFError, OSError, ValueError, LookupError):  # fmt: skip
        return None
    return state if isinstance(state, dict) and {"manifest", "settings", "step"} <= state.keys() else None


def random_state() -> dict[str, Any]:
    """The states of Python's, numpy's and torch's generators, as plain values and tensors."""
    found: Any = np.random.get_state()  # noqa: NPY002 - the global one is what others use
    name, keys, position, has_gauss, gauss = found
    state = {
        "python": random.getstate(),
        "numpy": (name, keys.tolist(), position, has_gauss, gauss),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def restore_random_state(state: dict[str, Any]) -> None:
    """Put the generators back where `random_state` found them."""
    version, keys, gauss = state["python"]
    random.setstate((version, tuple(keys), gauss))
    name, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, np.asarray(keys, np.uint32), position, has_gauss, gauss))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])
