"""Many answers of one network to one image: dropout left on, and the image turned and mirrored.

Gal and Ghahramani (2016), Dropout as a Bayesian approximation, https://arxiv.org/abs/1506.02142; mutual information
as the part of the entropy that more training could remove: Depeweg et al. (2018), https://arxiv.org/abs/1710.07283 .
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .calibrate import entropy_bits
from .segment import Learned, Predict, glacier_probability

PASSES = 20
VIEWS = tuple((turns, mirrored) for mirrored in (False, True) for turns in range(4))
"""The eight ways to lay a square on itself: quarter turns, then perhaps mirrored."""

DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


@contextmanager
def dropout_on(network: nn.Module) -> Iterator[None]:
    """Dropout as in training, everything else (batch normalisation) as in use; as it was afterwards."""
    layers = [layer for layer in network.modules() if isinstance(layer, DROPOUTS)]
    before = [layer.training for layer in layers]
    for layer in layers:
        layer.train()
    try:
        yield
    finally:
        for layer, training in zip(layers, before, strict=True):
            layer.train(training)


def laid(x: Tensor, view: tuple[int, bool]) -> Tensor:
    """The image (..., n, n) as this view shows it."""
    turns, mirrored = view
    x = torch.rot90(x, turns, (-2, -1))
    return x.flip(-1) if mirrored else x


def laid_back(x: Tensor, view: tuple[int, bool]) -> Tensor:
    """The inverse of `laid`."""
    turns, mirrored = view
    return torch.rot90(x.flip(-1) if mirrored else x, -turns, (-2, -1))


def samples(
    run: Callable[[Predict], np.ndarray], learned: Learned, passes: int = PASSES, turn: bool = True, seed: int = 0
) -> Iterator[np.ndarray]:
    """One calibrated probability map (H, W) after the other: every dropout pass with every view.

    `run` makes a map with the given forward pass: `lambda predict: segment_stack(stack, learned, predict=predict)`.
    passes = 0 leaves dropout off (8 maps); turn = False leaves the image as it lies. The same seed drops the same
    channels of two dates, as paired changes need. Raises ValueError for a forest, which has neither.
    """
    if not isinstance(learned.network, nn.Module):
        raise ValueError("a forest has no dropout and sees single pixels: it cannot be sampled; use a network")
    temperature = float(learned.recipe.options.get("temperature", 1.0))
    for number in range(max(passes, 1)):
        for view in VIEWS if turn else VIEWS[:1]:
            def predict(network: nn.Module, x: Tensor, view=view) -> Tensor:
                return laid_back(glacier_probability(network, laid(x, view), temperature), view)

            with torch.random.fork_rng():
                torch.manual_seed(seed * 100_003 + number)
                if passes:
                    with dropout_on(learned.network):
                        found = run(predict)
                else:
                    found = run(predict)
            yield found


@dataclass(frozen=True)
class Spread:
    """What many maps of one image agree on; all (H, W), NaN where not observed."""

    mean: np.ndarray
    sd: np.ndarray
    entropy_bits: np.ndarray
    """Of the mean: how unsure the map is in all."""
    mutual_information_bits: np.ndarray
    """Entropy of the mean less mean entropy, at least 0: how much the samples contradict each other."""
    count: int


def spread(maps: Iterable[np.ndarray]) -> Spread:
    """Sum maps up as they come; memory does not grow with their number. Raises ValueError without any."""
    count = 0
    mean = squares = entropy = np.zeros(())
    for one in maps:
        count += 1
        p = one.astype(np.float64)
        step = p - mean
        mean = mean + step / count                      # Welford (1962)
        squares = squares + step * (p - mean)
        entropy = entropy + entropy_bits(p)
    if not count:
        raise ValueError("a spread needs at least one map")
    total = entropy_bits(mean)
    return Spread(mean, np.sqrt(squares / count), total, np.maximum(total - entropy / count, 0), count)
