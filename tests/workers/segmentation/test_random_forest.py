"""The forest: the same answers as the library that grew it, from plain arrays, and no walk that never ends."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from workers.segmentation import random_forest
from workers.segmentation.random_forest import Config, PixelForest

CONFIG = Config(channels=4, trees=20, min_leaf=3, max_pixels=2_000, seed=3)


def labelled(n: int = 3_000, channels: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    pixels = rng.normal(size=(n, channels)).astype(np.float32)
    truth = (pixels[:, 0] + 0.5 * pixels[:, 1] ** 2 + 0.5 * rng.normal(size=n) > 0.4).astype(np.float32)
    return pixels, truth, rng.integers(0, 5, n)


def grown() -> PixelForest:
    return random_forest.fit(*labelled(), CONFIG)


def test_the_forest_says_what_scikit_learn_says():
    pixels, truth, _ = labelled()
    library = RandomForestClassifier(20, min_samples_leaf=3, random_state=3).fit(pixels, truth > 0.5)
    ours = random_forest.from_sklearn(library, CONFIG)
    asked = labelled(5_000, seed=9)[0]
    np.testing.assert_allclose(ours.predict(asked), library.predict_proba(asked)[:, 1], atol=1e-6)


def test_values_exactly_on_a_threshold_go_the_same_way_as_in_scikit_learn():
    pixels, truth, _ = labelled()
    pixels = np.round(pixels, 1)
    library = RandomForestClassifier(20, min_samples_leaf=3, random_state=3).fit(pixels, truth > 0.5)
    ours = random_forest.from_sklearn(library, CONFIG)
    halves = np.round(labelled(5_000, seed=9)[0] * 20) / 20         # midpoints of the training values
    np.testing.assert_allclose(ours.predict(halves), library.predict_proba(halves)[:, 1], atol=1e-6)


def test_a_missing_channel_makes_the_pixel_missing_and_no_other():
    forest, image = grown(), labelled(64)[0].reshape(8, 8, 4)
    whole = forest.predict(image)
    image[2, 3, 1] = np.nan
    holed = forest.predict(image)
    assert np.isnan(holed[2, 3]) and np.isnan(holed).sum() == 1
    known = ~np.isnan(holed)
    np.testing.assert_array_equal(holed[known], whole[known])


def test_an_image_without_any_pixel_known_stays_unknown():
    assert np.isnan(grown().predict(np.full((5, 6, 4), np.nan))).all()


def test_arrays_and_config_give_the_same_forest_back():
    forest, asked = grown(), labelled(500, seed=5)[0]
    again = PixelForest(forest.config, **{name: array.copy() for name, array in forest.arrays().items()})
    np.testing.assert_array_equal(again.predict(asked), forest.predict(asked))


def test_another_number_of_channels_is_refused_by_number():
    with pytest.raises(ValueError, match="4 channels, not 3"):
        grown().predict(np.zeros((2, 3)))


@pytest.mark.parametrize(("name", "value"), [("left", 1), ("left", 10**6), ("feature", 4), ("threshold", np.nan)])
def test_node_arrays_that_would_never_end_or_leave_the_tree_are_refused(name, value):
    arrays = {key: array.copy() for key, array in grown().arrays().items()}
    split = np.flatnonzero(arrays["left"])[5]
    arrays[name][split] = value
    with pytest.raises(ValueError, match="must"):
        PixelForest(CONFIG, **arrays)


def test_unlabelled_and_incomplete_pixels_teach_nothing():
    pixels, truth, tile = labelled()
    clean = random_forest.fit(pixels, truth, tile, CONFIG)
    bad = np.full((50, 4), np.nan, np.float32)
    dirty = random_forest.fit(np.vstack([pixels, bad, pixels[:9]]), np.concatenate([truth, np.ones(50), [np.nan] * 9]),
                              np.concatenate([tile, np.zeros(59, int)]), CONFIG)
    np.testing.assert_array_equal(clean.leaf_probability, dirty.leaf_probability)


def test_one_class_alone_is_refused():
    pixels, _, tile = labelled(100)
    with pytest.raises(ValueError, match="both classes"):
        random_forest.fit(pixels, np.ones(100), tile, CONFIG)


def test_the_pixels_chosen_keep_the_shares_of_tiles_and_classes():
    rng = np.random.default_rng(0)
    tile, glacier = rng.choice(["a", "b", "c"], 10_000, p=[0.6, 0.3, 0.1]), rng.random(10_000) < 0.2
    chosen = random_forest.stratified(tile, glacier, 1_000, seed=1)
    assert len(np.unique(chosen)) == 1_000
    for name in "abc":
        for ice in (True, False):
            here = (tile == name) & (glacier == ice)
            assert abs((here[chosen]).sum() - here.sum() / 10) <= 1


def test_the_same_seed_gives_the_same_forest():
    np.testing.assert_array_equal(grown().threshold, grown().threshold)


def test_predicting_never_loads_scikit_learn():
    code = "import sys, workers.segmentation.random_forest; assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
