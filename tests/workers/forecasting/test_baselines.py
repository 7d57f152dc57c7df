"""Baselines against pandas, statsmodels, scikit-learn and sums done by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LinearRegression

from workers.forecasting import baselines
from workers.imagery.windows import TooFewFrames


@pytest.fixture
def history():
    """Five years of quarters and two quarters more, 3 x 4 px, with holes; one pixel never seen."""
    values = np.random.default_rng(5).random((22, 3, 4)).astype(np.float32)
    values[3, 0, 0] = values[7, 0, 0] = values[21, 1, 1] = np.nan
    values[:, 2, 3] = np.nan
    return values


def test_persistence_repeats_the_last_frame(history):
    np.testing.assert_array_equal(baselines.persistence(history, 3), np.stack([history[-1]] * 3))


def test_seasonal_persistence_of_quarters_replays_the_last_four_frames(history):
    np.testing.assert_array_equal(baselines.seasonal_persistence(history, 4), history[-4:])
    np.testing.assert_array_equal(baselines.seasonal_persistence(history, 6), history[[-4, -3, -2, -1, -4, -3]])


def test_seasonal_persistence_of_half_years_replays_the_last_two(history):
    np.testing.assert_array_equal(baselines.seasonal_persistence(history, 4, months=6), history[[-2, -1, -2, -1]])


def test_climatology_is_the_mean_of_the_season(history):
    table = pd.DataFrame(history.reshape(22, -1)).groupby(np.arange(22) % 4).mean()
    expected = table.loc[[22 % 4, 23 % 4, 24 % 4, 25 % 4]].to_numpy().reshape(4, 3, 4)
    np.testing.assert_allclose(baselines.climatology(history, 4), expected, rtol=1e-6)


def test_the_trend_is_the_ordinary_least_squares_line_of_each_season(history):
    got = baselines.linear_trend(history, 4)
    for lead in range(4):
        frame = 22 + lead
        y = history[frame % 4 :: 4, 0, 0].astype(float)
        x = sm.add_constant(np.arange(len(y), dtype=float))
        fit = sm.OLS(y, x, missing="drop").fit()
        assert got[lead, 0, 0] == pytest.approx(fit.params @ [1, frame // 4], rel=1e-5)


def test_a_season_known_in_two_years_only_has_no_trend_but_a_mean():
    history = np.arange(8, dtype=np.float32)[:, None, None]
    np.testing.assert_allclose(baselines.linear_trend(history, 4), baselines.climatology(history, 4))


def test_zero_and_train_mean(history):
    assert not baselines.zero(history, 2)[:, 0].any()
    np.testing.assert_allclose(baselines.train_mean(history, 2)[1, 0], np.nanmean(history[:, 0], 0), rtol=1e-6)


def test_a_pixel_never_seen_stays_unknown_in_every_baseline(history):
    for name, frames in baselines.all_baselines(history, 4).items():
        assert np.isnan(frames[:, 2, 3]).all(), name
        assert frames.shape == (4, 3, 4)
        assert frames.dtype == np.float32


def test_a_climatology_from_frames_before_the_date_does_not_change_with_what_comes_after(history):
    before = baselines.climatology_frames(history, 3, 16)
    later = history.copy()
    later[16:] = 9
    np.testing.assert_array_equal(baselines.climatology_frames(later, 3, 16), before)
    np.testing.assert_allclose(before[4:], baselines.climatology(history[:16], 4))
    np.testing.assert_allclose(before[:4], before[4:])


def test_a_climatology_that_forgets_is_exponential_smoothing_of_each_season(history):
    usual = baselines.climatology_frames(history, 3, 16, forgetting=0.1)
    for lead in range(4):
        years = history[lead:16:4].astype(np.float64)
        weights = np.broadcast_to((0.9 ** np.arange(len(years))[::-1])[:, None, None], years.shape)
        known = np.isfinite(years)
        expected = np.where(known, years * weights, 0).sum(0) / np.where(known, weights, 0).sum(0).clip(1e-9)
        enough = known.sum(0) >= 2
        np.testing.assert_allclose(usual[4 + lead][enough], expected[enough], rtol=1e-6)
        assert np.isnan(usual[4 + lead][~enough]).all()


def test_what_is_forgotten_of_one_year_is_forgotten_alike_before_and_after_a_training_sample():
    years = np.repeat(np.arange(9, dtype=np.float32), 4)[:, None, None] * np.ones((1, 2, 2), np.float32)
    left = baselines.without(np.ones(36, bool), 16)
    usual = baselines.climatology_frames(years, 3, 16, keep=left, forgetting=0.3)
    np.testing.assert_allclose(usual, 4, rtol=1e-6)     # four years before, four after, the target's own left out


@pytest.mark.parametrize("forgetting", [-0.1, 1.0])
def test_a_climatology_that_forgets_everything_or_less_than_nothing_is_refused(history, forgetting):
    with pytest.raises(ValueError, match="forgetting"):
        baselines.climatology_frames(history, 3, 16, forgetting=forgetting)


def test_with_fewer_than_two_earlier_years_there_is_no_climatology(history):
    usual = baselines.climatology_frames(history, 3, 7)
    assert np.isnan(usual[4]).all()                   # the fourth quarter is known once before frame 7
    assert np.isfinite(usual[5, 0, 1])                # the first one twice


def test_a_training_sample_is_not_told_its_own_targets(history):
    keep = np.arange(22) < 20
    left = baselines.without(keep, 12)
    assert left.sum() == 16
    assert keep.sum() == 20
    changed = history.copy()
    changed[12:16] = 9
    np.testing.assert_array_equal(baselines.climatology_frames(history, 3, 12, keep=left),
                                  baselines.climatology_frames(changed, 3, 12, keep=left))


def test_months_that_do_not_fill_a_year_are_refused(history):
    with pytest.raises(ValueError, match="5 months"):
        baselines.climatology(history, 4, months=5)


def test_a_record_of_less_than_a_year_has_no_seasonal_persistence(history):
    with pytest.raises(TooFewFrames, match="at least 4"):
        baselines.seasonal_persistence(history[:3], 4)


def test_the_regression_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    seen, truth = rng.random((4, 10, 30)), rng.random((4, 10, 30))
    training = np.broadcast_to(np.arange(30) < 20, (10, 30))
    reference = LinearRegression().fit(seen[:, training].T, truth[:, training].T)
    expected = reference.predict(seen.reshape(4, -1).T).T.reshape(4, 10, 30)
    np.testing.assert_allclose(baselines.per_pixel_regression(seen, truth, training), expected, rtol=1e-4)


def test_the_regression_of_a_frame_uses_all_pixels_that_this_frame_knows():
    rng = np.random.default_rng(2)
    seen, truth = rng.random((4, 10, 30)), rng.random((3, 10, 30))
    truth[0, :9], truth[2] = np.nan, np.nan
    training = np.broadcast_to(np.arange(30) < 20, (10, 30))
    got = baselines.per_pixel_regression(seen, truth, training)
    whole = LinearRegression().fit(seen[:, training].T, truth[1, training])
    np.testing.assert_allclose(got[1], whole.predict(seen.reshape(4, -1).T).reshape(10, 30), rtol=1e-4)
    assert np.isfinite(got[0]).all()
    assert np.isnan(got[2]).all()
    truth[0, :, 3:] = np.nan
    with pytest.raises(TooFewFrames, match="3 training pixels"):
        baselines.per_pixel_regression(seen, truth, training)


def test_spatial_baselines_keep_the_season_across_a_gap():
    seen = np.arange(4, dtype=np.float32)[:, None, None] * np.ones((4, 6, 6), np.float32)
    seen += np.random.default_rng(0).random((4, 6, 6), np.float32) * 0.01
    same = baselines.spatial_baselines(seen, seen, np.ones((6, 6), bool), gap=4)["same season of the last year seen"]
    np.testing.assert_array_equal(same, seen)
    shifted = baselines.spatial_baselines(seen, seen, np.ones((6, 6), bool), gap=1)
    np.testing.assert_array_equal(shifted["same season of the last year seen"], seen[[1, 2, 3, 0]])
    assert set(shifted) == {"last frame", "same season of the last year seen", "per-pixel mean", "per-pixel regression"}
