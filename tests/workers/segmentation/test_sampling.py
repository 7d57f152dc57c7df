"""Many maps of one image: what dropout and turning may change, and what not."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from affine import Affine
from torch import nn

from workers.imagery.grid import Grid
from workers.imagery.rasters import Stack
from workers.segmentation import random_forest, sampling
from workers.segmentation.segment import segment_stack


class Net(nn.Module):
    """One convolution that looks east, with normalisation and spatial dropout."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.config = SimpleNamespace(patch=32)
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Dropout2d(0.5), nn.Conv2d(8, 2, 1))

    def forward(self, x):
        return self.body(x)


def stack_of(height: int, width: int) -> Stack:
    grid = Grid("EPSG:32632", Affine(30, 0, 480_000, 0, -30, 5_200_000), width, height)
    return Stack(np.random.default_rng(0).random((1, height, width)), ("green",), grid)


def learned(network=None, **options):
    recipe = SimpleNamespace(bands=("green",), normalisation={"kind": "none"}, options=options)
    return SimpleNamespace(network=(network or Net()).eval(), recipe=recipe)


def maps(version, stack, **settings) -> list[np.ndarray]:
    return list(sampling.samples(lambda predict: segment_stack(stack, version, predict=predict), version, **settings))


def test_every_view_is_undone():
    x = torch.arange(2 * 3 * 4 * 4).reshape(2, 3, 4, 4)
    seen = [sampling.laid(x, view) for view in sampling.VIEWS]
    assert len({tuple(one.flatten().tolist()) for one in seen}) == 8
    for one, view in zip(seen, sampling.VIEWS, strict=True):
        torch.testing.assert_close(sampling.laid_back(one, view), x)


def test_the_first_view_without_dropout_is_the_plain_map():
    version, stack = learned(temperature=2.0), stack_of(40, 50)
    found = maps(version, stack, passes=0)
    assert len(found) == 8
    np.testing.assert_allclose(found[0], segment_stack(stack, version), atol=1e-6)
    assert any(not np.allclose(found[0], other) for other in found[1:])     # this network knows where east is


def test_a_network_that_sees_single_pixels_says_the_same_of_every_view():
    class Pixel(Net):
        def forward(self, x):
            return torch.cat([-x, x], dim=1)

    for one in maps(learned(Pixel()), stack_of(32, 32), passes=0):
        np.testing.assert_allclose(one, 1 / (1 + np.exp(-2 * stack_of(32, 32).band("green"))), atol=1e-5)


def test_dropout_passes_and_views_multiply_and_differ():
    found = maps(learned(), stack_of(32, 32), passes=3)
    assert len(found) == 24
    assert not np.allclose(found[0], found[8])


def test_the_same_seed_drops_the_same_channels_and_another_seed_others():
    version, stack = learned(), stack_of(32, 32)
    run = partial(maps, version, stack, passes=2, turn=False)
    np.testing.assert_array_equal(run(seed=1), run(seed=1))
    assert not np.allclose(run(seed=1), run(seed=2))


def test_sampling_leaves_the_network_and_the_random_state_as_they_were():
    version, stack = learned(), stack_of(32, 32)
    before = {name: tensor.clone() for name, tensor in version.network.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    maps(version, stack, passes=2)
    assert torch.rand(1) == expected
    assert not any(module.training for module in version.network.modules())
    for name, tensor in version.network.state_dict().items():
        torch.testing.assert_close(tensor, before[name])            # normalisation kept its statistics


def test_a_forest_cannot_be_sampled():
    forest = random_forest.fit(np.array([[0.0], [1.0]] * 20), np.array([0.0, 1] * 20), np.zeros(40),
                               random_forest.Config(channels=1, trees=2))
    version = SimpleNamespace(network=forest, recipe=None)
    with pytest.raises(ValueError, match="forest"):
        next(sampling.samples(lambda predict: None, version))


def test_the_spread_of_samples_by_hand():
    found = sampling.spread([np.array([0.0, 0.5, np.nan]), np.array([1.0, 0.5, 0.3])])
    np.testing.assert_allclose(found.mean, [0.5, 0.5, np.nan])
    np.testing.assert_allclose(found.sd, [0.5, 0, np.nan], atol=1e-12)
    np.testing.assert_allclose(found.entropy_bits, [1, 1, np.nan])
    # the first pixel is contradicted by its samples, the second is agreed to be open
    np.testing.assert_allclose(found.mutual_information_bits, [1, 0, np.nan], atol=1e-4)
    assert found.count == 2


def test_mutual_information_is_never_negative_and_mean_and_sd_are_numpys():
    samples = np.random.default_rng(0).random((30, 20, 20))
    found = sampling.spread(iter(samples))
    assert (found.mutual_information_bits >= 0).all()
    np.testing.assert_allclose(found.mean, samples.mean(axis=0))
    np.testing.assert_allclose(found.sd, samples.std(axis=0))


def test_no_sample_has_no_spread():
    with pytest.raises(ValueError, match="at least one"):
        sampling.spread([])
