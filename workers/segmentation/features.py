"""What a network or forest is shown of a stack: its bands by name, derived indices, one scaling for training and use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workers.imagery import bands
from workers.imagery.rasters import MissingBands, Stack

INDICES = {"ndsi": ("green", "swir1"), "ndwi": ("green", "nir")}
"""Derived where a stack lacks them; from reflectance, before any scaling (decision: they keep their physical meaning)."""

PAPER_OFFSET = 1e-4
"""Added to numerator and denominator where a recipe asks for indices of scaled bands, as one publication had them."""


def features(stack: Stack, names: Sequence[str]) -> np.ndarray:
    """The named bands in the asked order, (C, H, W) float32, NaN where missing; ndsi and ndwi are derived if needed.

    Raises MissingBands with the names that the stack does not offer.
    """
    needed = {source for name in names for source in _sources(stack, name)}
    missing = sorted(needed - set(stack.bands))
    if missing:
        raise MissingBands(
            f"Missing bands: {', '.join(missing)}. The stack offers {', '.join(stack.bands)}; "
            f"asked for {', '.join(names)}. Choose a version trained without them, or a scene that has them.")
    return np.stack([_layer(stack, name) for name in names]).astype(np.float32, copy=False)


def limits(stack: Stack, names: Sequence[str], normalisation: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """(low, high), float32 (C,) each: what becomes 0 and 1 in each feature. `normalisation` is the recipe's:

    {"kind": "none"} | {"kind": "dataset_minmax", "low": [C], "high": [C]} (of the training set) |
    {"kind": "image_minmax"} (of this stack; a constant band gives 0) | {"kind": "image_percentile"} (2nd to 98th) |
    {"kind": "image_minmax_paper"} (and indices computed again from the scaled bands). With the image kinds ndsi and
    ndwi keep their meaning: -1 becomes 0. Raises ValueError on any other kind.
    """
    kind = normalisation["kind"]
    if kind == "none":
        return np.zeros(len(names), np.float32), np.ones(len(names), np.float32)
    if kind == "dataset_minmax":
        return np.asarray(normalisation["low"], np.float32), np.asarray(normalisation["high"], np.float32)
    if kind not in ("image_minmax", "image_percentile", "image_minmax_paper"):
        raise ValueError(f"unknown normalisation {kind!r}: use none, dataset_minmax, image_minmax, "
                         "image_percentile or image_minmax_paper")
    percent = (2, 98) if kind == "image_percentile" else (0, 100)
    pairs = [(-1.0, 1.0) if name in INDICES else _percentiles(features(stack, [name])[0], percent) for name in names]
    low, high = np.array(pairs, np.float32).T
    return low, high


def scaled(pixels: np.ndarray, names: Sequence[str], normalisation: Mapping[str, Any],
           low_high: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Features (C, H, W) mapped so that their limits become 0 and 1; NaN kept, nothing clipped."""
    low, high = (limit[:, None, None] for limit in low_high)
    image = (pixels - low) / np.where(high > low, high - low, 1)
    return _with_paper_indices(image, names) if normalisation["kind"] == "image_minmax_paper" else image


def network_input(stack: Stack, names: Sequence[str], normalisation: Mapping[str, Any]) -> np.ndarray:
    """Features of a whole stack, scaled; (C, H, W) float32, NaN where missing."""
    low_high = limits(stack, names, normalisation)
    return scaled(features(stack, names), names, normalisation, low_high)


def _percentiles(band: np.ndarray, percent: tuple[float, float]) -> tuple[float, float]:
    known = band[np.isfinite(band)]
    return tuple(np.percentile(known, percent)) if len(known) else (0.0, 0.0)


def _sources(stack: Stack, name: str) -> Sequence[str]:
    return INDICES.get(name, (name,)) if name not in stack.bands else (name,)


def _layer(stack: Stack, name: str) -> np.ndarray:
    if name in stack.bands or name not in INDICES:
        return stack.band(name)
    index = {"ndsi": bands.ndsi, "ndwi": bands.ndwi}[name]
    return index(*(stack.band(source) for source in INDICES[name]))


def _with_paper_indices(image: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """ndsi and ndwi from the stretched bands of the same image."""
    for name, (first, second) in INDICES.items():
        if {name, first, second} <= set(names):
            a, b = image[names.index(first)], image[names.index(second)]
            index = (a - b + PAPER_OFFSET) / (a + b + PAPER_OFFSET)
            image[names.index(name)] = (index + 1) / 2
    return image
