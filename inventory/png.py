"""PNG (ISO/IEC 15948) of one tile: 8-bit palette or RGBA, fast compression."""

from __future__ import annotations

import struct
import zlib

import numpy as np

LEVEL = 1


def indexed(places: np.ndarray, palette: np.ndarray) -> bytes:
    """uint8 (H, W) places in a palette, uint8 (256, 4) RGBA."""
    height, width = places.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = [(b"PLTE", palette[:, :3].tobytes()), (b"tRNS", palette[:, 3].tobytes())]
    return _file(header, chunks, places)


def rgba(pixels: np.ndarray) -> bytes:
    """uint8 (H, W, 4)."""
    height, width, _ = pixels.shape
    rows = pixels.reshape(height, -1)
    rows = np.vstack([rows[:1], rows[1:] - rows[:-1]])  # filter "up": neighbouring rows of an image are alike
    return _file(struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0), [], rows, first=2)


def _file(header: bytes, chunks: list[tuple[bytes, bytes]], rows: np.ndarray, first: int = 0) -> bytes:
    lines = np.full((rows.shape[0], rows.shape[1] + 1), first, dtype=np.uint8)  # each row begins with its filter
    lines[:, 1:] = rows
    listed = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(lines.tobytes(), LEVEL)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in listed)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
