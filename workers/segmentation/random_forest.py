"""PixelForest: a random forest over the channels of one pixel, kept as plain arrays and predicted from them.

Breiman, L. (2001). Random forests. Machine Learning 45, 5-32. scikit-learn grows the trees (inside `fit` only);
what is kept, saved and used afterwards is four arrays of nodes, so that nothing ever has to be unpickled.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier


@dataclass(frozen=True)
class Config:
    channels: int = 10              # optical 6, elevation, slope, radar 2
    trees: int = 200
    min_leaf: int = 5               # fewest training pixels in a leaf
    max_pixels: int = 200_000       # training pixels at most, stratified by tile and class
    seed: int = 0


SMALL = Config(trees=50, max_pixels=50_000)

ROWS_AT_ONCE = 65_536               # pixels walked down one tree together: bounds the memory
LEVELS_BETWEEN_ARRIVALS = 3         # looking who has arrived costs as much as a level


@dataclass(frozen=True)
class PixelForest:
    """All trees in one list of nodes. A node's right child follows its left one; children come after parents."""

    config: Config

    root: np.ndarray
    """int32, (trees,): where each tree begins; its nodes end where the next begins."""

    feature: np.ndarray
    """int32, (nodes,): the channel a node asks for."""

    threshold: np.ndarray
    """float32, (nodes,): go left when the channel is at most this."""

    left: np.ndarray
    """int32, (nodes,): left child; 0 in a leaf (the first root is nobody's child)."""

    leaf_probability: np.ndarray
    """float32, (nodes,): share of glacier among the training pixels of a leaf."""

    def __post_init__(self) -> None:
        nodes = len(self.feature)
        if not len(self.threshold) == len(self.left) == len(self.leaf_probability) == nodes > 0:
            raise ValueError("a forest needs feature, threshold, left and leaf_probability of one length above 0")
        if len(self.root) != self.config.trees or self.root[0] != 0 or np.any(np.diff(self.root) <= 0):
            raise ValueError(f"a forest of {self.config.trees} trees needs as many rising roots that begin at 0")
        self._refuse_broken_nodes(nodes)

    def _refuse_broken_nodes(self, nodes: int) -> None:
        """A walk must end and stay inside its tree, whoever wrote the file."""
        split = np.flatnonzero(self.left)
        end = np.append(self.root[1:], nodes)[np.searchsorted(self.root, split, side="right") - 1]
        if np.any(self.left[split] <= split) or np.any(self.left[split] + 1 >= end):
            raise ValueError("a forest's children must follow their parent inside the same tree")
        if np.any(self.feature[split] < 0) or np.any(self.feature[split] >= self.config.channels):
            raise ValueError(f"a forest's features must lie in 0..{self.config.channels - 1}")
        if not (np.all(np.isfinite(self.threshold)) and np.all(np.isfinite(self.leaf_probability))):
            raise ValueError("a forest's thresholds and leaf probabilities must be finite")

    def arrays(self) -> dict[str, np.ndarray]:
        """What a file has to keep, beside the config: `PixelForest(config, **arrays)` gives the forest back."""
        names = ("root", "feature", "threshold", "left", "leaf_probability")
        return {name: getattr(self, name) for name in names}

    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """Mean vote of the trees: (..., C) float -> (...) float32 in 0..1; NaN where any channel is NaN.

        Raises ValueError when the last axis is not `config.channels` long.
        """
        if pixels.shape[-1] != self.config.channels:
            raise ValueError(f"this forest was grown on {self.config.channels} channels, not {pixels.shape[-1]}")
        rows = np.ascontiguousarray(pixels, dtype=np.float32).reshape(-1, self.config.channels)
        probability = np.full(len(rows), np.nan, dtype=np.float32)
        known = np.flatnonzero(~np.isnan(rows).any(axis=1))
        for begin in range(0, len(known), ROWS_AT_ONCE):
            some = known[begin : begin + ROWS_AT_ONCE]
            probability[some] = self._vote(rows[some])
        return probability.reshape(pixels.shape[:-1])

    def _vote(self, rows: np.ndarray) -> np.ndarray:        # (n, C) -> (n,)
        total = np.zeros(len(rows))
        flat = rows.ravel()
        for root in self.root:
            for row, leaf in self._arrivals(flat, len(rows), root):
                total[row] += self.leaf_probability[leaf]
        return total / self.config.trees

    @cached_property
    def _walk(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """feature, threshold and left as a walk wants them: a leaf leads to itself."""
        leaf = self.left == 0
        return (self.feature.astype(np.intp), np.where(leaf, np.float32(np.inf), self.threshold),
                np.where(leaf, np.arange(len(leaf)), self.left).astype(np.intp))

    def _arrivals(self, flat: np.ndarray, n: int, root: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Walk n rows down one tree, a level at a time; give out (rows, their leaves) as they arrive."""
        feature, threshold, left_of = self._walk
        row, node = np.arange(n), np.full(n, root, dtype=np.intp)
        start = row * self.config.channels
        for level in itertools.count(1):
            left = left_of.take(node)
            if level % LEVELS_BETWEEN_ARRIVALS == 0:
                going = left != node
                if going.mean() < 0.75:                     # worth the copying
                    yield row[~going], node[~going]
                    row, node, left, start = row[going], node[going], left[going], start[going]
            if not len(row):
                return
            value = flat.take(start + feature.take(node))
            node = left + (value > threshold.take(node))


def fit(pixels: np.ndarray, truth: np.ndarray, tile: np.ndarray, config: Config) -> PixelForest:
    """Grow a forest. pixels (N, C) float, truth (N,) 0/1 (NaN = no label), tile (N,) any labels to stratify by.

    Pixels with a missing channel or label are left out. Raises ValueError when none or only one class remains.
    """
    from sklearn.ensemble import RandomForestClassifier

    if pixels.shape[1] != config.channels:
        raise ValueError(f"this forest is made for {config.channels} channels, not {pixels.shape[1]}")
    usable = np.flatnonzero(np.isfinite(truth) & np.isfinite(pixels).all(axis=1))
    if len(np.unique(truth[usable] > 0.5)) != 2:
        raise ValueError("a forest needs pixels of both classes, glacier and not: among the "
                         f"{len(usable)} of {len(truth)} with all channels and a label there is none or one class")
    chosen = usable[stratified(tile[usable], truth[usable] > 0.5, config.max_pixels, config.seed)]
    grown = RandomForestClassifier(
        config.trees, min_samples_leaf=config.min_leaf, max_features="sqrt", random_state=config.seed, n_jobs=-1
    ).fit(pixels[chosen].astype(np.float32), truth[chosen] > 0.5)
    return from_sklearn(grown, config)


def stratified(tile: np.ndarray, glacier: np.ndarray, limit: int, seed: int) -> np.ndarray:
    """Positions of at most `limit` pixels, each (tile, class) in its own share of the whole (no 50/50 balancing)."""
    if len(tile) <= limit:
        return np.arange(len(tile))
    stratum = np.unique(tile, return_inverse=True)[1] * 2 + glacier
    order = np.random.default_rng(seed).permutation(len(tile))
    order = order[np.argsort(stratum[order], kind="stable")]        # random within a stratum, strata side by side
    every = np.arange(limit) * len(tile) // limit                   # evenly spaced: proportional to the strata
    return np.sort(order[every])


def from_sklearn(grown: RandomForestClassifier, config: Config) -> PixelForest:
    """The node arrays of a fitted two-class scikit-learn forest."""
    trees = [_nodes_by_level(one.tree_) for one in grown.estimators_]
    root = np.cumsum([0] + [len(t["left"]) for t in trees[:-1]])
    for begin, tree in zip(root, trees, strict=True):
        tree["left"] = np.where(tree["left"] > 0, tree["left"] + begin, 0)
    joined = {name: np.concatenate([t[name] for t in trees]) for name in trees[0]}
    kinds = {"feature": np.int32, "left": np.int32, "leaf_probability": np.float32, "threshold": np.float32}
    return PixelForest(config, root.astype(np.int32), **{k: joined[k].astype(kind) for k, kind in kinds.items()})


def _nodes_by_level(tree) -> dict[str, np.ndarray]:
    """Renumber one tree breadth-first, siblings side by side."""
    levels, new_left, here = [], [], np.array([0])
    numbered = 1
    while len(here):
        inner = tree.children_left[here] >= 0
        left = np.zeros(len(here), dtype=np.int64)
        left[inner] = numbered + 2 * np.arange(inner.sum())
        numbered += 2 * int(inner.sum())
        levels.append(here)
        new_left.append(left)
        parents = here[inner]
        here = np.stack([tree.children_left[parents], tree.children_right[parents]], axis=1).ravel()
    order, left = np.concatenate(levels), np.concatenate(new_left)
    glacier = tree.value[order, 0, 1] / tree.value[order, 0].sum(axis=1)
    threshold = np.where(left > 0, tree.threshold[order], 0)
    return {"feature": np.where(left > 0, tree.feature[order], 0), "left": left,
            "threshold": _float32_at_most(threshold), "leaf_probability": glacier}


def _float32_at_most(value: np.ndarray) -> np.ndarray:
    """The largest float32 not above each value: then `x <= t` says the same for every float32 x."""
    rounded = value.astype(np.float32)
    return np.where(rounded > value, np.nextafter(rounded, np.float32(-np.inf)), rounded)
