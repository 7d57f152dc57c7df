"""What goes on the map with a forecast: the interval of its area."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from workers.forecasting.issue import area_interval


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
