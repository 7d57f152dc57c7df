"""From a cube to coming frames: dates, climatology, holes, windows, hindcast, spatial transfer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pytest
import torch
from torch import nn

from workers.forecasting import default_forecaster, lstm, rollout, transfer
from workers.forecasting.tiling import in_windows
from workers.imagery.windows import TooFewFrames


@dataclass
class Quarters:
    """What of a cube a forecast reads."""

    values: np.ndarray
    months: int = 3
    status: tuple[str, ...] = ()
    starts: tuple[date, ...] = field(init=False)

    def __post_init__(self):
        count = len(self.values)
        self.status = self.status or ("observed",) * count
        self.starts = rollout.starts_after(date(2012, 13 - self.months, 1), self.months, count)


PLAIN = replace(default_forecaster.SMALL, forgetting=0.0)


class Says(nn.Module):
    """A forecaster that says the climatology times a factor plus noise: its error is known."""

    reads_whole_images = True

    def __init__(self, factor: float = 1.0):
        super().__init__()
        self.config = PLAIN
        self.factor = factor

    def forward(self, frames, climatology=None, truth=None, teaching=0.0):
        return self.factor * climatology[:, 4:]


def seasons(years=10, size=40, noise=0.05, seed=0, months=3):
    """Frames that repeat every year, with noise of their own: nothing beats the mean of the season but its truth."""
    rng = np.random.default_rng(seed)
    usual = rng.random((12 // months, size, size))
    values = np.concatenate([usual] * years) + rng.normal(0, noise, (years * 12 // months, size, size))
    return Quarters(values.astype(np.float32), months)


def untrained():
    return default_forecaster.DefaultForecaster(PLAIN)


def test_the_frames_after_a_last_quarter_start_with_the_new_year():
    assert rollout.starts_after(date(2024, 10, 1), 3, 2) == (date(2025, 1, 1), date(2025, 4, 1))
    assert rollout.starts_after(date(2024, 7, 1), 6, 1) == (date(2025, 1, 1),)


def test_an_untrained_forecaster_predicts_the_climatology_of_the_coming_seasons():
    cube = seasons(years=5)
    predicted = rollout.rollout(untrained(), PLAIN, cube)
    expected = cube.values.reshape(5, 4, 40, 40).mean(0)
    np.testing.assert_allclose(predicted.frames, expected, atol=1e-5)
    assert predicted.starts[0] == date(2018, 1, 1)
    assert not predicted.climatology_missing
    assert predicted.reason is None


def test_six_leads_are_reached_by_reading_its_own_frames():
    cube = seasons(years=5)
    predicted = rollout.rollout(untrained(), PLAIN, cube, leads=6)
    np.testing.assert_allclose(predicted.frames[4:], predicted.frames[:2], atol=1e-5)
    assert len(predicted.starts) == 6


def test_where_a_climatology_is_missing_the_last_frame_stands_in_and_it_is_said():
    cube = Quarters(seasons(years=1).values)
    predicted = rollout.rollout(untrained(), PLAIN, cube)
    assert predicted.climatology_missing
    np.testing.assert_allclose(predicted.frames, np.stack([cube.values[-1]] * 4), atol=1e-6)


def test_fewer_frames_than_the_network_reads_are_refused_with_the_number_needed():
    cube = Quarters(seasons().values[:3])
    with pytest.raises(TooFewFrames, match="reads 4"):
        rollout.rollout(untrained(), PLAIN, cube)
    with pytest.raises(TooFewFrames, match="8"):
        rollout.hindcast(untrained(), PLAIN, Quarters(seasons().values[:7]))


def test_a_pixel_never_seen_is_unknown_and_a_hole_is_not():
    cube = seasons(years=5)
    cube.values[:, 0, 0] = np.nan
    cube.values[-1, 5, 5] = np.nan
    frames = rollout.rollout(untrained(), PLAIN, cube).frames
    assert np.isnan(frames[:, 0, 0]).all()
    assert np.isfinite(frames).sum() == 4 * (40 * 40 - 1)


def test_a_cube_of_nothing_predicts_nothing_and_says_why():
    cube = Quarters(np.full((12, 20, 20), np.nan, np.float32))
    predicted = rollout.rollout(untrained(), PLAIN, cube)
    assert np.isnan(predicted.frames).all()
    assert np.isnan(predicted.thresholded).all()
    assert predicted.reason == "no_valid_pixels"


def test_the_map_shows_clipped_and_thresholded_frames():
    cube = seasons(years=4, noise=0.4)
    predicted = rollout.rollout(untrained(), PLAIN, cube)
    shown = predicted.thresholded
    assert shown.max() <= 1
    assert not ((shown > 0) & (shown < 0.3)).any()


@pytest.mark.parametrize("shape", [(33, 47), (12, 50), (20, 20)])
def test_windows_stitched_together_give_back_what_they_hold(shape):
    image = np.random.default_rng(0).random((4, *shape)).astype(np.float32)
    np.testing.assert_allclose(in_windows(lambda x: x[:, :2], image, 20), image[:2], rtol=1e-6)


def test_a_network_of_fixed_size_predicts_a_whole_frame():
    torch.manual_seed(0)
    config = lstm.Config(patch=12, layers=1)
    cube = seasons(years=3, size=31)
    frames = rollout.rollout(lstm.LSTM(config), config, cube).frames
    assert frames.shape == (4, 31, 31)
    assert np.isfinite(frames).all()
    assert abs(frames).max() < 1


@pytest.mark.parametrize("shape", [(12, 12), (7, 40), (1, 30), (3, 2)])
def test_an_image_smaller_than_a_window_is_reflected_outwards_and_cut_back(shape):
    values = np.random.default_rng(3).random((20, *shape)).astype(np.float32)
    predicted = rollout.rollout(untrained(), PLAIN, Quarters(values))
    np.testing.assert_allclose(predicted.frames, values.reshape(5, 4, *shape).mean(0), atol=1e-5)
    torch.manual_seed(0)
    config = lstm.Config(patch=12, layers=1)
    assert np.isfinite(rollout.rollout(lstm.LSTM(config), config, Quarters(values)).frames).all()


def test_a_large_image_is_read_in_windows_of_bounded_size(monkeypatch):
    monkeypatch.setattr("workers.forecasting.tiling.WHOLE_PX", 16)
    sizes = set()
    image = np.random.default_rng(0).random((4, 40, 50)).astype(np.float32)
    got = in_windows(lambda x: (sizes.add(x.shape), x[:, :1])[1], image, None)
    np.testing.assert_allclose(got, image[:1], rtol=1e-6)
    assert sizes == {(1, 4, 16, 16)}


def test_a_hindcast_issues_before_every_frame_of_the_held_out_end():
    cube = seasons(years=10)                                        # 40 frames, the last 8 held out
    result = rollout.hindcast(Says(), PLAIN, cube)
    assert result.issued == cube.starts[32:37]
    assert result.scores.pooled_mse == pytest.approx(0.05**2 * (1 + 1 / 8.4), rel=0.05)
    assert result.skills["climatology"].pooled == pytest.approx(0, abs=1e-6)
    assert result.skills["seasonal persistence"].pooled == pytest.approx(1 - (1 + 1 / 8.4) / 2, abs=0.03)
    assert not result.useful
    assert result.sentence.startswith("Of no use yet")
    assert "climatology" in result.sentence
    assert "seasonal persistence" not in result.sentence


def test_a_forecast_that_knows_what_climatology_does_not_is_useful():
    wild = seasons(years=10, noise=0.02)
    trend = np.linspace(1, 2, 40)[:, None, None].astype(np.float32)
    wild.values *= trend
    better = rollout.hindcast(Says(1.32), PLAIN, wild)
    assert better.useful
    assert better.sentence.startswith("Issued on 5 past dates")


def test_what_came_after_the_date_of_issue_changes_no_forecast():
    """Only the truth may differ: the first forecast of a hindcast is that of a rollout from the frames before it."""
    cube = seasons(years=10)
    first = rollout.rollout(Says(), PLAIN, Quarters(cube.values[:32])).frames
    changed = Quarters(cube.values.copy())
    changed.values[32:] = first.mean()
    result = rollout.hindcast(Says(), PLAIN, Quarters(changed.values[:36]), held_out=0.1)
    expected = ((first - first.mean()) ** 2).mean((1, 2))
    assert result.scores.mse == pytest.approx(expected, rel=1e-4)


def test_interpolated_frames_are_no_truth():
    cube = seasons(years=10)
    status = ["observed"] * 40
    status[33] = "interpolated"
    holed = Quarters(cube.values.copy(), status=tuple(status))
    holed.values[33] = 50.0
    result = rollout.hindcast(Says(), PLAIN, Quarters(holed.values[:36], status=tuple(status[:36])),
                              held_out=0.1)
    assert np.isnan(result.scores.mse[1])
    assert result.scores.mse[0] < 0.01


def test_half_years_are_forecast_like_quarters():
    cube = seasons(years=10, months=6)
    result = rollout.hindcast(Says(), PLAIN, cube)
    assert result.skills["climatology"].pooled == pytest.approx(0, abs=1e-6)


def test_a_hindcast_can_be_written_as_json():
    result = rollout.hindcast(Says(), PLAIN, seasons(years=6))
    assert json.loads(json.dumps(result.to_dict()))["sentence"] == result.sentence


def test_a_spatial_transfer_is_scored_on_held_out_columns_beside_its_baselines():
    rng = np.random.default_rng(0)
    seen = rng.random((4, 60, 100))
    truth = 0.5 * seen[[1, 2, 3, 0]] + 0.2
    training, test = transfer.split_columns((60, 100), patch=20)
    assert training[:, :60].all()
    assert not training[:, 60:].any()
    assert test[:, 80:].all()
    assert not test[:, :80].any()
    result = transfer.score_transfer(truth + 0.1, seen, truth, training, test, gap=4)
    assert result.label == "spatial transfer"
    assert result.scores.pooled_mse == pytest.approx(0.01)
    assert result.baselines["per-pixel regression"].pooled_mse == pytest.approx(0, abs=1e-9)
    held = ((seen - truth)[:, :, 80:] ** 2).mean()
    assert result.baselines["same season of the last year seen"].pooled_mse == pytest.approx(held)


def test_a_raster_too_narrow_to_split_is_refused():
    with pytest.raises(ValueError, match="60 columns"):
        transfer.split_columns((60, 60), patch=30)
