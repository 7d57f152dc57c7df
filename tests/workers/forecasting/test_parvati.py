"""Real quarters of snow and ice at Parvati glacier: what the baselines of a spatial transfer are worth there."""

from __future__ import annotations

import numpy as np
import pytest

from workers.forecasting.transfer import score_transfer, split_columns
from workers.imagery import rasters
from workers.motion.farneback import dense_flow

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def quarters(real_data):
    folder = real_data / "scenes" / "parvati_ndsi"
    return {year: np.stack([rasters.read(folder / f"parvati_ndsi_{year}Q{q}.tif").pixels[0] for q in range(1, 5)])
            for year in (2019, 2021)}


def test_the_regression_is_far_stronger_than_persistence(quarters):
    seen, truth = quarters[2019], quarters[2021]
    training, test = split_columns(seen.shape[1:], patch=50)
    found = score_transfer(np.zeros_like(truth), seen, truth, training, test, gap=4)
    errors = {name: scores.pooled_mse for name, scores in found.baselines.items()}
    assert errors["per-pixel regression"] < 0.5 * errors["per-pixel mean"] < 0.5 * errors["last frame"]
    assert found.skills["per-pixel regression"].hi < 0


def test_the_pattern_of_snow_has_a_flow_that_is_more_than_nothing(quarters):
    flow = dense_flow(quarters[2021][1], quarters[2021][2])
    assert np.isfinite(flow).any()
    assert np.nanmedian(np.hypot(flow[..., 0], flow[..., 1])) > 0.05
