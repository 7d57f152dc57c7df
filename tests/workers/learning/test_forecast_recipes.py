"""Forecasters are taught on the past, judged on the end of the record, and transfers are called by their name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import torch
from affine import Affine

from workers.forecasting.rollout import hindcast
from workers.imagery.cubes import Cube
from workers.imagery.grid import Grid
from workers.learning import forecast_recipes, recipes, weights
from workers.learning.samples import ForecastWindows
from workers.learning.training import Stopped


def record(count: int = 24, width: int = 64, height: int = 24, first: int = 2010) -> Cube:
    """Seasons with a level of their own in each year, thresholded."""
    rng = np.random.default_rng(7)
    row = np.linspace(0.4, 0.9, height)[:, None] * np.ones(width)
    season = np.array([0.2, 0.05, -0.3, 0.0])
    year = rng.normal(0, 0.05, count // 4 + 1)
    values = np.stack([row + season[k % 4] + year[k // 4] for k in range(count)])
    values = np.where(values >= 0.3, values, 0).astype(np.float32)
    starts = tuple(date(first + k // 4, 3 * (k % 4) + 1, 1) for k in range(count))
    grid = Grid("EPSG:32626", Affine(30, 0, 500_000, 0, -30, 5_100_000), width, height)
    return Cube(values, starts, 3, (1,) * count, ("observed",) * count, grid)


def part(cube: Cube, begin: int) -> Cube:
    """Four frames of a cube."""
    some = slice(begin, begin + 4)
    return replace(cube, values=cube.values[some], starts=cube.starts[some], n_scenes=(1,) * 4,
                   status=("observed",) * 4)


def short(name: str, **changes) -> recipes.TrainSettings:
    return replace(recipes.defaults(name, "small"), epochs=2, epoch_steps=2, batch=4, **changes)


@pytest.mark.parametrize("name", ["default-forecaster", "lstm", "conv-lstm", "unet", "sa-lstm-h"])
def test_every_forecaster_is_taught_judged_kept_and_says_the_same_again(name, tmp_path):
    told = []
    trained = recipes.train_forecaster(name, "small", record(), short(name), lambda f, s, **c: told.append(f), tmp_path)
    card = trained.metrics
    assert {"persistence", "seasonal persistence", "climatology", "linear trend"} <= set(card["baselines"])
    assert len(card["scores"]["mse"]) == 4 and card["kind"] == "hindcast"
    json.dumps(card, allow_nan=False)
    weights.save(tmp_path / "w", trained.learned.network, trained.learned.recipe)
    again = weights.load(tmp_path / "w").network
    found = hindcast(again, again.config, record())
    assert found.scores.pooled_mse == pytest.approx(card["scores"]["pooled_mse"], rel=1e-5)
    assert told == sorted(told)


def test_the_held_out_end_of_the_record_teaches_nothing(tmp_path):
    one, other = record(), record()
    other.values[-5:] = 0.99
    settings = short("default-forecaster")
    networks = [recipes.train_forecaster("default-forecaster", "small", cube, settings).learned.network
                for cube in (one, other)]
    for a, b in zip(*(n.state_dict().values() for n in networks), strict=True):
        assert torch.equal(a, b)


def test_training_and_validation_windows_share_no_pixel():
    _, config = forecast_recipes._network("conv-lstm", "small", 0, {})
    taught, looked, keep = forecast_recipes._purged_places(0, record(), config, 10)
    assert max(p.col for p in taught) + config.patch <= min(p.col for p in looked)
    last_target = max(p.start for p in taught) + config.frames + config.leads - 1
    assert last_target < 24 - round(0.2 * 24) and not keep[last_target + 1 :].any()


def test_the_purged_split_has_the_published_size():
    _, config = forecast_recipes._network("conv-lstm", "paper", 0, {})
    values = np.broadcast_to(np.float32(0.5), (35, 800, 800))
    cube = replace(record(), values=values, starts=tuple(date(2013, 4, 1) for _ in range(35)), n_scenes=(1,) * 35,
                   status=("observed",) * 35)
    taught, looked, _ = forecast_recipes._purged_places(0, cube, config, 10)
    assert len(taught) == 21 * 63 * 76 and len(looked) == 21 * 608


def test_an_interrupted_forecaster_ends_like_one_that_was_not(tmp_path):
    def stop_late(fraction, step, **curves):
        if 0.4 < fraction < 0.9:
            raise Stopped

    settings = short("lstm", validate_every=1)
    whole = recipes.train_forecaster("lstm", "small", record(), settings).learned.network
    with pytest.raises(Stopped):
        recipes.train_forecaster("lstm", "small", record(), settings, stop_late, tmp_path)
    resumed = recipes.train_forecaster("lstm", "small", record(), settings, checkpoint=tmp_path).learned.network
    for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_the_residual_is_an_option_of_every_published_network():
    trained = recipes.train_forecaster("conv-lstm", "small", record(), short("conv-lstm"), residual="last")
    assert trained.learned.recipe.config["residual"] == "last"
    with pytest.raises(ValueError, match="no option feedback"):
        recipes.train_forecaster("conv-lstm", "small", record(), short("conv-lstm"), feedback="frames")


def test_a_forecaster_goes_on_on_half_years_of_another_glacier_beside_what_it_said_without():
    first = recipes.train_forecaster("sa-lstm-h", "small", record(), short("sa-lstm-h")).learned
    before = {name: t.clone() for name, t in first.network.state_dict().items()}
    halves = replace(record(30, first=1999), months=6,
                     starts=tuple(date(1999 + k // 2, 6 * (k % 2) + 1, 1) for k in range(30)))
    settings = short("sa-lstm-h", max_steps=3)
    tuned = recipes.train_forecaster("sa-lstm-h", "small", halves, settings, start=first)
    assert all(torch.equal(before[name], t) for name, t in first.network.state_dict().items())
    assert any(not torch.equal(before[name], t) for name, t in tuned.learned.network.state_dict().items())
    alone = hindcast(first.network, first.network.config, halves)
    said = tuned.metrics["zero_shot"]["record_1"]
    assert said["scores"]["pooled_mse"] == pytest.approx(alone.scores.pooled_mse, rel=1e-6)
    assert tuned.metrics["scores"]["pooled_mse"] != said["scores"]["pooled_mse"]
    assert tuned.learned.recipe.options["months"] == 6
    with pytest.raises(ValueError, match="residual cannot be changed"):
        recipes.train_forecaster("sa-lstm-h", "small", halves, settings, start=first, residual="last")
    with pytest.raises(ValueError, match="asked for is lstm small"):
        recipes.train_forecaster("lstm", "small", halves, settings, start=first)


def test_a_record_too_short_is_refused_with_the_number_needed():
    with pytest.raises(ValueError, match=r"10 frames .* 12 are needed"):
        recipes.train_forecaster("conv-lstm", "small", record(10), short("conv-lstm"))
    recipes.train_forecaster("conv-lstm", "small", record(12), short("conv-lstm"))


def test_a_spatial_transfer_is_called_by_its_name_and_scored_beside_its_baselines():
    values = record(12, width=96)
    seen = part(values, 0)
    target = part(values, 8)
    trained = recipes.train_transfer("default-forecaster", "small", seen, target, short("default-forecaster"))
    card = trained.metrics
    assert card["kind"] == card["label"] == "spatial transfer"
    assert set(card["baselines"]) == {"last frame", "same season of the last year seen", "per-pixel mean",
                                      "per-pixel regression"}
    assert trained.learned.recipe.options["gap"] == 4 and trained.learned.recipe.options["spatial_transfer"]


def test_held_out_columns_teach_nothing_in_a_transfer():
    values = record(8, width=96)
    seen = part(values, 0)
    networks = []
    for east in (0.0, 0.9):
        later = values.values[4:].copy()
        later[:, :, 60:] = east
        target = replace(seen, values=later, starts=values.starts[4:])
        networks.append(recipes.train_transfer("conv-lstm", "small", seen, target, short("conv-lstm")).learned.network)
    for a, b in zip(*(n.state_dict().values() for n in networks), strict=True):
        assert torch.equal(a, b)


def test_a_network_overfits_a_window():
    network, config = forecast_recipes._network("conv-lstm", "small", 0, {"residual": "last"})
    taught, _, keep = forecast_recipes._purged_places(0, record(), config, 10)
    some = ForecastWindows([record()], taught[:1], config, [keep])
    settings = recipes.TrainSettings(epochs=25, lr=2e-2, batch=2, schedule="cosine", patience=None)
    start = forecast_recipes.loss(network, some.batch(np.arange(1), None)).item()
    network, history = forecast_recipes.fit(network, some, some, forecast_recipes.loss, settings)
    assert history.best < 0.3 * start
