"""A forecast as it is published: observed frames, coming frames, the area of snow and ice in each, and the skill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from workers.forecasting.rollout import Hindcast, hindcast, predict_frames, rollout, starts_after
from workers.forecasting.skill import threshold_frames

if TYPE_CHECKING:
    from workers.imagery.cubes import Cube
    from workers.imagery.grid import Grid

OBSERVED_SHOWN = 8
FEWEST_ERRORS = 3
MOST_OFF = 0.9  # a forecast is never taken to have shown less than a tenth of the true area


@dataclass(frozen=True)
class IssuedFrame:
    """One frame as it goes on the map."""

    start: date
    end: date
    """First day after it."""
    lead: int
    observed: bool
    values: np.ndarray
    """float32 (H, W): clipped and thresholded NDSI, NaN where nothing was seen."""
    snow_ice_km2: float
    lo_km2: float | None = None
    hi_km2: float | None = None


@dataclass(frozen=True)
class IssuedScore:
    """The hindcast against one baseline; lead 0 pools all leads."""

    baseline: str
    lead: int
    mse: float
    mse_baseline: float
    skill: float | None
    lo: float | None
    hi: float | None
    mae: float | None
    iou: float | None
    n_frames: int


@dataclass(frozen=True)
class Issued:
    """Everything that a forecast's page shows."""

    issued: date
    frames: list[IssuedFrame]
    scores: list[IssuedScore]
    useful: bool
    sentence: str
    notes: list[str] = field(default_factory=list)
    """What the data cannot support."""


def issue(network: Any, config: Any, cube: Cube, leads: int = 4) -> Issued:
    """Forecast the frames after `cube`, with the hindcast on its held-out end. Raises TooFewFrames."""
    past = hindcast(network, config, cube, leads)
    coming = rollout(network, config, cube, leads)
    shown = [frame_of(cube.values[i], cube.grid, cube.starts[i], cube.months, 0) for i in _last(len(cube.starts))]
    ahead = [
        frame_of(values, cube.grid, start, cube.months, lead, past)
        for lead, (values, start) in enumerate(zip(coming.thresholded, coming.starts, strict=True), start=1)
    ]
    notes = ["Fewer than two earlier years: the last frame stands in for the seasonal mean."]
    return Issued(
        coming.starts[0], shown + ahead, scores_of(past), past.useful, past.sentence,
        notes if coming.climatology_missing else [],
    )  # fmt: skip


def split_transfer(cube: Cube) -> tuple[Cube, Cube]:
    """The frames before the record's long hole, and those after it. Raises ValueError where there is no hole."""
    holes = [i for i, status in enumerate(cube.status) if status == "missing"]
    if not holes:
        raise ValueError("a spatial transfer needs a record with a hole of years; this one has none: forecast instead")
    return part(cube, 0, holes[0]), part(cube, holes[-1] + 1, len(cube.starts))


def part(cube: Cube, first: int, end: int) -> Cube:
    """Frames first to end - 1 of a cube."""
    return replace(
        cube,
        values=cube.values[first:end],
        starts=cube.starts[first:end],
        n_scenes=cube.n_scenes[first:end],
        status=cube.status[first:end],
        interpolated_fraction=cube.interpolated_fraction[first:end],
        filled_fraction=cube.filled_fraction[first:end],
    )


