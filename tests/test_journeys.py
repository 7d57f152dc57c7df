"""From a folder of rasters to predicted outlines, an area curve and a forecast, by real workers on a real database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from asked_runs import asked, ended
from django.core.management import call_command
from django.test import Client
from tests_stack import running

from glacierweb.models import Run
from inventory.models import AreaOfInterest, Glacier, Outline, Scene
from predictions.models import AreaMeasurement, Forecast, ModelVersion, PredictedOutline
from workers.imagery.simulate import write_world

SEED, SIZE, YEARS = 11, 96, (2008, 2018)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("journey") / "world"
    write_world(folder, SEED, "easy", YEARS, SIZE)
    return folder


@pytest.fixture
def site(transactional_db, settings, tmp_path):
    with running(tmp_path, settings) as stack:
        stack.start("redis", "sweeper", "worker-io", "worker-gpu", "worker-train")
        yield stack


def done(run: Run, within_s: float) -> Run:
    run = ended(run, within_s)
    assert run.state == Run.State.DONE, run.error
    return run


def test_from_a_folder_to_outlines_areas_and_a_forecast(site, world):
    call_command("add_data", str(world), wait=True)
    aoi = AreaOfInterest.objects.get()
    glacier = Glacier.objects.get()
    assert glacier.simulated and aoi.simulated
    assert Scene.objects.filter(state="stored", kind="reflectance").count() == 6 * (YEARS[1] - YEARS[0] + 1)

    taught = done(asked("train", architecture="random-forest", data={"aois": [aoi.pk]}), 240)
    version = ModelVersion.objects.get(trained_by=taught)
    assert version.state == "active" and version.simulated
    assert 0 < version.metrics["overall"]["iou"] <= 1
    assert version.data_snapshot["folds"], "scenes that taught must be mapped by a forest that never saw them"

    series = done(asked("area_series", glacier=glacier.glac_id), 240)
    measured = AreaMeasurement.objects.filter(glacier=glacier, run=series, mask__version=version)
    assert measured.count() >= YEARS[1] - YEARS[0]
    truth = json.loads((world / "truth" / "areas.json").read_text())["glaciers"][0]
    by_year = dict(zip(truth["years"], truth["area_km2"], strict=True))
    late = measured.filter(date__month__in=(8, 9))
    errors = [abs(row.km2 / by_year[row.date.year] - 1) for row in late]
    assert sorted(errors)[len(errors) // 2] < 0.15
    assert PredictedOutline.objects.filter(glacier=glacier, mask__version=version).exists()

    forecaster = done(asked("train", architecture="default-forecaster", data={"aois": [aoi.pk]}, epochs=1), 300)
    assert forecaster.curves, "the losses of the training are kept for the page"
    issued = done(asked("forecast", aoi=aoi.pk), 120)
    forecast = Forecast.objects.get(run=issued)
    assert forecast.frames.filter(observed=False).count() == 4
    moved = issued.result["registration"]  # every scene was looked at; those that were out of place, moved
    assert set(moved) <= {"identity", "translation"}
    assert sum(moved.values()) >= 8
    baselines = set(forecast.skill.filter(lead=0).values_list("baseline", flat=True))
    assert {"seasonal persistence", "climatology"} <= {name.replace("_", " ") for name in baselines}

    start = forecast.version_id
    further = done(
        asked("train", architecture="default-forecaster", data={"aois": [aoi.pk]}, epochs=1, start=start), 300
    )
    tuned = ModelVersion.objects.get(trained_by=further)
    assert tuned.metrics["zero_shot"]["record_1"]["scores"] == forecast.version.metrics["scores"]

    late = Scene.objects.filter(kind="reflectance", acquired__month__in=(8, 9), refusals__area=[]).order_by("acquired")
    flow = done(asked("flow", first=late[0].pk, second=late[len(late) - 1].pk), 60)
    assert flow.flow_field.nature == "surface displacement"
    chips = done(asked("track", scenes=[scene.pk for scene in late[:3]]), 60).result
    assert chips["chips"] and len(chips["days"]) == 2
    measured_again = done(asked("evaluate", version=version.pk, data={"aois": [aoi.pk]}), 240)
    assert set(measured_again.result["scenes"]) == {"held_out"}
    assert 0 < measured_again.result["overall"]["iou"] <= 1
    done(asked("evaluate", version=forecast.version_id, data={"aois": [aoi.pk]}), 120)

    answer = Client().get(f"/api/v1/glaciers/{glacier.glac_id}/areas/").json()
    assert {"outlines", "network"} <= {one["source"] for one in answer["series"]}

    before = {model: model.objects.count() for model in (AreaMeasurement, PredictedOutline, Outline, Scene)}
    call_command("add_data", str(world), wait=True)
    done(asked("area_series", glacier=glacier.glac_id), 60)
    assert before == {model: model.objects.count() for model in before}, "the same work twice writes nothing twice"


def test_an_unreadable_raster_fails_by_name_and_leaves_nothing(site, world, tmp_path):
    import shutil

    broken = tmp_path / "broken"
    (broken / "scenes").mkdir(parents=True)
    first = sorted((world / "scenes").glob("*.json"))[0]
    shutil.copy(first, broken / "scenes")
    (broken / "scenes" / f"{first.stem}.tif").write_bytes(b"II*\x00 this is no raster")
    call_command("add_data", str(broken), wait=True)
    run = Run.objects.get(kind="find_scenes")
    named = " ".join([*run.warnings, *Scene.objects.values_list("reason", flat=True)])
    assert first.stem in named
    assert not Scene.objects.filter(state="stored").exists()
