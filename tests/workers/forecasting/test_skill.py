"""Scores and skill against scikit-learn and against cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import jaccard_score, mean_absolute_error, mean_squared_error

from workers.forecasting import skill as measures


@pytest.fixture
def frames():
    rng = np.random.default_rng(2)
    return rng.random((3, 4, 60, 70)), rng.random((3, 4, 60, 70))


def test_scores_per_lead_are_those_of_scikit_learn(frames):
    predicted, truth = frames
    scores = measures.score(predicted, truth)
    p, t = predicted[:, 2].ravel(), truth[:, 2].ravel()
    assert scores.mse[2] == pytest.approx(mean_squared_error(t, p))
    assert scores.mae[2] == pytest.approx(mean_absolute_error(t, p))
    assert scores.iou[2] == pytest.approx(jaccard_score(t >= 0.3, p >= 0.3))
    assert scores.area_error[2] == pytest.approx((p >= 0.3).sum() / (t >= 0.3).sum() - 1)
    assert scores.pooled_mse == pytest.approx(mean_squared_error(truth.ravel(), predicted.ravel()))


def test_unknown_pixels_take_no_part(frames):
    predicted, truth = frames
    holed = truth.copy()
    holed[:, :, :30] = np.nan
    got, expected = measures.score(predicted, holed), measures.score(predicted[:, :, 30:], truth[:, :, 30:])
    for field, value in got.to_dict().items():
        assert value == pytest.approx(expected.to_dict()[field]), field


def test_where_nothing_is_known_every_score_is_nan(frames):
    scores = measures.score(frames[0], np.full_like(frames[0], np.nan))
    assert np.isnan([scores.pooled_mse, *scores.mse, *scores.iou, *scores.area_error]).all()


def test_thresholding_clips_and_keeps_equality():
    got = measures.threshold_frames(np.array([-0.2, 0.29, 0.3, 0.7, 1.4, np.nan], np.float32))
    np.testing.assert_allclose(got, np.array([0, 0, 0.3, 0.7, 1, np.nan], np.float32))


def test_half_the_error_is_a_skill_of_three_quarters(frames):
    truth = frames[1]
    noise = np.random.default_rng(3).normal(size=truth.shape)
    found = measures.skill(truth + noise, truth + 2 * noise, truth, "twice")
    assert (found.pooled, found.lo, found.hi) == pytest.approx((0.75, 0.75, 0.75))
    assert found.per_lead == pytest.approx([0.75] * 4)


def test_the_baseline_itself_has_no_skill(frames):
    found = measures.skill(frames[0], frames[0], frames[1])
    assert (found.pooled, found.lo, found.hi) == (0, 0, 0)
    assert not measures.is_useful({"seasonal persistence": found, "climatology": found})


def test_the_same_seed_gives_the_same_interval(frames):
    predicted, truth = frames
    base = np.random.default_rng(4).random(truth.shape)
    one, two, other = (measures.skill(predicted, base, truth, seed=s) for s in (1, 1, 2))
    assert one == two
    assert (one.lo, one.pooled) != (other.lo, other.pooled)
    assert one.pooled == other.pooled


def test_the_interval_is_that_of_resampled_blocks():
    """Independent reference: draw blocks of pixels with a loop and take percentiles."""
    rng = np.random.default_rng(8)
    truth = np.zeros((1, 1, 80, 80))
    size = np.kron(rng.random((4, 4)) + 0.2, np.ones((20, 20)))
    predicted, base = size[None, None] * 1.0, np.ones((1, 1, 80, 80))
    found = measures.skill(predicted, base, truth, block_px=20, resamples=4000)
    blocks = (size**2).reshape(4, 20, 4, 20).swapaxes(1, 2).reshape(16, 400)
    loop = [1 - blocks[rng.integers(0, 16, 16)].mean() for _ in range(4000)]
    assert (found.lo, found.hi) == pytest.approx(np.percentile(loop, [2.5, 97.5]), abs=0.02)


def test_the_interval_covers_the_true_skill_of_correlated_errors():
    """Errors shared within patches of 10 px: intervals over blocks of 20 px cover 0.5 about as often as they say."""
    rng = np.random.default_rng(0)
    hits = 0
    for world in range(100):
        big, small = (np.kron(rng.normal(size=(12, 12)), np.ones((10, 10)))[None] for _ in range(2))
        found = measures.skill(small * np.sqrt(0.5), big, np.zeros_like(big), block_px=20, resamples=300, seed=world)
        hits += found.lo <= 0.5 <= found.hi
    assert 85 <= hits <= 100


def test_blocks_shrink_on_small_frames_so_that_there_are_sixteen():
    assert measures.block_side((256, 300), 50) == 50
    assert measures.block_side((64, 300), 50) == 16
    assert measures.block_sums(np.ones((2, 60, 64)), 15).shape == (2, 20)
    np.testing.assert_array_equal(measures.block_sums(np.ones((5, 1, 3, 4)), 2), [[20, 20, 10, 10]])


def test_a_perfect_baseline_leaves_skill_undefined_and_useless(frames):
    found = measures.skill(frames[0], frames[1], frames[1])
    assert np.isnan(found.pooled) or found.pooled == -np.inf
    assert not measures.is_useful({"seasonal persistence": found, "climatology": found})


def test_useful_needs_both_baselines_beaten(frames):
    truth = frames[1]
    better = measures.skill(truth + 0.1, truth + 0.2, truth)
    worse = measures.skill(truth + 0.2, truth + 0.1, truth)
    assert measures.is_useful({"seasonal persistence": better, "climatology": better})
    assert not measures.is_useful({"seasonal persistence": better, "climatology": worse})
    assert not measures.is_useful({"climatology": better})


def test_shapes_that_differ_are_refused(frames):
    with pytest.raises(ValueError, match="leads, H, W"):
        measures.score(frames[0], frames[1][:, :2])