def transfer(learned: Any, cube: Cube, card: Mapping[str, Any]) -> Issued:
    """A spatial transfer: the frames after the hole, said from those before it, by a network that saw other columns.

    Not a forecast, and never useful as one: the target year was seen next door.
    """
    seen, target = split_transfer(cube)
    reads, says = learned.network.config.frames, learned.network.config.leads
    said = threshold_frames(predict_frames(learned.network, seen.values[-reads:]))
    shown = [frame_of(v, cube.grid, s, cube.months, 0) for v, s in zip(seen.values, seen.starts, strict=True)]
    ahead = [
        frame_of(values, cube.grid, start, cube.months, lead)
        for lead, (values, start) in enumerate(zip(said, target.starts[:says], strict=True), start=1)
    ]
    scores = scores_of_transfer(card)
    beside = ", ".join(f"{score.baseline} {score.mse_baseline:.4f}" for score in scores)
    years = f"{seen.starts[-1].year} to {target.starts[0].year}"
    sentence = (
        f"Spatial transfer {years}, not a forecast: taught on the western columns, scored on the eastern fifth with "
        f"one patch between. MSE {scores[0].mse:.4f}, beside {beside}."
    )
    notes = [
        f"The record has a single window ({years}); the target year was seen next door, so this is no forecast skill.",
        "The NDSI rasters are used as they were delivered, with the scaling and the position their authors gave them.",
    ]
    return Issued(target.starts[0], shown + ahead, scores, False, sentence, notes)


def frame_of(
    values: np.ndarray, grid: Grid, start: date, months: int, lead: int, past: Hindcast | None = None
) -> IssuedFrame:
    """A frame with the area that its snow and ice covers; forecast frames with the 95 % interval of the hindcast."""
    area = float(((np.nan_to_num(values) > 0) * grid.pixel_area_km2()).sum())
    lo, hi = area_interval(area, [errors[lead - 1] for errors in past.area_errors]) if past and lead else (None, None)
    return IssuedFrame(start, starts_after(start, months, 1)[0], lead, lead == 0, values, area, lo, hi)


def area_interval(area_km2: float, relative_errors: Sequence[float]) -> tuple[float | None, float | None]:
    """95 % prediction interval (Student's t) of the true area behind a forecast one, from errors of past forecasts."""
    errors = np.asarray([error for error in relative_errors if np.isfinite(error)])
    if len(errors) < FEWEST_ERRORS:
        return None, None
    half = stats.t.ppf(0.975, len(errors) - 1) * errors.std(ddof=1) * np.sqrt(1 + 1 / len(errors))
    low, high = max(errors.mean() - half, -MOST_OFF), errors.mean() + half
    return float(area_km2 / (1 + high)), float(area_km2 / (1 + low))


def scores_of(past: Hindcast) -> list[IssuedScore]:
    """One score for each baseline, pooled (lead 0) and for each lead."""
    found = []
    for name, skill in past.skills.items():
        base = past.baselines[name]
        found.append(
            IssuedScore(
                name, 0, past.scores.pooled_mse, base.pooled_mse, finite(skill.pooled), finite(skill.lo),
                finite(skill.hi), finite(past.scores.pooled_mae), finite(mean(past.thresholded.iou)), len(past.issued),
            )
        )  # fmt: skip
        for lead in range(past.leads):
            found.append(
                IssuedScore(
                    name, lead + 1, past.scores.mse[lead], base.mse[lead], finite(skill.per_lead[lead]),
                    finite(skill.per_lead_lo[lead]), finite(skill.per_lead_hi[lead]), finite(past.scores.mae[lead]),
                    finite(past.thresholded.iou[lead]), len(past.issued),
                )
            )  # fmt: skip
    return [score for score in found if np.isfinite(score.mse) and np.isfinite(score.mse_baseline)]


def scores_of_transfer(metrics: Mapping[str, Any]) -> list[IssuedScore]:
    """The scores of a spatial transfer, from the card of its version."""
    found = []
    for name, skill in metrics["skills"].items():
        base = metrics["baselines"][name]
        scores = metrics["scores"]
        found.append(
            IssuedScore(
                name, 0, scores["pooled_mse"], base["pooled_mse"], skill["pooled"], skill["lo"], skill["hi"],
                scores["pooled_mae"], mean(scores["iou"]), 1,
            )
        )  # fmt: skip
    return found


def mean(values: Sequence[float | None]) -> float:
    """Mean over what is known; NaN where nothing is."""
    known = [value for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def finite(value: float | None) -> float | None:
    """The value, or None where it is NaN."""
    return float(value) if value is not None and np.isfinite(value) else None


def _last(count: int) -> range:
    return range(max(0, count - OBSERVED_SHOWN), count)
