"""How values are stored: integers with a scale and a declared nodata instead of NaN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

INT16_NODATA, UINT8_NODATA = -32768, 255
INT16_SCALE = 1e-4  # reflectance, NDSI, probability
THERMAL_SCALE, THERMAL_OFFSET = 0.01, 150.0
REFLECTANCE = frozenset({"coastal", "blue", "green", "red", "nir", "swir1", "swir2"})
ENCODINGS = ("auto", "reflectance", "ndsi", "probability", "uint8", "float32")


class Coded(NamedTuple):
    """One layer (H, W) as it is stored: value = values * scale + offset."""

    values: np.ndarray
    scale: float
    offset: float
    nodata: float


def coded(pixels: np.ndarray, bands: Sequence[str], encode: str) -> list[Coded]:
    """(C, H, W) float with NaN -> one Coded a band, all of one type (see rasters.write for `encode`)."""
    if encode == "auto":
        encode = "reflectance" if set(bands) <= REFLECTANCE | {"thermal"} else "float32"
    return [_layer(layer, band, encode) for layer, band in zip(pixels, bands, strict=True)]


def _layer(layer: np.ndarray, band: str, encode: str) -> Coded:
    missing = np.isnan(layer)
    if encode == "float32":
        return Coded(layer, 1.0, 0.0, float("nan"))
    if encode == "uint8":
        return Coded(np.where(missing, UINT8_NODATA, layer).astype(np.uint8), 1.0, 0.0, UINT8_NODATA)
    thermal = band == "thermal" and encode == "reflectance"
    scale, offset = (THERMAL_SCALE, THERMAL_OFFSET) if thermal else (INT16_SCALE, 0.0)
    steps = (np.where(missing, 0, layer).astype(np.float64) - offset) / scale
    # a probability is rounded down: what is below one half must not become it
    steps = np.floor(steps + 1e-6) if encode == "probability" else np.rint(steps)
    values = np.clip(steps, INT16_NODATA + 1, 32767).astype(np.int16)
    values[missing] = INT16_NODATA
    return Coded(values, scale, offset, INT16_NODATA)


def statistics_of(layer: Coded) -> dict[str, str]:
    """GDAL's statistics of the stored values, so that a viewer needs no pass of its own; {} without a value."""
    seen = (
        layer.values[~np.isnan(layer.values)] if np.isnan(layer.nodata) else layer.values[layer.values != layer.nodata]
    )
    if not seen.size:
        return {}
    named = {"MINIMUM": seen.min(), "MAXIMUM": seen.max(), "MEAN": seen.mean(), "STDDEV": seen.std()}
    return {f"STATISTICS_{name}": repr(float(value)) for name, value in named.items()}
