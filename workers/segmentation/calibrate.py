"""How far a probability can be believed: temperature, confidence, reliability.

Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks (temperature scaling, ECE);
Brier (1950), Verification of forecasts expressed in terms of probability. All on validation data only.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from workers.imagery.grid import Grid

BINS = 15
FEWEST_TILES = 10           # of a region that gets a temperature of its own
LOG_TEMPERATURE = (-3.0, 3.0)
P_EPSILON = 1e-6
MARGIN_M = 300.0


def log_odds(probability: np.ndarray) -> np.ndarray:
    """logit(p) with p clipped at 1e-7 from both ends; float64, NaN kept."""
    return logit(np.clip(np.asarray(probability, np.float64), 1e-7, 1 - 1e-7))


def tempered(probability: np.ndarray, temperature: float) -> np.ndarray:
    """sigma(z / T), the calibrated probability; the side of 0.5 never changes. NaN kept."""
    return expit(log_odds(probability) / temperature)


def fit_temperature(probability: np.ndarray, truth: np.ndarray) -> float:
    """T > 0 that minimises the negative log likelihood of validation pixels (any shape; NaN left out in both).

    ln T is searched in [-3, 3]. Raises ValueError when no labelled pixel remains.
    """
    p, y = _known(probability, truth)
    z = log_odds(p)
    signed = np.where(y, z, -z)                                         # NLL = ln(1 + exp(-signed / T))
    found = minimize_scalar(lambda log_t: np.logaddexp(0, -signed / np.exp(log_t)).mean(),
                            bounds=LOG_TEMPERATURE, method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x))


def temperatures_by_region(probability: np.ndarray, truth: np.ndarray, region: np.ndarray,
                           tile: np.ndarray) -> dict[Hashable, float]:
    """T of every region with at least 10 tiles; all arguments (n,) of one length."""
    found = {}
    for name in np.unique(region):
        mine = region == name
        if len(np.unique(tile[mine])) >= FEWEST_TILES:
            found[name.item()] = fit_temperature(probability[mine], truth[mine])
    return found


def entropy_bits(probability: np.ndarray) -> np.ndarray:
    """Binary entropy H2, bits, p clipped at 1e-6; NaN kept."""
    p = np.clip(np.asarray(probability, np.float64), P_EPSILON, 1 - P_EPSILON)
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


def confidence(probability: np.ndarray) -> np.ndarray:
    """1 - H2(p): 0 is the toss of a coin, 1 is certain. To be shown of calibrated probabilities."""
    return 1 - entropy_bits(probability)


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram of max(p, 1 - p) and what it sums up to."""

    count: np.ndarray           # (bins,) pixels
    confidence: np.ndarray      # (bins,) their mean max(p, 1 - p); NaN in empty bins
    accuracy: np.ndarray        # (bins,) their share on the right side of 0.5; NaN in empty bins
    ece: float
    """Expected calibration error: sum of n_b / n |accuracy - confidence|, empty bins skipped."""
    brier: float
    nll: float

    def to_dict(self) -> dict:
        """Plain numbers for a card; None in empty bins."""
        bins = {name: [None if np.isnan(v) else float(v) for v in getattr(self, name)]
                for name in ("confidence", "accuracy")}
        return {"count": self.count.tolist(), **bins, "ece": self.ece, "brier": self.brier, "nll": self.nll}


def reliability(probability: np.ndarray, truth: np.ndarray, bins: int = BINS) -> Reliability:
    """Reliability over labelled pixels; equal bins on [0, 1], the last one closed. Raises ValueError without any."""
    p, y = _known(probability, truth)
    sure = np.maximum(p, 1 - p)
    which = np.minimum((sure * bins).astype(int), bins - 1)
    count = np.bincount(which, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_sure = np.bincount(which, weights=sure, minlength=bins) / count
        right = np.bincount(which, weights=(p >= 0.5) == y, minlength=bins) / count
    ece = float(np.nansum(count * np.abs(right - mean_sure)) / len(p))
    z = log_odds(p)
    nll = float(np.logaddexp(0, np.where(y, -z, z)).mean())
    return Reliability(count, mean_sure, right, ece, float(np.mean((p - y) ** 2)), nll)


def near_margin(truth: np.ndarray, grid: Grid, metres: float = MARGIN_M) -> np.ndarray:
    """bool (H, W): labelled pixels within `metres` of the true margin, where calibration is worth measuring.

    truth (H, W) 0/1 with NaN where there is no label: the edge of what was labelled is no margin.
    """
    ice, land = (np.asarray(truth, np.float32) > 0.5), (np.asarray(truth, np.float32) <= 0.5)
    if not (ice.any() and land.any()):
        return np.zeros(ice.shape, bool)
    to_land, to_ice = (ndimage.distance_transform_edt(~side, sampling=grid.spacing_m) for side in (land, ice))
    return (ice & (to_land <= metres)) | (land & (to_ice <= metres))


def _known(probability: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if np.shape(probability) != np.shape(truth):
        raise ValueError(f"probability {np.shape(probability)} and truth {np.shape(truth)} must have one shape")
    p, y = np.asarray(probability, np.float64).ravel(), np.asarray(truth, np.float64).ravel()
    known = np.isfinite(p) & np.isfinite(y)
    if not known.any():
        raise ValueError("calibration needs labelled pixels with a probability; there is none")
    return p[known], y[known] > 0.5
