"""From a probability map to square kilometres: one glacier, one date, true pixel areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from workers.imagery.grid import Grid

Rule = Literal["hard", "soft", "soft_above_half"]

SOFT_HARD_APART = 0.2       # |soft - hard| / hard above which an observation is flagged
COMPARABLE = 0.95           # observed share of the domain below which areas cannot be compared


PAPER_PIXEL_KM2 = 0.0009    # 30 m x 30 m whatever the projection, as the published areas were counted


def area_km2(probability: np.ndarray, grid: Grid, domain: np.ndarray | None = None, rule: Rule = "hard",
             threshold: float = 0.5, pixel_km2: float | None = None) -> float:
    """Glacier area, km2, of (H, W) probabilities inside the bool (H, W) domain (None: everywhere).

    hard: pixels of p >= threshold; soft: sum of p; soft_above_half: sum of p where p >= 0.5. Missing pixels count
    nothing; NaN when no pixel of the domain is observed. Pixels have their true areas unless `pixel_km2` gives one for
    all; with PAPER_PIXEL_KM2 and no domain areas are counted as published. Raises ValueError on another rule or shape.
    """
    if probability.shape != grid.shape:
        raise ValueError(f"a map of {probability.shape} does not lie on a grid of {grid.shape}")
    inside = np.isfinite(probability) if domain is None else np.isfinite(probability) & domain
    if not inside.any():
        return float("nan")
    p = np.where(inside, probability, 0).astype(np.float64)
    weights = {"hard": inside & (p >= threshold), "soft": p, "soft_above_half": np.where(p >= 0.5, p, 0)}
    if rule not in weights:
        raise ValueError(f"unknown area rule {rule!r}: use hard, soft or soft_above_half")
    return float((weights[rule] * (grid.pixel_area_km2() if pixel_km2 is None else pixel_km2)).sum())


@dataclass(frozen=True)
class Measured:
    """One observation of one glacier's area; all km2."""

    hard_km2: float
    soft_km2: float
    soft_above_half_km2: float
    valid_fraction: float
    """Share of the domain that was observed."""
    flags: tuple[str, ...]
    """zero_area, soft_hard_apart, partial_coverage."""


def measure(probability: np.ndarray, grid: Grid, domain: np.ndarray | None = None,
            threshold: float = 0.5) -> Measured | None:
    """All three areas with their flags; None where nothing of the domain was observed (no observation, not zero)."""
    inside = np.ones(grid.shape, bool) if domain is None else domain
    valid = float(np.isfinite(probability[inside]).mean()) if inside.any() else 0.0
    if valid == 0:
        return None
    rules: tuple[Rule, ...] = ("hard", "soft", "soft_above_half")
    hard, soft, above = (area_km2(probability, grid, inside, rule, threshold) for rule in rules)
    flags = []
    if hard == 0:
        flags.append("zero_area")
    elif abs(soft - hard) / hard > SOFT_HARD_APART:
        flags.append("soft_hard_apart")
    if valid < COMPARABLE:
        flags.append("partial_coverage")
    return Measured(hard, soft, above, valid, tuple(flags))
