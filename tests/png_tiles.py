"""PNG tiles as arrays: read by Pillow, for in our processes GDAL knows no PNG."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def indices(content: bytes) -> np.ndarray:
    """(H, W) places in the palette of a coloured tile."""
    image = Image.open(io.BytesIO(content))
    assert image.mode == "P", image.mode
    return np.asarray(image)


def rgba(content: bytes) -> np.ndarray:
    """(H, W, 4) uint8, with a palette or without."""
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))
