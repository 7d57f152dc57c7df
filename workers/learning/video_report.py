"""How well a version predicts chips: correlation with what came, beside three baselines, by lead and terrain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from workers.learning.trained import plain
from workers.motion import chip_scores
from workers.motion.chip_futures import METHOD, predicted
from workers.motion.chip_windows import filled


def judge(network: nn.Module, chips: np.ndarray, terrain: Sequence[str] | None = None, seed: int = 0) -> dict[str, Any]:
    """Figures for JSON of held-out sequences (N, T, H, W) in 0..1, NaN where hidden: nothing is compared there.

    overall: mean correlation index ("ci") with the second frame after the last observed one over chips that are neither
    zero nor undefined, and the mean squared error of all leads; baselines: the same of persistence, high-pass and the
    median frame; chips: every row of the evaluation table (Min et al. 2019), with paired intervals.
    """
    config: Any = network.config
    seen, truth = chips[:, : config.conditioning], chips[:, config.conditioning :]
    said = predicted(network, filled(seen, config.conditioning), truth.shape[1], seed)
    methods = chip_scores.baseline_correlations(seen, truth) | {METHOD: chip_scores.correlations(said, truth)}
    labels = None if terrain is None else np.asarray(terrain)
    table = chip_scores.evaluation_table(methods, METHOD, labels, seed)
    heads = {row["method"]: row["mean"] for row in table if row["headline"] and row["terrain"] == "all"}
    overall = {"ci": heads.pop(METHOD), "mse": float(np.nanmean((said - truth) ** 2)), "sequences": len(chips)}
    return plain({"overall": overall, "baselines": {name: {"ci": ci} for name, ci in heads.items()}, "chips": table})
