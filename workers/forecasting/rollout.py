"""From a cube of frames to the coming frames, and how good that would have been on frames already known.

The network knows tensors; here it meets the calendar. Climatology always comes from frames before the date of issue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from workers.imagery.windows import TooFewFrames, sequences

from .baselines import all_baselines, climatology_frames, seasons_in_a_year
from .skill import BLOCK_PX, MUST_BEAT, Scores, Skill, is_useful, score, skill, threshold_frames
from .tiling import in_windows

if TYPE_CHECKING:
    from workers.imagery.cubes import Cube


@dataclass(frozen=True)
class Predicted:
    """The coming frames."""

    frames: np.ndarray
    """float32 (leads, H, W) as the network said them: not clipped; NaN where nothing was seen."""
    starts: tuple[date, ...]
    """First day of each frame."""
    climatology_missing: bool
    """A season has fewer than two earlier years somewhere in every pixel: the last frame stood in for its mean."""
    threshold: float = 0.3

    @property
    def thresholded(self) -> np.ndarray:
        """What a map shows: clipped to [0, 1], values below the threshold 0."""
        return threshold_frames(self.frames, self.threshold)

    @property
    def reason(self) -> str | None:
        """Why there is nothing to show, if so."""
        return None if np.isfinite(self.frames).any() else "no_valid_pixels"


@dataclass(frozen=True)
class Hindcast:
    """Forecasts issued in the past, scored against what came, beside every baseline."""

    issued: tuple[date, ...]
    """First day of the first frame of each forecast."""
    leads: int
    months: int
    scores: Scores
    """Of the network; the headline MSE and MAE are of its values as they are."""
    thresholded: Scores
    """Of the network, clipped and thresholded as on the map."""
    baselines: dict[str, Scores]
    skills: dict[str, Skill]
    """Against each baseline, with 95 % intervals."""
    area_errors: tuple[tuple[float, ...], ...]
    """(mapped - true) / true area of snow and ice of each past forecast, lead by lead; NaN where nothing was true."""
    climatology_missing: bool
    useful: bool
    """Beats seasonal persistence and climatology, each with the lower end of the interval above 0."""

    @property
    def sentence(self) -> str:
        """One plain sentence for whoever looks at the map."""
        dates = f"{len(self.issued)} past date{'s' if len(self.issued) != 1 else ''}"
        missing = " There were fewer than two earlier years, so it started from the last frame." \
            if self.climatology_missing else ""
        if self.useful:
            return f"Issued on {dates}, this forecast was better than {in_words(self.skills, MUST_BEAT)}.{missing}"
        unbeaten = [name for name in MUST_BEAT if not self.skills[name].lo > 0]
        return (f"Of no use yet: issued on {dates}, this forecast was not shown to be better than "
                f"{in_words(self.skills, unbeaten)}.{missing}")

    def to_dict(self) -> dict[str, Any]:
        """For JSON: dates as ISO text, scores and skills as plain numbers (NaN where nothing could be compared)."""
        return {
            "issued": [d.isoformat() for d in self.issued], "leads": self.leads, "months": self.months,
            "scores": self.scores.to_dict(), "thresholded": self.thresholded.to_dict(),
            "baselines": {name: s.to_dict() for name, s in self.baselines.items()},
            "skills": {name: s.to_dict() for name, s in self.skills.items()},
            "climatology_missing": self.climatology_missing, "useful": self.useful, "sentence": self.sentence,
        }


def in_words(skills: dict[str, Skill], names: Sequence[str]) -> str:
    return " and ".join(f"{name} (skill {skills[name].pooled:.2f}, 95 % {skills[name].lo:.2f} to {skills[name].hi:.2f})"
                        for name in names)


def rollout(network: nn.Module, config: Any, cube: Cube, leads: int = 4,
            device: str | torch.device = "cpu") -> Predicted:
    """Predict the ``leads`` frames after the last one of ``cube``.

    More leads than the network says at once are reached by reading its own frames. Raises TooFewFrames where the cube
    holds fewer frames than the network reads.
    """
    frames, missing = forecast(network, config, cube.values, cube.months, leads, device)
    return Predicted(frames, starts_after(cube.starts[-1], cube.months, leads), missing)


def hindcast(network: nn.Module, config: Any, cube: Cube, leads: int = 4, held_out: float = 0.2,
             device: str | torch.device = "cpu", seed: int = 0, block_px: int = BLOCK_PX) -> Hindcast:
    """Issue a forecast before each frame of the held-out end of ``cube`` and compare.

    All targets lie in the last ``held_out`` of the frames, which training must not have seen; interpolated frames are
    no truth. Raises TooFewFrames with the number needed.
    """
    indices = issue_indices(len(cube.values), leads, held_out, max(config.frames, seasons_in_a_year(cube.months)))
    truth_frames = observed_only(cube)
    truth = np.stack([truth_frames[i : i + leads] for i in indices])               # (N, leads, H, W)
    said = [forecast(network, config, cube.values[:i], cube.months, leads, device) for i in indices]
    predicted = np.stack([frames for frames, _ in said])
    simple = [all_baselines(cube.values[:i], leads, cube.months) for i in indices]
    bases = {name: np.stack([one[name] for one in simple]) for name in simple[0]}
    skills = {name: skill(predicted, base, truth, name, block_px=block_px, seed=seed) for name, base in bases.items()}
    return Hindcast(
        issued=tuple(cube.starts[i] for i in indices), leads=leads, months=cube.months,
        scores=score(predicted, truth), thresholded=score(threshold_frames(predicted), truth),
        baselines={name: score(base, truth) for name, base in bases.items()}, skills=skills,
        area_errors=tuple(score(one, came).area_error for one, came in zip(predicted, truth, strict=True)),
        climatology_missing=any(missing for _, missing in said), useful=is_useful(skills),
    )


def forecast(network: nn.Module, config: Any, history: np.ndarray, months: int, leads: int,
             device: str | torch.device = "cpu") -> tuple[np.ndarray, bool]:
    """The ``leads`` frames after ``history`` (T, H, W), and whether a climatology was missing."""
    if len(history) < config.frames:
        raise TooFewFrames(f"{len(history)} frames before the forecast: this network reads {config.frames}")
    frames, missing = history, False
    while len(frames) < len(history) + leads:
        usual = climatology_frames(history, months, len(frames), config.frames, config.leads,
                                   forgetting=getattr(config, "forgetting", 0.0))
        missing |= bool(np.isnan(usual).all((1, 2)).any())
        coming = predict_frames(network, frames[-config.frames :], usual, device)
        frames = np.concatenate([frames, coming])
    return frames[len(history) : len(history) + leads], missing


@torch.inference_mode()
def predict_frames(network: nn.Module, seen: np.ndarray, climatology: np.ndarray | None = None,
                   device: str | torch.device = "cpu") -> np.ndarray:
    """One call of a forecaster on a whole image: (T, H, W) frames -> (leads, H, W) float32.

    ``climatology`` (T + leads, H, W) holds the seasonal means of the frames seen and of those to come, NaN where
    unknown. Holes in ``seen`` are read as the climatology, else as the mean of the frames seen; a pixel that no frame
    knows is NaN in the answer. Networks of a fixed size work in windows (half overlapping, Gaussian stitching). An
    image smaller than a training window is reflected outwards and cut back.
    """
    config: Any = network.config
    known = np.isfinite(seen).any(0)
    if climatology is None:
        climatology = np.full((len(seen) + config.leads, *seen.shape[1:]), np.nan, np.float32)
    both = np.concatenate([fill(seen, climatology[: len(seen)]), climatology]).astype(np.float32)
    network = network.to(device).eval()

    def call(windows: np.ndarray) -> np.ndarray:                                   # (B, T + T + leads, h, w)
        x = torch.from_numpy(np.ascontiguousarray(windows)).to(device)
        return network(x[:, : len(seen)], x[:, len(seen) :]).float().cpu().numpy()

    whole = network.reads_whole_images and min(seen.shape[-2:]) >= config.patch
    size = None if whole else config.patch                                         # a smaller image is reflected to it
    return np.where(known, in_windows(call, both, size), np.nan).astype(np.float32)


def fill(seen: np.ndarray, climatology: np.ndarray) -> np.ndarray:
    """Holes of (T, H, W) filled: by the climatology, else by the pixel's mean over the frames seen, else by 0."""
    count = np.isfinite(seen).sum(0)
    mean = np.nansum(seen, 0) / np.maximum(count, 1)
    usual = np.where(np.isfinite(climatology), climatology, mean)
    return np.where(np.isfinite(seen), seen, usual).astype(np.float32)


def issue_indices(frames: int, leads: int, held_out: float, seen: int) -> range:
    """Indices of the first target of each hindcast: all targets in the last ``held_out`` of the frames."""
    sequences(frames, seen, leads)                                                 # refuses a record too short
    first = frames - max(leads, round(held_out * frames))
    return range(max(first, seen), frames - leads + 1)


def observed_only(cube: Cube) -> np.ndarray:
    """The cube's values with interpolated frames set to NaN: what was never seen is no truth."""
    observed = np.array([status == "observed" for status in cube.status])
    return np.where(observed[:, None, None], cube.values, np.nan)


def starts_after(last: date, months: int, count: int) -> tuple[date, ...]:
    """First days of the ``count`` frames after the one that starts on ``last``."""
    ordinal = last.year * 12 + last.month - 1
    later = [ordinal + months * (k + 1) for k in range(count)]
    return tuple(date(m // 12, m % 12 + 1, 1) for m in later)
