"""What a network or forest is shown of a stack: its bands by name, derived layers, one scaling for training and use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workers.imagery import bands, terrain
from workers.imagery.normalise import Limits
from workers.imagery.rasters import MissingBands, Stack

DERIVED: dict[str, tuple[tuple[str, ...], Callable[..., np.ndarray]]] = {
    "ndsi": (("green", "swir1"), lambda stack: bands.ndsi(stack.band("green"), stack.band("swir1"))),
    "ndwi": (("green", "nir"), lambda stack: bands.ndwi(stack.band("green"), stack.band("nir"))),
    "co_pol_db": (("co_pol",), lambda stack: bands.decibel(stack.band("co_pol"))),
    "cross_pol_db": (("cross_pol",), lambda stack: bands.decibel(stack.band("cross_pol"))),
    "slope": (("elevation",), lambda stack: terrain.slope_degrees(stack.band("elevation"), stack.grid)),
}
"""Made where a stack lacks them. Indices come from reflectance, before scaling, and keep their meaning (decision)."""

INDICES = ("ndsi", "ndwi")
PAPER_OFFSET = 1e-4
"""Added to numerator and denominator where a recipe asks for indices of scaled bands, as one publication had them."""


def layers(stack: Stack, names: Sequence[str]) -> list[np.ndarray]:
    """The named bands in the asked order, each (H, W) with NaN where missing; views where the stack has them.

    Raises MissingBands with the names that the stack does not offer and that cannot be derived.
    """
    needed = [source for name in names for source in _sources(stack, name)]
    missing = sorted(set(needed) - set(stack.bands))
    if missing:
        raise MissingBands(
            f"Missing bands: {', '.join(missing)}. The stack offers {', '.join(stack.bands) or 'none'}; "
            f"asked for {', '.join(names)}. Choose a version trained without them, or a scene that has them.")
    return [stack.band(name) if name in stack.bands else DERIVED[name][1](stack) for name in names]


def features(stack: Stack, names: Sequence[str]) -> np.ndarray:
    """The named bands in the asked order, (C, H, W) float32, NaN where missing; refuses what `layers` refuses."""
    return np.stack(layers(stack, names)).astype(np.float32, copy=False)


def limits(planes: Sequence[np.ndarray], names: Sequence[str], normalisation: Mapping[str, Any]) -> Limits:
    """What becomes 0 and 1 in each feature. `normalisation` is the recipe's, a mapping with "kind":

    "none"; "dataset_minmax" with "low" and "high", (C,) each, of the training set; "image_minmax" of these planes
    (a constant band gives 0); "image_percentile" (2nd to 98th); "image_minmax_paper" (indices are computed again
    from the scaled bands). With the image kinds ndsi and ndwi keep their meaning: -1 becomes 0.
    Raises ValueError on any other kind, or when low and high do not fit the names.
    """
    kind = normalisation["kind"]
    if kind == "none":
        return Limits((0.0,) * len(names), (1.0,) * len(names))
    if kind == "dataset_minmax":
        if not len(normalisation["low"]) == len(normalisation["high"]) == len(names):
            raise ValueError(f"dataset_minmax needs low and high for each of {', '.join(names)}")
        return Limits(tuple(normalisation["low"]), tuple(normalisation["high"]))
    if kind not in ("image_minmax", "image_percentile", "image_minmax_paper"):
        raise ValueError(f"unknown normalisation {kind!r}: use none, dataset_minmax, image_minmax, "
                         "image_percentile or image_minmax_paper")
    percent = (2, 98) if kind == "image_percentile" else (0, 100)
    pairs = [(-1.0, 1.0) if name in INDICES else _percentiles(plane, percent)
             for name, plane in zip(names, planes, strict=True)]
    return Limits(tuple(low for low, _ in pairs), tuple(high for _, high in pairs))


def scaled(pixels: np.ndarray, names: Sequence[str], normalisation: Mapping[str, Any], known: Limits) -> np.ndarray:
    """Features (C, H, W) mapped so that their limits become 0 and 1; NaN kept, nothing clipped; float32."""
    image = known.apply(pixels)
    return _with_paper_indices(image, names) if normalisation["kind"] == "image_minmax_paper" else image


def network_input(stack: Stack, names: Sequence[str], normalisation: Mapping[str, Any]) -> np.ndarray:
    """Features of a whole stack, scaled; (C, H, W) float32, NaN where missing (a network is shown 0 there)."""
    pixels = features(stack, names)
    return scaled(pixels, names, normalisation, limits(list(pixels), names, normalisation))


def _sources(stack: Stack, name: str) -> Sequence[str]:
    return DERIVED[name][0] if name in DERIVED and name not in stack.bands else (name,)


def _percentiles(band: np.ndarray, percent: tuple[float, float]) -> tuple[float, float]:
    known = band[np.isfinite(band)]
    low, high = np.percentile(known, percent) if len(known) else (0.0, 0.0)
    return float(low), float(high)


def _with_paper_indices(image: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """ndsi and ndwi from the stretched bands of the same image."""
    names = list(names)
    for index in INDICES:
        first, second = DERIVED[index][0]
        if {index, first, second} <= set(names):
            a, b = image[names.index(first)], image[names.index(second)]
            image[names.index(index)] = ((a - b + PAPER_OFFSET) / (a + b + PAPER_OFFSET) + 1) / 2
    return image
