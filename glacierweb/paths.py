"""Files below DATA_ROOT: rasters and weights are written once, under a name made of their content."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from django.conf import settings


def data_path(relative: str) -> Path:
    """The file that a row names; ValueError for a name that leads out of DATA_ROOT."""
    path = (settings.DATA_ROOT / relative).resolve()
    if not path.is_relative_to(settings.DATA_ROOT):
        raise ValueError(f"{relative} leads out of the data folder")
    return path


def scratch(suffix: str) -> Path:
    """A fresh name for a file that is being written; on the same file system as what it becomes."""
    handle, name = tempfile.mkstemp(suffix=suffix, dir=scratch_folder())
    os.close(handle)
    return Path(name)


def scratch_folder() -> Path:
    """Where unfinished files lie."""
    folder = data_path("scratch")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def adopt(finished: Path, folder: str, suffix: str) -> str:
    """Move a finished file to `folder/<sha256><suffix>` below DATA_ROOT; returns the hash.

    Safe to repeat: the same content ends under the same name. The bytes are on disk before the name appears.
    """
    with finished.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    target = data_path(f"{folder}/{digest}{suffix}")
    target.parent.mkdir(parents=True, exist_ok=True)
    finished.replace(target)
    sync_folder(target.parent)
    return digest


def sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
