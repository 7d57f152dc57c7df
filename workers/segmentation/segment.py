"""A stack becomes a probability map: windows in, one Gaussian-weighted mosaic out.

Bands are found by name; what a recipe asks for and a stack lacks is refused, never filled in. Where any of the asked
bands is missing the map is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from workers.imagery import windows
from workers.imagery.rasters import Stack

from . import features
from .areas import area_km2
from .random_forest import PixelForest

__all__ = ["area_km2", "glacier_probability", "segment_stack"]

BATCH = 8                   # windows in one pass of the network
ROWS_AT_ONCE = 256          # of a stack, for a forest
PATCH = 384                 # px, where a recipe and its config are silent (a network without positions)


class Recipe(Protocol):
    """What segmentation reads of a version's recipe."""

    @property
    def bands(self) -> tuple[str, ...]: ...

    @property
    def normalisation(self) -> Mapping[str, Any]: ...

    @property
    def options(self) -> Mapping[str, Any]:
        """Optional: "patch" and "stride" (px), "temperature", "whole_image" (resize to one patch and back)."""


class Learned(Protocol):
    """A trained forest or network with its recipe; a network is in eval mode."""

    @property
    def network(self) -> Any: ...

    @property
    def recipe(self) -> Recipe: ...


Report = Callable[[float, str], None]
"""Told the fraction done and the step."""

Predict = Callable[[nn.Module, Tensor], Tensor]
"""network, (B, C, h, w) -> glacier probability (B, h, w)."""


def glacier_probability(network: nn.Module, x: Tensor, temperature: float = 1.0) -> Tensor:
    """Calibrated probability of the class glacier: (B, C, h, w) -> (B, h, w) in 0..1."""
    logits = network(x)                                                 # (B, 2, h, w)
    return torch.sigmoid((logits[:, 1] - logits[:, 0]).float() / temperature)


def segment_stack(
    stack: Stack,
    learned: Learned,
    report: Report = lambda fraction, step: None,
    predict: Predict | None = None,
) -> np.ndarray:
    """Probability of glacier, (H, W) float32 in 0..1, NaN where a needed band is missing.

    `predict` replaces the plain forward pass (calibrate.py samples with it). Raises MissingBands by name.
    """
    recipe = learned.recipe
    planes = features.layers(stack, recipe.bands)
    if isinstance(learned.network, PixelForest):
        return _by_forest(planes, learned.network, report)
    known = features.limits(planes, recipe.bands, recipe.normalisation)

    def pixels(rows: slice, cols: slice) -> np.ndarray:
        image = np.stack([plane[rows, cols] for plane in planes])
        return features.scaled(image, recipe.bands, recipe.normalisation, known)

    return mosaic(pixels, stack.grid.shape, learned, report, predict)


def mosaic(
    pixels: Callable[[slice, slice], np.ndarray],
    shape: tuple[int, int],
    learned: Learned,
    report: Report = lambda fraction, step: None,
    predict: Predict | None = None,
) -> np.ndarray:
    """Run a network over windows of an image that `pixels(rows, cols)` gives as (..., h, w); (H, W) float32.

    Only one batch of windows and two maps are held at a time.
    """
    options = learned.recipe.options
    predict = predict or partial(glacier_probability, temperature=float(options.get("temperature", 1.0)))
    patch = int(options.get("patch", getattr(learned.network.config, "patch", PATCH)))
    if options.get("whole_image"):
        return _whole(pixels(slice(0, shape[0]), slice(0, shape[1])), patch, learned.network, predict)
    rows, cols = (windows.origins(n, patch, int(options.get("stride", patch // 2)), cover=True) for n in shape)
    places = [(row, col) for row in rows for col in cols]
    stitcher = windows.Stitcher(shape, patch)
    for first in range(0, len(places), BATCH):
        some = places[first : first + BATCH]
        cut = [(row, col, pixels(slice(row, row + patch), slice(col, col + patch))) for row, col in some]
        known = [window for window in cut if not missing_pixels(window[2]).all()]      # nothing seen, nothing to ask
        found = run_network(learned.network, [windows.padded(image, patch) for *_, image in known], predict)
        for (row, col, image), probability in zip(known, found, strict=True):
            h, w = image.shape[-2:]
            stitcher.add(row, col, np.where(missing_pixels(image), np.nan, probability[:h, :w]))
        report((first + len(some)) / len(places), f"window {first + len(some)} of {len(places)}")
    return np.clip(stitcher.result(), 0, 1)


def run_network(network: nn.Module, images: Sequence[np.ndarray], predict: Predict) -> np.ndarray:
    """(B, h, w) float32 probabilities of images (..., h, w) of one size; the network is shown 0 where they are NaN."""
    if not images:
        return np.empty((0, 0, 0), np.float32)
    device = next(network.parameters()).device
    batch = torch.from_numpy(np.nan_to_num(np.stack(images))).to(device)
    if batch.ndim == 4:
        batch = batch.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode(), torch.autocast(device.type, enabled=device.type == "cuda"):
        return predict(network, batch).float().cpu().numpy()


def missing_pixels(image: np.ndarray) -> np.ndarray:
    """(..., h, w) -> (h, w) bool: some channel is missing there."""
    return np.isnan(image).any(axis=tuple(range(image.ndim - 2)))


def _by_forest(planes: Sequence[np.ndarray], forest: PixelForest, report: Report) -> np.ndarray:
    out = np.empty(planes[0].shape, np.float32)
    for row in range(0, len(out), ROWS_AT_ONCE):
        rows = slice(row, row + ROWS_AT_ONCE)
        out[rows] = forest.predict(np.stack([plane[rows] for plane in planes], axis=-1))
        report(min(1.0, rows.stop / len(out)), f"row {min(rows.stop, len(out))} of {len(out)}")
    return out


def _whole(image: np.ndarray, patch: int, network: nn.Module, predict: Predict) -> np.ndarray:
    """The image resized to one patch, whatever its shape, and its probabilities resized back; both bilinear."""
    small = _resized(np.nan_to_num(image), (patch, patch))
    probability = _resized(run_network(network, [small], predict), image.shape[-2:])[0]
    probability[missing_pixels(image)] = np.nan
    return probability


def _resized(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:     # (C, h, w) -> (C, *shape)
    tensor = torch.from_numpy(np.ascontiguousarray(image))[None]
    return interpolate(tensor, shape, mode="bilinear", align_corners=False, antialias=True)[0].numpy()
