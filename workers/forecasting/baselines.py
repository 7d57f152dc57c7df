"""Forecasts that cost nothing: what every network has to beat, and the climatology some networks start from.

Frames come on a regular calendar of ``months`` months each, so the season of a frame is its index modulo 12 / months;
no dates are needed. ``history`` is always (T, H, W), NaN where nothing is known, and ends with the last frame before
the forecast is issued. Every baseline returns (leads, H, W) float32, unclipped.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workers.imagery.windows import TooFewFrames

FEWEST_YEARS = 2
"""A mean over fewer frames of a season is no climatology."""

Baseline = Callable[[np.ndarray, int, int], np.ndarray]


def seasons_in_a_year(months: int) -> int:
    """12 / months: 4 for quarters, 2 for half-years. Raises ValueError where months does not divide 12."""
    if months not in (1, 2, 3, 4, 6, 12):
        raise ValueError(f"frames of {months} months do not fill a year: use 1, 2, 3, 4, 6 or 12")
    return 12 // months


def nan_mean(frames: np.ndarray, fewest: int = 1, weights: np.ndarray | None = None) -> np.ndarray:
    """Mean over the first axis, ignoring NaN; NaN where fewer than ``fewest`` values are known.

    ``weights`` (T,), all above 0, let some frames count more; without them all count the same.
    """
    known = np.isfinite(frames)
    weights = np.ones(len(frames)) if weights is None else weights
    total = np.tensordot(weights, np.where(known, frames, 0), 1)
    weight = np.tensordot(weights, known, 1)
    enough = known.sum(0) >= max(fewest, 1)
    return np.where(enough, total / np.where(enough, weight, 1), np.nan).astype(np.float32)


def seasonal_means(values: np.ndarray, months: int, fewest: int = 1, keep: np.ndarray | None = None,
                   weights: np.ndarray | None = None) -> np.ndarray:
    """Per pixel and season the mean of (T, H, W); (12 / months, H, W), season s from frames s, s + P, s + 2P, ...

    ``keep`` (T,) bool leaves frames out, ``weights`` (T,) let some count more; a pixel with fewer than ``fewest``
    values in a season is NaN there.
    """
    period = seasons_in_a_year(months)
    keep = np.ones(len(values), bool) if keep is None else keep
    weights = np.ones(len(values)) if weights is None else weights
    of_season = [keep & (np.arange(len(values)) % period == s) for s in range(period)]
    return np.stack([nan_mean(values[some], fewest, weights[some]) for some in of_season])


def climatology_frames(values: np.ndarray, months: int, first_target: int, seen: int = 4, leads: int = 4,
                       keep: np.ndarray | None = None, fewest: int = FEWEST_YEARS,
                       forgetting: float = 0.0) -> np.ndarray:
    """The climatology a network is given: for the ``seen`` frames before ``first_target`` and the ``leads`` from it.

    Without ``keep`` only frames before ``first_target`` are averaged, as at prediction time. A training sample passes
    ``keep`` (T,) bool, the training frames without its own targets (see :func:`without`). A frame k years from the
    target counts (1 - ``forgetting``) ** k: simple exponential smoothing of each season (Gardner 2006, Exponential
    smoothing: the state of the art), 0 the plain mean. Returns (seen + leads, H, W), NaN where fewer than ``fewest``
    years of that season are known. Raises ValueError where ``forgetting`` is not in [0, 1).
    """
    if not 0 <= forgetting < 1:
        raise ValueError(f"forgetting={forgetting}: give a share from 0 (the plain mean) to below 1")
    index = np.arange(len(values))
    keep = index < first_target if keep is None else keep
    years = np.abs((index - first_target) // seasons_in_a_year(months))      # from the target of the same season
    means = seasonal_means(values, months, fewest, keep, (1 - forgetting) ** years)
    return means[np.arange(first_target - seen, first_target + leads) % len(means)]


def without(keep: np.ndarray, first_target: int, leads: int = 4) -> np.ndarray:
    """The frames of ``keep`` (T,) less the targets: a sample must not be told the answer through its climatology."""
    keep = keep.copy()
    keep[first_target : first_target + leads] = False
    return keep


def persistence(history: np.ndarray, leads: int, months: int = 3) -> np.ndarray:
    """The last frame, again and again."""
    require(history, 1)
    return np.repeat(history[-1:], leads, 0)


def seasonal_persistence(history: np.ndarray, leads: int, months: int = 3) -> np.ndarray:
    """The same season of the last year."""
    period = seasons_in_a_year(months)
    require(history, period)
    return history[-period:][np.arange(leads) % period]


def climatology(history: np.ndarray, leads: int, months: int = 3) -> np.ndarray:
    """The mean of the season over all years before."""
    means = seasonal_means(history, months)
    return means[np.arange(len(history), len(history) + leads) % len(means)]


def linear_trend(history: np.ndarray, leads: int, months: int = 3) -> np.ndarray:
    """Ordinary least squares per pixel and season through the years before; the mean where fewer than 3 are known."""
    period = seasons_in_a_year(months)
    frames = np.arange(len(history), len(history) + leads)
    return np.stack([extrapolate(history[f % period :: period], f // period) for f in frames.tolist()])


def extrapolate(years: np.ndarray, year: int, fewest: int = 3) -> np.ndarray:
    """Line through (n, H, W) at x = 0, 1, ..., n - 1, read at x = ``year``; NaN values take no part."""
    known = np.isfinite(years)
    x = np.arange(len(years), dtype=np.float64)[:, None, None]
    count = np.maximum(known.sum(0), 1)
    mean_x = (x * known).sum(0) / count
    mean_y = np.where(known, years, 0).sum(0, dtype=np.float64) / count
    dx = (x - mean_x) * known
    spread = (dx**2).sum(0)
    slope = (dx * np.where(known, years - mean_y, 0)).sum(0) / np.where(spread > 0, spread, np.inf)
    line = mean_y + np.where(known.sum(0) >= fewest, slope * (year - mean_x), 0)
    return np.where(known.any(0), line, np.nan).astype(np.float32)


def zero(history: np.ndarray, leads: int, months: int = 3) -> np.ndarray:
    """No snow and no ice; NaN where nothing was ever known."""
    nothing = np.where(np.isfinite(history).any(0), 0, np.nan).astype(np.float32)
    return np.repeat(nothing[None], leads, 0)


def train_mean(history: np.ndarray, leads: int, months: int = 3) -> np.ndarray:
    """The mean of all frames before, whatever the season."""
    require(history, 1)
    return np.repeat(nan_mean(history)[None], leads, 0)


BASELINES: dict[str, Baseline] = {
    "persistence": persistence,
    "seasonal persistence": seasonal_persistence,
    "climatology": climatology,
    "linear trend": linear_trend,
    "zero": zero,
    "train mean": train_mean,
}


def all_baselines(history: np.ndarray, leads: int, months: int = 3) -> dict[str, np.ndarray]:
    """Every baseline of ``BASELINES``, by name."""
    return {name: forecast(history, leads, months) for name, forecast in BASELINES.items()}


def require(history: np.ndarray, frames: int) -> None:
    if len(history) < frames:
        raise TooFewFrames(f"{len(history)} frames before the forecast: at least {frames} are needed")


# Spatial transfer: a raster with one window of time, split into training and test columns.

def per_pixel_regression(seen: np.ndarray, truth: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Each target frame as a linear function of the pixel's own input frames, fitted on the training pixels.

    ``seen`` (T, H, W), ``truth`` (L, H, W), ``training`` (H, W) bool. Returns (L, H, W); NaN where an input is NaN,
    and in a target frame that no training pixel knows. Raises TooFewFrames where a frame has fewer complete training
    pixels than coefficients.
    """
    rows = np.concatenate([seen.reshape(len(seen), -1), np.ones((1, training.size))]).T.astype(np.float64)
    usable = np.isfinite(rows).all(1) & training.ravel()
    return np.stack([_fitted(rows, target, usable) for target in truth.reshape(len(truth), -1)]).reshape(truth.shape)


def _fitted(rows: np.ndarray, target: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Least squares of one target frame (H W,) on ``rows`` (H W, T + 1), read at every pixel."""
    if not np.isfinite(target).any():
        return np.full(target.shape, np.nan, np.float32)
    complete = usable & np.isfinite(target)
    if complete.sum() < rows.shape[1]:
        raise TooFewFrames(f"{complete.sum()} training pixels are known in every frame: too few for a regression")
    weights, *_ = np.linalg.lstsq(rows[complete], target[complete], rcond=None)
    return (rows @ weights).astype(np.float32)


def spatial_baselines(seen: np.ndarray, truth: np.ndarray, training: np.ndarray, months: int = 3,
                      gap: int = 0) -> dict[str, np.ndarray]:
    """The four baselines of a spatial transfer; ``gap`` frames lie between the last seen and the first true one."""
    leads, period = len(truth), seasons_in_a_year(months)
    require(seen, period)
    return {
        "last frame": persistence(seen, leads, months),
        "same season of the last year seen": seen[-period:][(gap + np.arange(leads)) % period],
        "per-pixel mean": train_mean(seen, leads, months),
        "per-pixel regression": per_pixel_regression(seen, truth, training),
    }
