"""How well chips are predicted: the table of Min et al. (2019), with baselines and paired intervals.

The headline compares with the second frame after the last observed one; every lead is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from .chips import correlation_index
from .farneback import high_pass

LOW, HIGH = 0.3, 0.7
HEADLINE_LEAD = 1
"""Index of the second frame after the last observed one."""


@dataclass(frozen=True)
class ChipScores:
    """Correlation with the truth over chips that are neither zero nor undefined."""

    mean: float
    low: float
    """Share below 0.3."""
    medium: float
    """Share from 0.3 to 0.7, both included."""
    high: float
    """Share above 0.7."""
    chips: int
    left_out: int


@dataclass(frozen=True)
class Difference:
    """Mean difference of correlation over the same chips, with its 95 % interval."""

    mean: float
    lo: float
    hi: float
    chips: int


def persistence(seen: np.ndarray, leads: int) -> np.ndarray:
    """The last frame of (T, H, W), again and again: (leads, H, W)."""
    return np.repeat(seen[-1:], leads, 0)


def median_frame(seen: np.ndarray, leads: int) -> np.ndarray:
    """The per-pixel median of the frames seen: hardest to beat where clouds pass through chips."""
    known = np.isfinite(seen).any(0)
    middle = np.nanmedian(np.where(known, seen, 0), axis=0)
    return np.repeat(np.where(known, middle, np.nan)[None], leads, 0)


def high_passed(image: np.ndarray, sigma_px: float = 3.0, binary: bool = False) -> np.ndarray:
    """x - Gaussian mean of x (H, W); ``binary`` keeps only the sign ("close to binary" in the source, undefined)."""
    passed = high_pass(image, sigma_px)
    return np.sign(passed) if binary else passed


def correlations(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Correlation index of every chip and lead: (N, leads, H, W) twice -> (N, leads)."""
    return np.array([[correlation_index(p, t) for p, t in zip(a, b, strict=True)]
                     for a, b in zip(predicted, truth, strict=True)]).reshape(truth.shape[:2])


def baseline_correlations(seen: np.ndarray, truth: np.ndarray, binary: bool = False) -> dict[str, np.ndarray]:
    """The three baselines on ``seen`` (N, T, H, W) and ``truth`` (N, leads, H, W), each (N, leads)."""
    leads = truth.shape[1]
    last = np.stack([persistence(s, leads) for s in seen])
    middle = np.stack([median_frame(s, leads) for s in seen])
    passed = [np.stack([[high_passed(f, binary=binary) for f in chip] for chip in some]) for some in (last, truth)]
    return {"persistence": correlations(last, truth), "high-pass": correlations(*passed),
            "median": correlations(middle, truth)}


def summary(ci: np.ndarray) -> ChipScores:
    """Mean and shares over the non-zero, defined values of ``ci`` (N,); the shares add up to 1."""
    good = ci[np.isfinite(ci) & (ci != 0)]
    if not good.size:
        return ChipScores(float("nan"), float("nan"), float("nan"), float("nan"), 0, ci.size)
    low, high = float((good < LOW).mean()), float((good > HIGH).mean())
    return ChipScores(float(good.mean()), low, float(((good >= LOW) & (good <= HIGH)).mean()), high,
                      good.size, ci.size - good.size)


def paired_difference(first: np.ndarray, second: np.ndarray, resamples: int = 1000, seed: int = 0) -> Difference:
    """Mean of first - second over the chips defined in both (N,), with a paired bootstrap over chips."""
    both = np.isfinite(first) & np.isfinite(second) & (first != 0) & (second != 0)
    difference = (first - second)[both]
    if not difference.size:
        return Difference(float("nan"), float("nan"), float("nan"), 0)
    drawn = np.random.default_rng(seed).integers(0, difference.size, (resamples, difference.size))
    lo, hi = np.quantile(difference[drawn].mean(1), (0.025, 0.975))
    return Difference(float(difference.mean()), float(lo), float(hi), difference.size)


def evaluation_table(methods: Mapping[str, np.ndarray], model: str, terrain: np.ndarray | None = None,
                     seed: int = 0) -> list[dict]:
    """One row per method, lead and terrain from correlations (N, leads) by name.

    ``terrain`` (N,) holds a label per chip ("texture", "slope"); every row also says how far ``model`` is ahead of it,
    with a paired interval. Row keys: method, lead (1 = the next frame), terrain, headline, ChipScores, ahead.
    """
    count, leads = methods[model].shape
    kinds = {"all": np.ones(count, bool)}
    if terrain is not None:
        kinds |= {str(kind): np.asarray(terrain) == kind for kind in np.unique(terrain)}
    return [
        {"method": name, "lead": lead + 1, "terrain": kind, "headline": lead == min(HEADLINE_LEAD, leads - 1),
         **asdict(summary(ci[chosen, lead])),
         "ahead": asdict(paired_difference(methods[model][chosen, lead], ci[chosen, lead], seed=seed))}
        for lead in range(leads) for kind, chosen in kinds.items() for name, ci in methods.items()
    ]


def on_the_map(ci: np.ndarray, rows: np.ndarray, cols: np.ndarray, size: int, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) float32 map of correlation: the mean of the chips that cover a pixel, NaN where none does."""
    total, count = np.zeros(shape), np.zeros(shape)
    for value, row, col in zip(ci, rows, cols, strict=True):
        if np.isfinite(value):
            total[row : row + size, col : col + size] += value
            count[row : row + size, col : col + size] += 1
    return np.divide(total, count, out=np.full(shape, np.nan), where=count > 0).astype(np.float32)
