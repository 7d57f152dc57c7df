"""Metrics of a glacier map against truth. Counts are integers, everything else float64; 0/0 is NaN, never 0 or 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class Confusion:
    """Pixels counted by what was said and what is true; add two to pool them."""

    tp: int
    fp: int
    fn: int
    tn: int

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    @property
    def precision(self) -> float:
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float:
        """F1, the same as Dice."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def iou(self) -> float:
        """Intersection over union = F1 / (2 - F1)."""
        return _ratio(self.tp, self.tp + self.fp + self.fn)

    def to_dict(self) -> dict[str, Any]:
        """Counts and ratios, ready for JSON but for NaN."""
        counts = {"tp": self.tp, "fp": self.fp, "fn": self.fn, "tn": self.tn}
        return counts | {name: getattr(self, name) for name in ("precision", "recall", "f1", "iou")}


NOTHING = Confusion(0, 0, 0, 0)


def confusion(predicted: np.ndarray, truth: np.ndarray, threshold: float = 0.5) -> Confusion:
    """Counts over pixels that are valid (not NaN) in both. predicted (H, W) bool or probability (>= threshold is
    glacier); truth (H, W) bool or 0/1 with NaN where there is no label. Raises ValueError on different shapes.
    """
    said, is_ice = _of_one_shape(predicted, truth)
    valid = ~(np.isnan(said) | np.isnan(is_ice))
    a, b = said[valid] >= threshold, is_ice[valid] >= 0.5
    tp, said_ice, true_ice = int((a & b).sum()), int(a.sum()), int(b.sum())
    return Confusion(tp, said_ice - tp, true_ice - tp, a.size - said_ice - true_ice + tp)


def pooled(counts: Iterable[Confusion]) -> Confusion:
    """All pixels together, as a region is reported."""
    return sum(counts, NOTHING)


def per_glacier_mean(counts: Iterable[Confusion]) -> dict[str, float]:
    """Unweighted mean over glaciers of each ratio; NaN glaciers are left out and counted under "<name>_undefined"."""
    counts = list(counts)
    report: dict[str, float] = {}
    for name in ("precision", "recall", "f1", "iou"):
        values = np.array([getattr(one, name) for one in counts], dtype=np.float64)
        known = values[~np.isnan(values)]
        report[name] = float(known.mean()) if known.size else float("nan")
        report[f"{name}_undefined"] = int(values.size - known.size)
    return report


def per_region(counts: Mapping[str, Sequence[Confusion]]) -> dict[str, Any]:
    """Pooled ratios of each region, and over regions the unweighted mean and *population* sd of IoU."""
    regions = {name: pooled(some) for name, some in counts.items()}
    iou = np.array([one.iou for one in regions.values()], dtype=np.float64)
    known = iou[~np.isnan(iou)]
    return {
        "regions": {name: one.to_dict() for name, one in regions.items()},
        "iou_mean": float(known.mean()) if known.size else float("nan"),
        "iou_sd": float(known.std(ddof=0)) if known.size else float("nan"),
        "undefined": int(iou.size - known.size),
    }


def boundary_distance_m(
    predicted: np.ndarray, truth: np.ndarray, pixel_m: float | tuple[float, float]
) -> dict[str, float]:
    """Symmetric boundary distance: mean and 95th percentile (m) over the boundary pixels of both masks.

    predicted (H, W) bool or probability, truth (H, W) bool or 0/1, NaN in either where nothing is known; pixel_m: side
    of a pixel, or (from row to row, from column to column). A boundary pixel is glacier with a neighbour (4-connected,
    or outside) that is known not to be. NaN when one of the masks is empty. Raises ValueError on different shapes.
    """
    said, is_ice = _of_one_shape(predicted, truth)
    unknown = np.isnan(said) | np.isnan(is_ice)
    edges = [_boundary(~unknown & (mask >= 0.5), unknown) for mask in (said, is_ice)]
    if not (edges[0].any() and edges[1].any()):
        return {"mean": float("nan"), "p95": float("nan")}
    away = [ndimage.distance_transform_edt(~edge, sampling=pixel_m) for edge in edges]
    both = np.concatenate([away[1][edges[0]], away[0][edges[1]]])
    return {"mean": float(both.mean()), "p95": float(np.percentile(both, 95))}


def relative_area_error(area_km2: float, reference_km2: float) -> float:
    """(A - A_ref) / A_ref; NaN when the reference is 0."""
    return float((area_km2 - reference_km2) / reference_km2) if reference_km2 else float("nan")


def _of_one_shape(predicted: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if predicted.shape != truth.shape:
        raise ValueError(f"prediction {predicted.shape} and truth {truth.shape} must have one shape")
    return np.asarray(predicted, np.float32), np.asarray(truth, np.float32)


def _boundary(mask: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    return mask & ~ndimage.binary_erosion(mask | unknown, border_value=0)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
