"""Samples: windows with truth, drawn from stacks or from cubes, and which of them may teach.

Everything drawn at random comes from the generator of the step, so that a resumed training draws the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from workers.forecasting.baselines import climatology_frames, without
from workers.forecasting.rollout import fill
from workers.imagery.splits import tile_set
from workers.imagery.windows import origins, padded
from workers.learning.augment import Augment
from workers.segmentation import features

if TYPE_CHECKING:
    from workers.imagery.cubes import Cube
    from workers.imagery.rasters import Stack


@dataclass(frozen=True)
class SegmentSample:
    """A stack with its truth."""

    stack: Stack
    truth: np.ndarray
    """(H, W) bool, or float 0/1 with NaN where there is no label."""
    group: str
    """What is held out together: a date, a year, a glacier, a tile."""
    domains: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Glacier -> (H, W) bool where its area is counted; without it the whole window is one."""

    def __post_init__(self) -> None:
        if self.truth.shape != self.stack.grid.shape:
            raise ValueError(f"truth {self.truth.shape} does not lie on the stack's grid {self.stack.grid.shape}")


def offers(stack: Stack, name: str) -> bool:
    """Whether the stack has the band or what it is derived from."""
    have = set(stack.bands)
    return name in have or (name in features.DERIVED and set(features.DERIVED[name][0]) <= have)


def manifest_of(parts: Iterable[tuple[str, np.ndarray]]) -> str:
    """sha256 over names and pixels, in the order given: the same training data give the same 64 digits."""
    digest = hashlib.sha256()
    for name, values in parts:
        digest.update(f"{name}\x1f{values.dtype}\x1f{values.shape}\x1f".encode())
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def segment_manifest(samples: Sequence[SegmentSample]) -> str:
    """The manifest of stacks and truths."""
    named = ((f"{s.group}|{s.stack.acquired}|{','.join(s.stack.bands)}", s) for s in samples)
    return manifest_of(pair for name, s in named for pair in ((name, s.stack.pixels), ("truth", np.asarray(s.truth))))


def split_groups(groups: Iterable[str], seed: int = 0, region: str = "") -> dict[str, str]:
    """Group -> "train", "validation" or "test" (60/20/20 by a stable hash; whole groups stay together).

    With few groups the hash may leave a set empty: then the groups last in hash order fill it, so that from two
    groups on there is a validation set and from three on a test set.
    """
    names = sorted(set(groups))
    sets = {name: tile_set(region, name, seed) for name in names}
    order = sorted(names, key=lambda name: hashlib.sha256(f"{region}|{name}|{seed}".encode()).digest())
    needed = ("train", "validation", "test")[: len(names)]
    for wanted in needed:
        if wanted not in sets.values():
            kinds = list(sets.values())
            spare = [name for name in order if sets[name] not in needed or kinds.count(sets[name]) > 1]
            sets[spare[-1]] = wanted
    return {name: kind if kind in needed else "train" for name, kind in sets.items()}


def folds(groups: Iterable[str], most: int = 5) -> list[set[str]]:
    """Leave-group-out: every group once among the held-out ones; more than `most` groups share folds."""
    names = sorted(set(groups))
    return [set(names[k :: min(most, len(names))]) for k in range(min(most, len(names)))]


