"""What goes on the map with a forecast: the interval of its area, and its scores."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from workers.forecasting.issue import area_interval, scores_of
from workers.forecasting.rollout import Hindcast
from workers.forecasting.skill import score, skill


def test_the_interval_is_the_prediction_interval_of_past_errors():
    errors = [0.05, -0.02, 0.01, 0.08, -0.04, 0.03]
    fitted = sm.OLS(np.array(errors), np.ones(len(errors))).fit().get_prediction(np.ones(1))
    low, high = fitted.summary_frame(alpha=0.05)[["obs_ci_lower", "obs_ci_upper"]].iloc[0]
    assert area_interval(10.0, errors) == pytest.approx((10 / (1 + high), 10 / (1 + low)))


def test_a_bias_of_the_past_shifts_the_interval():
    lo, hi = area_interval(12.0, [0.2, 0.21, 0.19, 0.2])
    assert lo < 10.0 < hi < 12.0


def test_too_few_past_forecasts_give_no_interval():
    assert area_interval(10.0, [0.1, float("nan"), 0.2]) == (None, None)


def test_pooled_scores_weigh_every_pixel_alike_and_every_lead_has_its_interval():
    rng = np.random.default_rng(6)
    truth = rng.random((3, 4, 40, 40))
    truth[:, 2, :, 10:] = np.nan                                       # of the third lead a quarter is known
    said, base = truth + rng.normal(0, [[[[0.1]], [[0.1]], [[0.9]], [[0.1]]]], truth.shape), truth + 0.5
    found = skill(said, base, truth, "climatology", block_px=10)
    past = Hindcast((), 4, 3, score(said, truth), score(said, truth), {"climatology": score(base, truth)},
                    {"climatology": found}, (), False, True)
    pooled, *leads = scores_of(past)
    known = np.isfinite(truth)
    assert (pooled.lead, pooled.mse) == (0, pytest.approx(((said - truth)[known] ** 2).mean()))
    assert pooled.mae == pytest.approx(abs(said - truth)[known].mean())
    assert pooled.skill == pytest.approx(1 - pooled.mse / pooled.mse_baseline)
    assert [one.lead for one in leads] == [1, 2, 3, 4]
    for one in leads:
        assert one.skill == pytest.approx(1 - one.mse / one.mse_baseline)
        assert one.lo < one.skill < one.hi
