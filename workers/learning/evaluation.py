"""How good a version is on data of one's choice, and never without saying which of them had taught it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from workers.forecasting.issue import part
from workers.forecasting.rollout import Hindcast, hindcast
from workers.learning.mapping_report import Judged, report
from workers.learning.samples import split_groups
from workers.learning.trained import plain

if TYPE_CHECKING:
    from workers.imagery.cubes import Cube

TEST_SHARE = 0.2
LEFT_OUT = ("area_errors", "area_sizes_km2", "slope_errors")
"""Long lists that a card keeps once, from its own training."""


def taught_groups(groups: Iterable[str], seed: int, architecture: str) -> set[str]:
    """Groups that shaped the weights: all of a forest's, of a network's those outside its test set."""
    if architecture == "random-forest":
        return set(groups)
    return {group for group, one in split_groups(groups, seed).items() if one != "test"}


def mapping(judged: Sequence[tuple[str, Judged]]) -> dict[str, Any]:
    """Figures of a mapper for JSON: `overall` and groups over scenes that it had not seen, apart from the others.

    Each scene comes as "unseen" (not among what taught), "held_out" (mapped by a fold that never saw it) or "seen".
    `overall` is {} and the rest None where every scene had taught it.
    """
    honest = [one for how, one in judged if how != "seen"]
    seen = [one for how, one in judged if how == "seen"]
    found = _brief(honest)
    return {
        "task": "segment",
        "scenes": dict(Counter(how for how, _ in judged)),
        "overall": found.pop("pooled", {}),
        **found,
        "seen_in_training": _brief(seen) or None,
    }


def forecasts(records: Sequence[tuple[str, Hindcast, bool]]) -> dict[str, Any]:
    """Figures of a forecaster for JSON, from (area, hindcast, whether its frames had taught it).

    `overall` is the plain mean of the pooled errors of the areas that had not taught it; {} without one.
    """
    honest = [past.scores for _, past, seen in records if not seen]
    overall = {"mse": float(np.mean([one.pooled_mse for one in honest])),
               "mae": float(np.mean([one.pooled_mae for one in honest]))} if honest else {}  # fmt: skip
    areas = {name: {**past.to_dict(), "seen_in_training": seen} for name, past, seen in records}
    return plain({"task": "forecast", "overall": overall, "areas": areas})


def frames_taught(frames: Mapping[str, Sequence[str]], area: str, past: Hindcast) -> bool:
    """Whether a hindcast reaches back into frames (first days, ISO) that taught: an area's without the last fifth."""
    starts = frames.get(area, ())
    held = max(past.leads, round(TEST_SHARE * len(starts)))
    taught = starts[: max(0, len(starts) - held)]
    return bool(taught) and past.issued[0].isoformat() <= max(taught)


def hindcast_within(learned: Any, cube: Cube, first: date | None, last: date | None) -> Hindcast:
    """The hindcast on the last fifth of the frames that start from `first` to `last`, both inclusive; None: open.

    Raises ValueError where no frame is left or for a spatial transfer, TooFewFrames with the number needed.
    """
    if learned.recipe.options.get("spatial_transfer"):
        raise ValueError("a spatial transfer was scored once, on columns it never saw (see its card); it has no past "
                         "to forecast: name a version that forecasts in time")  # fmt: skip
    inside = [n for n, day in enumerate(cube.starts) if (first or day) <= day <= (last or day)]
    if not inside:
        raise ValueError(f"no frame ({cube.starts[0]} to {cube.starts[-1]}) lies between {first} and {last}")
    config = learned.network.config
    return hindcast(learned.network, config, part(cube, inside[0], inside[-1] + 1), config.leads, TEST_SHARE)


def remarks(found: Mapping[str, Any]) -> list[str]:
    """What a reader must be told, in sentences."""
    if found["task"] == "forecast":
        seen = [name for name, one in found["areas"].items() if one["seen_in_training"]]
        return [f"{', '.join(seen)}: seen in training, not counted in the overall figures"] if seen else []
    seen = found["scenes"].get("seen", 0)
    if not seen:
        return []
    told = f"{seen} of {sum(found['scenes'].values())} scenes were seen in training and are reported apart"
    return [told if found["overall"] else f"{told}: nothing is left to measure it honestly"]


def _brief(judged: Sequence[Judged]) -> dict[str, Any]:
    return {k: v for k, v in report(judged).items() if k not in LEFT_OUT} if judged else {}
