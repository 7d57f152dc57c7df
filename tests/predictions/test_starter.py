"""What a fresh system asks for by itself is read from the rows, so that it can be killed and started again."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.management import CommandError, call_command

from glacierweb import runs
from glacierweb.models import Run
from inventory.models import Scene
from predictions import starter, versions
from predictions.management.commands import first_predictions

ACCEPTED = {"area": [], "forecast": []}


@pytest.fixture
def sample(world):
    """A simulated area with one glacier, its outline, and four scenes a year for five years."""
    glacier = world.glacier()
    world.outline(glacier, date(2016, 8, 1), 2.0)
    aoi = world.aoi(glacier=glacier)
    for year in range(2015, 2020):
        for month in (2, 5, 8, 11):
            world.scene(date(year, month, 10), item={"aoi": aoi.pk}, refusals=ACCEPTED)
    return aoi


def words() -> list[tuple[str, str]]:
    return [(wish.kind, wish.payload.get("architecture", "")) for wish in starter.wanted()]


def finish(run, result=None):
    assert runs.finish(runs.claim(run.pk, "worker"), result or {})


def taught(world, run, task, architecture):
    held = runs.claim(run.pk, "worker")
    version = world.version(task, run=held, architecture=architecture)
    runs.finish(held, {"version": version.pk})
    return versions.promote_if_first(version)


def test_an_empty_system_wants_nothing(db):
    assert list(starter.wanted()) == []
    assert list(starter.background()) == []


def test_the_sample_wants_a_mapper_and_a_forecaster_first(sample):
    assert words() == [("train", "random-forest"), ("train", "default-forecaster")]
    assert all(wish.payload["data"] == {"aois": [sample.pk]} for wish in starter.wanted())


def test_what_was_taught_is_used_and_then_nothing_is_missing(world, sample):
    for wish in list(starter.wanted()):
        task = "segment" if wish.payload["architecture"] == "random-forest" else "forecast"
        run = runs.request("train", wish.complete, queue="train")
        taught(world, run, task, wish.payload["architecture"])
    forecast, series = starter.wanted()
    assert (series.kind, forecast.kind) == ("area_series", "forecast")
    assert (series.payload["profile"], series.can_wait) == ("area", True)
    finish(runs.request("area_series", series.complete, queue="gpu"))
    assert [wish.kind for wish in starter.wanted()] == ["forecast"]
    asked = [wish.payload["architecture"] for wish in starter.background()]
    assert asked == ["resnet50-unet", "lstm", "conv-lstm"]
    for wish in starter.background():
        runs.cancel(runs.request("train", wish.complete, queue="train").pk)
    assert list(starter.background()) == []


def test_of_many_scenes_the_newest_are_mapped_first_and_the_rest_waits_for_the_forecast(world, sample):
    for year in range(1985, 2015):
        for month in (6, 8):
            world.scene(date(year, month, 10), item={"aoi": sample.pk}, refusals=ACCEPTED)
    versions.promote(world.version())
    forecaster, recent, whole = starter.wanted()
    assert forecaster.payload["architecture"] == "default-forecaster"
    assert (recent.kind, recent.payload["from"], recent.can_wait) == ("area_series", "2012-01-01", False)
    assert (whole.kind, whole.payload.get("from"), whole.can_wait) == ("area_series", None, True)
    command = first_predictions.Command()
    command.began, command.going, command.refused = 0.0, {}, set()
    command._ask(starter.wanted())
    assert Run.objects.filter(kind="area_series").count() == 1
    for run in Run.objects.filter(state="queued"):
        finish(run)
    command._look()
    command._ask(starter.wanted())
    assert Run.objects.filter(kind="area_series", state="queued").get().params["from"] is None


def test_scenes_that_their_profile_refused_teach_nothing(world, sample):
    cloudy = [{"rule": "cloud", "value": 80, "limit": 10}]
    Scene.objects.update(refusals={"area": cloudy, "forecast": cloudy})
    assert words() == []


def test_expert_labels_of_four_years_teach_a_mapper_by_years_and_no_forecaster(world):
    aoi = world.aoi("Vinciguerra", simulated=False)
    world.glacier("G1", simulated=False)
    for year in range(2019, 2023):
        about = {"item": {"aoi": aoi.pk}, "date_precision": "year", "refusals": {"outline": []}}
        for kind in ("reflectance", "label"):
            world.scene(date(year, 1, 1), False, end=date(year, 12, 31), kind=kind, **about)
    (wish,) = starter.wanted()
    assert (wish.payload["architecture"], wish.payload["split"]) == ("random-forest", "years")
    version = versions.promote(world.version(scope="vinciguerra", simulated=False))
    (series,) = starter.wanted()
    assert (series.payload["profile"], series.payload["version"]) == ("outline", version.pk)


def test_two_single_years_of_quarters_are_a_transfer_and_never_a_forecast_split(world):
    aoi = world.aoi("Parvati", simulated=False)
    for year in (2019, 2021):
        for month in (1, 4, 7, 10):
            world.scene(date(year, month, 1), False, kind="ndsi", item={"aoi": aoi.pk})
    (wish,) = starter.wanted()
    assert (wish.payload["architecture"], wish.payload["split"]) == ("default-forecaster", "spatial")


def test_scenes_of_which_only_the_year_is_known_make_no_quarters(world):
    aoi = world.aoi("Marmolada", simulated=False)
    for year in range(1990, 2022):
        world.scene(date(year, 1, 1), False, end=date(year, 12, 31), date_precision="year", kind="ndsi",
                    item={"aoi": aoi.pk})  # fmt: skip
    assert words() == []


def test_a_single_scene_asks_for_nothing(world):
    aoi = world.aoi("Everest", simulated=False)
    world.scene(date(2000, 10, 30), False, item={"aoi": aoi.pk}, refusals=ACCEPTED)
    assert words() == []


def test_the_command_asks_once_and_goes_on_where_it_stopped(world, sample, capsys):
    command = first_predictions.Command()
    command.began, command.going, command.refused = 0.0, {}, set()
    assert command._ask(starter.wanted())
    assert not command._ask(starter.wanted())
    assert Run.objects.count() == 2
    again = first_predictions.Command()
    again.began, again.going, again.refused = 0.0, {}, set()
    assert again._ask(starter.wanted())
    assert set(again.going) == set(command.going)
    assert Run.objects.count() == 2


def test_a_training_that_fails_is_told_and_not_asked_for_again(world, sample, capsys):
    command = first_predictions.Command()
    command.began, command.going, command.refused = 0.0, {}, set()
    command._ask(starter.wanted())
    for run in Run.objects.all():
        runs.fail(runs.claim(run.pk, "worker"), "no sunlight")
    command._look()
    assert "no sunlight" in capsys.readouterr().out
    assert not command._ask(starter.wanted())


def test_a_run_is_started_from_the_command_line(sample, capsys):
    call_command("start_run", "train", "--param", "architecture=random-forest", "--param", f"data.aois=[{sample.pk}]")
    run = Run.objects.get()
    assert (run.params["architecture"], run.params["data"]["aois"]) == ("random-forest", [sample.pk])
    call_command("start_run", "train", "--param", "architecture=random-forest", "--param", f"data.aois=[{sample.pk}]")
    assert Run.objects.count() == 1
    assert f"run {run.pk} does this already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("pairs", "told"),
    [(["scene"], "write key=value"), (["scene=12", "colour=red"], "/colour"), (["scene=x"], "whole number")],
)
def test_wrong_parameters_on_the_command_line_are_named(db, pairs, told):
    arguments = [word for pair in pairs for word in ("--param", pair)]
    with pytest.raises(CommandError, match=told):
        call_command("start_run", "segment", *arguments)
    assert not Run.objects.exists()


def test_a_dry_run_shows_the_complete_parameters_and_asks_for_nothing(db, capsys):
    call_command("start_run", "segment", "--param", "scene=12", "--dry-run")
    assert '"threshold": 0.5' in capsys.readouterr().out
    assert not Run.objects.exists()
