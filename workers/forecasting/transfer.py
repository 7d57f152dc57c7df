"""Spatial transfer: trained on some columns of a raster, scored on others, where the record has a single window.

Never to be called forecast skill: the target year was seen next door.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .baselines import spatial_baselines
from .skill import BLOCK_PX, Scores, Skill, score, skill


@dataclass(frozen=True)
class SpatialTransfer:
    """Scores on the held-out columns, beside four baselines."""

    scores: Scores
    baselines: dict[str, Scores]
    skills: dict[str, Skill]
    label: str = "spatial transfer"

    def to_dict(self) -> dict[str, Any]:
        return {
            "label": self.label, "scores": self.scores.to_dict(),
            "baselines": {name: s.to_dict() for name, s in self.baselines.items()},
            "skills": {name: s.to_dict() for name, s in self.skills.items()},
        }


def split_columns(shape: tuple[int, int], patch: int, held_out: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Training and test pixels, each (H, W) bool: the eastern ``held_out`` of the columns is tested, and one patch
    between the two belongs to neither. Raises ValueError where nothing would be left to train on."""
    height, width = shape
    first_test = width - round(held_out * width)
    if first_test - patch < patch:
        raise ValueError(f"{width} columns are too few: {patch} px of gap leave no {patch} px patch to train on")
    column = np.broadcast_to(np.arange(width), (height, width))
    return column < first_test - patch, column >= first_test


def score_transfer(predicted: np.ndarray, seen: np.ndarray, truth: np.ndarray, training: np.ndarray, test: np.ndarray,
                   months: int = 3, gap: int = 0, seed: int = 0, block_px: int = BLOCK_PX) -> SpatialTransfer:
    """Compare ``predicted`` (L, H, W) with ``truth`` on the ``test`` pixels (H, W), beside the baselines from the
    frames ``seen`` (T, H, W); ``gap`` frames of the calendar lie between the last seen and the first true one."""
    columns = np.flatnonzero(test.any(0))
    window = (slice(None), slice(None), slice(columns[0], columns[-1] + 1))
    held = np.where(test, truth, np.nan)[window]
    bases = {name: b[window] for name, b in spatial_baselines(seen, truth, training, months, gap).items()}
    mine = predicted[window]
    return SpatialTransfer(
        score(mine, held), {name: score(base, held) for name, base in bases.items()},
        {name: skill(mine, base, held, name, seed=seed, block_px=block_px) for name, base in bases.items()},
    )
