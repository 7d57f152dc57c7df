"""The header of a safetensors file, read and checked before anything in the file is used.

Format: https://huggingface.co/docs/safetensors (8-byte little-endian header length, JSON header, contiguous tensors).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

MAX_HEADER_BYTES = 1_000_000
DTYPE_BYTES = {"F16": 2, "F32": 4, "I32": 4}


class ForeignWeights(ValueError):
    """The file was not written by this program, or names something that this program does not know."""


class DamagedWeights(ValueError):
    """The file is ours but incomplete, altered, or its numbers are not usable."""


def read_header(path: Path) -> dict[str, Any]:
    """The checked header: at most 1 MB, known dtypes, offsets contiguous up to the last byte of the file."""
    path = Path(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 10 or not 2 <= length <= MAX_HEADER_BYTES:
            raise ForeignWeights(
                f"{path.name}: no safetensors file with a header of at most {MAX_HEADER_BYTES:,} bytes "
                f"(it claims {length:,}). Expected a file written by this program."
            )
        raw = file.read(length)
    try:
        header = json.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        kind = DamagedWeights if len(raw) < length else ForeignWeights
        raise kind(f"{path.name}: the header is not JSON. Expected safetensors written by this program.") from error
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__") or {}, dict):
        raise ForeignWeights(f"{path.name}: header or metadata are no JSON objects. Expected safetensors.")
    _check_layout(path, header, size - 8 - length)
    return header


def _check_layout(path: Path, header: Mapping[str, Any], payload_bytes: int) -> None:
    """Every tensor has a known dtype and the bytes of its shape, and they fill the payload without gap or overlap."""
    spans = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            dtype, shape = str(entry["dtype"]), [int(n) for n in entry["shape"]]
            begin, end = (int(n) for n in entry["data_offsets"])
        except (TypeError, KeyError, ValueError) as error:
            raise ForeignWeights(f"{path.name}: the entry of {name!r} has no dtype, shape and offsets.") from error
        if dtype not in DTYPE_BYTES:
            raise DamagedWeights(f"{path.name}: {name} has dtype {dtype}; expected one of {', '.join(DTYPE_BYTES)}.")
        if min(shape, default=1) < 0 or end - begin != DTYPE_BYTES[dtype] * int(np.prod(shape, dtype=object)):
            raise DamagedWeights(f"{path.name}: {name} of shape {shape} does not fit its {end - begin} bytes.")
        spans.append((begin, end))
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise DamagedWeights(f"{path.name}: the tensors are not contiguous at byte {position}.")
        position = end
    if position != payload_bytes:
        raise DamagedWeights(f"{path.name}: holds {payload_bytes:,} bytes of tensors, its header says {position:,}.")
