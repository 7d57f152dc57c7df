"""How good a forecast is, beside the baselines, with an interval.

Skill = 1 - MSE / MSE of the baseline (Murphy 1988, Skill scores based on the mean square error). The 95 % interval
resamples square blocks of pixels (Kunsch 1989; Lahiri 2003), since neighbouring pixels are not independent; weather of
one year that is shared by a whole frame is *not* in it. NaN, in forecast, baseline or truth, takes no part.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass

import numpy as np

BLOCK_PX = 50
"""Side of a block: 5 x 5 patches at the published stride of 10 px."""
MUST_BEAT = ("seasonal persistence", "climatology")
"""A forecaster is useful only if it beats both."""


@dataclass(frozen=True)
class Skill:
    """Skill against one baseline; pooled over leads, and per lead. 1 = perfect, 0 = as good, < 0 = worse."""

    baseline: str
    pooled: float
    lo: float
    hi: float
    per_lead: tuple[float, ...]
    per_lead_lo: tuple[float, ...]
    per_lead_hi: tuple[float, ...]

    def to_dict(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Scores:
    """Plain measures of frames against truth, one value per lead; NaN where nothing could be compared."""

    mse: tuple[float, ...]
    mae: tuple[float, ...]
    iou: tuple[float, ...]
    """Intersection over union of the pixels above zero after thresholding."""
    area_error: tuple[float, ...]
    """(predicted - true) / true count of pixels above zero after thresholding."""
    pooled_mse: float
    pooled_mae: float

    def to_dict(self) -> dict:
        return asdict(self)


def threshold_frames(frames: np.ndarray, threshold: float = 0.3) -> np.ndarray:
    """What a map shows: clipped to [0, 1], values below ``threshold`` set to 0 (equality stays), NaN kept."""
    clipped = np.clip(frames, 0, 1)
    return np.where(clipped < threshold, 0, clipped).astype(np.float32)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, NaN where below is 0."""
    above, below = np.asarray(above, np.float64), np.asarray(below, np.float64)
    return np.divide(above, below, out=np.full(np.broadcast(above, below).shape, np.nan), where=below > 0)


def score(predicted: np.ndarray, truth: np.ndarray, threshold: float = 0.3) -> Scores:
    """Measures of ``predicted`` (..., leads, H, W) against ``truth`` of the same shape, pooled over what lies before.

    MSE and MAE are of the values as given; IoU and area error of both after clipping and thresholding.
    """
    check_shapes(predicted, truth)
    error = (predicted - truth).astype(np.float64)
    known = np.isfinite(error)
    axes = tuple(i for i in range(error.ndim) if i != error.ndim - 3)      # all but the lead
    count = known.sum(axes)
    squares = np.where(known, error**2, 0).sum(axes)
    absolutes = np.where(known, abs(error), 0).sum(axes)
    ice, true_ice = (known & (threshold_frames(x, threshold) > 0) for x in (predicted, truth))
    return Scores(
        mse=numbers(ratio(squares, count)),
        mae=numbers(ratio(absolutes, count)),
        iou=numbers(ratio((ice & true_ice).sum(axes), (ice | true_ice).sum(axes))),
        area_error=numbers(ratio(ice.sum(axes).astype(float) - true_ice.sum(axes), true_ice.sum(axes))),
        pooled_mse=float(ratio(squares.sum(), count.sum())),
        pooled_mae=float(ratio(absolutes.sum(), count.sum())),
    )


def skill(predicted: np.ndarray, base: np.ndarray, truth: np.ndarray, baseline: str = "baseline", *,
          block_px: int = BLOCK_PX, resamples: int = 1000, seed: int = 0) -> Skill:
    """Skill of ``predicted`` against ``base``, both (..., leads, H, W) like ``truth``, with 95 % block-bootstrap
    intervals over spatial blocks of ``block_px`` (less on small frames, so that at least 4 x 4 blocks exist).

    Only pixels known in all three count. Same seed, same interval. A baseline without error gives NaN.
    """
    check_shapes(predicted, truth)
    check_shapes(base, truth)
    known = np.isfinite(predicted) & np.isfinite(base) & np.isfinite(truth)
    side = block_side(truth.shape[-2:], block_px)
    own = block_sums(np.where(known, (predicted - truth) ** 2.0, 0), side)          # (leads, blocks)
    other = block_sums(np.where(known, (base - truth) ** 2.0, 0), side)
    counted = block_sums(known, side).sum(0) > 0
    own, other = own[:, counted], other[:, counted]
    drawn = draws(own.shape[1], resamples, seed)                                    # (resamples, blocks)
    resampled = 1 - ratio(drawn @ own.T, drawn @ other.T)                           # (resamples, leads)
    pooled = 1 - ratio(drawn @ own.sum(0), drawn @ other.sum(0))                    # (resamples,)
    lo, hi = interval(resampled)
    pooled_lo, pooled_hi = interval(pooled)
    return Skill(
        baseline, float(1 - ratio(own.sum(), other.sum())), float(pooled_lo), float(pooled_hi),
        numbers(1 - ratio(own.sum(1), other.sum(1))), numbers(lo), numbers(hi),
    )


def is_useful(skills: dict[str, Skill]) -> bool:
    """Whether the lower end of the pooled interval lies above 0 against seasonal persistence *and* climatology."""
    return all(name in skills and skills[name].lo > 0 for name in MUST_BEAT)


def block_side(shape: tuple[int, ...], block_px: int) -> int:
    """Side of the blocks in px: ``block_px``, or a quarter of the shorter side where that is less."""
    return max(1, min(block_px, min(shape) // 4))


def block_sums(values: np.ndarray, side: int) -> np.ndarray:
    """Sum (..., leads, H, W) over blocks of ``side`` px and over what lies before the leads: (leads, blocks)."""
    values = values.reshape(-1, *values.shape[-3:]).sum(0, dtype=np.float64)        # (leads, H, W)
    rows, columns = (np.arange(0, n, side) for n in values.shape[-2:])
    sums = np.add.reduceat(np.add.reduceat(values, rows, -2), columns, -1)
    return sums.reshape(len(values), -1)


def draws(blocks: int, resamples: int, seed: int) -> np.ndarray:
    """How often each block is drawn in each resample, with replacement: (resamples, blocks)."""
    if blocks == 0:
        return np.zeros((resamples, 0))
    return np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1 / blocks), resamples).astype(np.float64)


def interval(resampled: np.ndarray, level: float = 0.95) -> np.ndarray:
    """The central ``level`` of the first axis, ignoring NaN; NaN where there is nothing."""
    tail = (1 - level) / 2
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice")          # a lead without any truth
        return np.nanquantile(resampled, (tail, 1 - tail), axis=0)


def numbers(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def check_shapes(frames: np.ndarray, truth: np.ndarray) -> None:
    if frames.shape != truth.shape or frames.ndim < 3:
        raise ValueError(f"frames {frames.shape} against truth {truth.shape}: give both as (..., leads, H, W)")