class TruthWindows:
    """Windows of images with truth: at random places when a generator is given, on a fixed lattice otherwise.

    images (C, H, W), or (C, T, H, W) for series; truths (H, W) float, NaN where there is no label. A batch is
    ((B, C, p, p) or (B, T, C, p, p) float32, gaps 0; (B, p, p) float32, NaN where a label or a channel is missing).
    """

    def __init__(self, images: Sequence[np.ndarray], truths: Sequence[np.ndarray], patch: int,
                 augment: Augment | None = None) -> None:
        self.patch, self.augment = patch, augment
        self.images = [padded(image, patch) for image in images]
        self.truths = [padded(_labelled(image, truth), patch) for image, truth in zip(images, truths, strict=True)]
        self.lattice = [
            (k, row, col) for k, truth in enumerate(self.truths)
            for row in origins(truth.shape[0], patch, patch) for col in origins(truth.shape[1], patch, patch)
            if np.isfinite(truth[row : row + patch, col : col + patch]).any()
        ]

    def __len__(self) -> int:
        """The number of windows that do not overlap and have a label."""
        return len(self.lattice)

    def batch(self, indices: np.ndarray, rng: np.random.Generator | None) -> tuple[Tensor, Tensor]:
        pairs = [self._drawn(int(i), rng) if rng else self._cut(*self.lattice[i]) for i in indices]
        images, truths = (torch.from_numpy(np.stack(some)) for some in zip(*pairs, strict=True))
        return images if images.ndim == 4 else images.transpose(1, 2), truths

    def _drawn(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A window at a random place of the image that the index belongs to, augmented."""
        k = self.lattice[index][0]
        row, col = (int(rng.integers(n - self.patch + 1)) for n in self.truths[k].shape)
        image, truth = self._cut(k, row, col)
        return self.augment(image, truth, rng) if self.augment else (image, truth)

    def _cut(self, k: int, row: int, col: int) -> tuple[np.ndarray, np.ndarray]:
        window = np.s_[..., row : row + self.patch, col : col + self.patch]
        return np.nan_to_num(self.images[k][window]), self.truths[k][window]


def _labelled(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Truth as float32, NaN where a channel is missing too."""
    missing = np.isnan(image).any(axis=tuple(range(image.ndim - 2)))
    return np.where(missing, np.nan, np.asarray(truth, np.float32)).astype(np.float32)


@dataclass(frozen=True)
class Place:
    """Where one forecasting sample lies."""

    cube: int
    start: int
    row: int
    col: int


class ForecastWindows:
    """Windows of cubes: a batch is (frames (B, T, p, p), climatology (B, T + leads, p, p), truth (B, leads, p, p)).

    The climatology of a sample is the mean of the training frames without its own targets, near years counting more
    where the network's Config says so (`forgetting`); NaN where fewer than two years are known. Holes in the frames
    are read as in prediction; holes in the truth are NaN.
    """

    def __init__(self, cubes: Sequence[Cube], places: Sequence[Place], config: Any,
                 training_frames: Sequence[np.ndarray], gap: int = 0) -> None:
        self.places, self.config, self.gap = list(places), config, gap
        self.values = [cube.values for cube in cubes]
        self.usual = [
            {start: self._climatology(cube, keep, start) for start in {p.start for p in places if p.cube == k}}
            for k, (cube, keep) in enumerate(zip(cubes, training_frames, strict=True))
        ]

    def _climatology(self, cube: Cube, keep: np.ndarray, start: int) -> np.ndarray:
        first, leads = start + self.config.frames + self.gap, self.config.leads
        told = without(keep, first, leads)
        return climatology_frames(cube.values, cube.months, first, self.config.frames, leads, told,
                                  forgetting=getattr(self.config, "forgetting", 0.0))

    def __len__(self) -> int:
        return len(self.places)

    def batch(self, indices: np.ndarray, rng: np.random.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
        samples = [self._cut(self.places[i]) for i in indices]
        frames, usual, truth = (torch.from_numpy(np.stack(some)) for some in zip(*samples, strict=True))
        return frames, usual, truth

    def _cut(self, at: Place) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        side, seen, leads = self.config.patch, self.config.frames, self.config.leads
        window = np.s_[:, at.row : at.row + side, at.col : at.col + side]
        usual = self.usual[at.cube][at.start][window]
        values = self.values[at.cube][window]
        first = at.start + seen + self.gap
        frames = fill(values[at.start : at.start + seen], usual[:seen])
        return frames, usual, values[first : first + leads].astype(np.float32)
