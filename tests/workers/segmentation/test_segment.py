"""Stacks become maps: bands by name, windows without seams, NaN where nothing was seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from affine import Affine
from torch import nn

from workers.imagery.grid import Grid
from workers.imagery.rasters import MissingBands, Stack
from workers.segmentation import random_forest
from workers.segmentation.features import features, network_input
from workers.segmentation.segment import segment_stack

BANDS = ("blue", "green", "red", "nir", "swir1", "swir2")


@dataclass
class Recipe:
    bands: tuple[str, ...]
    normalisation: dict[str, Any] = field(default_factory=lambda: {"kind": "none"})
    options: dict[str, Any] = field(default_factory=dict)


class Brightness(nn.Module):
    """Says how bright the first channel is; sees one pixel only, so that windows must not matter."""

    def __init__(self, patch: int = 32) -> None:
        super().__init__()
        self.config = SimpleNamespace(patch=patch)
        self.gain = nn.Parameter(torch.tensor(4.0))
        self.seen: list[tuple[int, ...]] = []

    def forward(self, x):
        self.seen.append(tuple(x.shape))
        z = self.gain * (x[:, 0] - 0.5)
        return torch.stack([torch.zeros_like(z), z], dim=1)


def stack_of(height: int = 70, width: int = 90, bands=BANDS, seed: int = 0) -> Stack:
    grid = Grid("EPSG:32632", Affine(30, 0, 480_000, 0, -30, 5_200_000), width, height)
    pixels = np.random.default_rng(seed).uniform(0.05, 0.9, (len(bands), height, width))
    return Stack(pixels.astype(np.float32), bands, grid)


def learned(network, bands=("green",), **recipe):
    return SimpleNamespace(network=network.eval(), recipe=Recipe(tuple(bands), **recipe))


def expected(green: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    return 1 / (1 + np.exp(-4 * (green - 0.5) / temperature))


@pytest.mark.parametrize(("height", "width"), [(70, 90), (20, 90), (20, 7), (32, 32), (33, 64)])
def test_stitched_windows_say_what_the_network_says_of_every_pixel(height, width):
    stack = stack_of(height, width)
    probability = segment_stack(stack, learned(Brightness()))
    assert probability.dtype == np.float32
    np.testing.assert_allclose(probability, expected(stack.band("green")), atol=1e-5)


def test_no_batch_is_larger_than_eight_windows_of_the_trained_size():
    network = Brightness()
    segment_stack(stack_of(200, 200), learned(network))
    assert all(shape[0] <= 8 and shape[2:] == (32, 32) for shape in network.seen) and len(network.seen) > 10


def test_missing_pixels_stay_missing_and_the_others_are_known():
    stack = stack_of()
    stack.pixels[1, 10:20, 30:45] = np.nan
    probability = segment_stack(stack, learned(Brightness()))
    np.testing.assert_array_equal(np.isnan(probability), np.isnan(stack.band("green")))


def test_a_band_the_network_does_not_ask_for_may_be_missing():
    stack = stack_of()
    stack.pixels[5] = np.nan
    assert np.isfinite(segment_stack(stack, learned(Brightness()))).all()


def test_an_unseen_scene_gives_an_unseen_map():
    stack = stack_of()
    stack.pixels[:] = np.nan
    assert np.isnan(segment_stack(stack, learned(Brightness(), normalisation={"kind": "image_minmax"}))).all()


def test_windows_without_a_known_pixel_are_not_shown_to_the_network():
    stack, network = stack_of(32, 320), Brightness()
    stack.pixels[:, :, 64:] = np.nan
    probability = segment_stack(stack, learned(network))
    assert sum(shape[0] for shape in network.seen) == 4         # origins 0, 16, 32 and 48
    assert np.isfinite(probability[:, :64]).all() and np.isnan(probability[:, 64:]).all()


def test_bands_are_found_by_name_whatever_their_order():
    stack = stack_of()
    turned = stack.select(BANDS[::-1])
    asked = learned(Brightness(), ("swir1", "green"))
    np.testing.assert_array_equal(segment_stack(stack, asked), segment_stack(turned, asked))


def test_a_missing_band_is_refused_by_name():
    with pytest.raises(MissingBands, match="Missing bands: elevation, thermal"):
        segment_stack(stack_of(), learned(Brightness(), ("green", "thermal", "slope")))


def test_indices_and_slope_are_derived_where_a_stack_lacks_them():
    stack = stack_of(bands=(*BANDS, "elevation"))
    stack.pixels[6] = 30 * np.arange(90)                    # rises one metre for each metre to the east
    ndsi, ndwi, slope = features(stack, ("ndsi", "ndwi", "slope"))
    green, nir, swir = (stack.band(name) for name in ("green", "nir", "swir1"))
    np.testing.assert_allclose(ndsi, (green - swir) / (green + swir), rtol=1e-5)
    np.testing.assert_allclose(ndwi, (green - nir) / (green + nir), rtol=1e-5)
    np.testing.assert_allclose(slope, 45, rtol=1e-5)


def test_temperature_softens_the_map_and_keeps_its_side_of_one_half():
    stack = stack_of()
    plain = segment_stack(stack, learned(Brightness()))
    warm = segment_stack(stack, learned(Brightness(), options={"temperature": 3.0}))
    np.testing.assert_allclose(warm, expected(stack.band("green"), 3.0), atol=1e-5)
    np.testing.assert_array_equal(warm >= 0.5, plain >= 0.5)


def test_limits_of_the_training_set_are_used_and_nothing_is_clipped():
    stack = stack_of()
    x = network_input(stack, ("green",), {"kind": "dataset_minmax", "low": [0.3], "high": [0.5]})
    np.testing.assert_allclose(x[0], (stack.band("green") - 0.3) / 0.2, rtol=1e-4, atol=1e-5)
    assert x.min() < 0 and x.max() > 1


def test_scaling_by_image_leaves_indices_their_meaning():
    stack = stack_of()
    green, ndsi = network_input(stack, ("green", "ndsi"), {"kind": "image_minmax"})
    assert green.min() == 0 and green.max() == 1
    np.testing.assert_allclose(ndsi, (features(stack, ("ndsi",))[0] + 1) / 2, rtol=1e-5)


def test_a_constant_band_scaled_by_image_is_zero():
    stack = stack_of()
    stack.pixels[1] = 0.7
    assert (network_input(stack, ("green",), {"kind": "image_minmax"}) == 0).all()


def test_an_unknown_scaling_is_refused():
    with pytest.raises(ValueError, match="unknown normalisation 'z-score'"):
        network_input(stack_of(), ("green",), {"kind": "z-score"})


def test_scaling_by_image_does_not_depend_on_the_window():
    stack = stack_of()
    probability = segment_stack(stack, learned(Brightness(), normalisation={"kind": "image_minmax"}))
    green = stack.band("green")
    np.testing.assert_allclose(probability, expected((green - green.min()) / np.ptp(green)), atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(70, 90), (128, 50), (16, 16)])
def test_a_network_of_one_size_is_shown_the_whole_image_whatever_its_shape(height, width):
    stack, network = stack_of(height, width), Brightness(patch=64)
    stack.pixels[1] = np.linspace(0, 1, width)
    probability = segment_stack(stack, learned(network, options={"whole_image": True}))
    assert network.seen == [(1, 1, 64, 64)] and probability.shape == (height, width)
    np.testing.assert_allclose(probability, expected(stack.band("green")), atol=0.06)


def test_a_forest_and_a_network_are_asked_in_the_same_way():
    stack = stack_of()
    pixels = np.moveaxis(features(stack, ("green", "ndsi")), 0, -1).reshape(-1, 2)
    config = random_forest.Config(channels=2, trees=10)
    forest = random_forest.fit(pixels, pixels[:, 0] > 0.5, np.zeros(len(pixels)), config)
    stack.pixels[1, 3, 4] = np.nan
    probability = segment_stack(stack, SimpleNamespace(network=forest, recipe=Recipe(("green", "ndsi"))))
    assert probability.shape == stack.grid.shape
    np.testing.assert_array_equal(np.isnan(probability), np.isnan(stack.band("green")))
    known = ~np.isnan(probability)
    assert ((probability >= 0.5) == (stack.band("green") > 0.5))[known].mean() > 0.98


def test_progress_is_reported_up_to_one():
    told: list[float] = []
    segment_stack(stack_of(), learned(Brightness()), report=lambda fraction, step: told.append(fraction))
    assert told == sorted(told) and told[-1] == 1
