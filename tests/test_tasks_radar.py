"""Radar as the workers do it: a folder of simulated Sentinel-1 scenes is stored, teaches a network and is mapped."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from asked_runs import asked, radar_world, worked
from django.test import Client

from glacierweb import paths
from glacierweb.models import Run
from inventory import aois, imports, scenes
from inventory.models import AreaOfInterest, Glacier, Scene
from predictions import versions
from predictions.models import AreaMeasurement, Mask, ModelVersion, PredictedOutline
from predictions.params import ParamsError
from workers.imagery import datafolder, rasters
from workers.imagery.datafolder import native_grid
from workers.imagery.found import FoundScene
from workers.imagery.prepare import prepare
from workers.imagery.simulate import World
from workers.tasks import seasons

SEED, SIZE, YEARS = 23, 96, (2010, 2020)
TAUGHT = {"architecture": "sar-3d", "preset": "small", "epochs": 2, "seed": 1}


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    return radar_world(tmp_path_factory.mktemp("radar") / "world", seed=SEED)


@pytest.fixture
def root(db, settings, tmp_path):
    from glacierweb.celery import app

    settings.DATA_ROOT = tmp_path.resolve()
    before, app.conf.broker_url = app.conf.broker_url, "redis://127.0.0.1:1/0"  # nobody listens: runs stay queued
    settings.REDIS_URL = app.conf.broker_url
    yield tmp_path
    app.conf.broker_url = before


def fetched() -> None:
    for run in Run.objects.filter(kind="fetch_scene", state="queued").order_by("pk"):
        worked(run)


def loaded(folder: Path) -> AreaOfInterest:
    imports.run([folder / "outlines.geojson"], imports.Asked(repair=True))
    worked(scenes.request_search({"folder": str(folder)}))
    fetched()
    return AreaOfInterest.objects.get()


@pytest.fixture(scope="module")
def kept(world, tmp_path_factory) -> Path:
    """The rasters of the radar scenes as a worker stores them, written once for all tests."""
    folder = tmp_path_factory.mktemp("kept") / "scenes"
    for found in radar_of(world):
        rasters.write(prepare(found, native_grid([found])).stack, folder / f"{found.key}.tif")
    return folder


def radar_of(world: Path) -> list[FoundScene]:
    return [found for found in datafolder.folder(world).found if found.kind == "sar"]


@pytest.fixture
def area(root, world, kept) -> AreaOfInterest:
    """The site after the folder was read: rows and rasters of 45 scenes, outlines, and their area of interest."""
    imports.run([world / "outlines.geojson"], imports.Asked(repair=True))
    shutil.copytree(kept, root / "scenes")
    every = radar_of(world)
    grid = native_grid(every)
    place = aois.for_footprint("valley", grid.footprint(), grid.to_dict(), simulated=True)
    for found in every:
        known = {"found": found.to_dict(), "grid": grid.to_dict(), "aoi": place.pk}
        scene, _ = scenes.record(
            found.key, footprint=found.footprint, acquired=found.acquired, kind="sar", fetch=False, item=known,
            collection=found.collection, sensor=found.sensor, simulated=True,
        )  # fmt: skip
        scenes.claim(scene.pk)
        scenes.mark_stored(scene, grid=grid.to_dict(), bands=["co_pol", "coherence"], facts={"flags": []})
    return place


def taught(area: AreaOfInterest, **changes) -> ModelVersion:
    run = asked("train", **{**TAUGHT, "data": {"aois": [area.pk]}, **changes})
    worked(run)
    return ModelVersion.objects.get(trained_by=run)


def test_radar_scenes_are_stored_with_their_bands_and_no_rule_on_clouds_judges_them(root, world):
    area = loaded(world)
    found = Scene.objects.filter(kind="sar")
    assert set(found.values_list("state", flat=True)) == {"stored"}
    assert found.count() == 45
    first = found.first()
    assert (first.sensor, first.bands, first.refusals) == ("sentinel-1", ["co_pol", "coherence"], {})
    assert first.facts["flags"] == []
    assert first.simulated and first.item["aoi"] == area.pk
    assert first.styles == ["backscatter", "coherence"]
    echo = World(SEED, "easy", SIZE, YEARS).echo(first.acquired.date())
    np.testing.assert_allclose(rasters.read(paths.data_path(first.raster)).band("co_pol"), echo.co_pol, rtol=1e-6)


def test_a_radar_network_is_taught_judged_on_a_year_it_never_saw_and_maps_the_season_of_a_scene(area):
    version = taught(area)
    assert (version.task, version.state, version.simulated) == ("sar", "active", True)
    assert version.bands == ["co_pol_db", "coherence"]
    assert version.metrics["samples_by_set"] == {"train": 1, "validation": 1, "test": 1}
    assert versions.headline(version) == version.metrics["overall"]["iou"] > 0.5
    assert set(version.metrics["baselines"]) == {"one cut of mean coherence", "mask of the nearest training year"}
    assert version.data_snapshot["groups"] == ["2010", "2015", "2020"]
    page = Client().get(f"/models/{version.pk}/").content.decode()
    assert "one cut of mean coherence" in page and "Reliability" in page

    april = Scene.objects.filter(kind="sar", acquired__year=2015, acquired__month=4).first()
    run = asked("segment", scene=april.pk)
    found = worked(run)
    mask = Mask.objects.get(pk=found["mask"])
    assert (found["season"], found["version"]) == (2015, version.pk)
    assert f"{mask.scene.acquired:%m}" in ("08", "09"), "the map is of the end of the melt, not of April"
    run.refresh_from_db()
    assert run.warnings == [f"the map of season 2015, of 15 radar scenes, is kept under {mask.scene.key}"]
    glacier = Glacier.objects.get()
    outline = PredictedOutline.objects.get(mask=mask, glacier=glacier)
    world = World(SEED, "easy", SIZE, YEARS)
    true_km2 = world.area_km2(0, 2015.67)
    assert math.isclose(outline.area_km2, true_km2, rel_tol=0.25)
    again = worked(asked("segment", scene=mask.scene_id))
    assert (again["mask"], Mask.objects.count()) == (mask.pk, 1), "every scene of a season leads to the same map"

    series = Client().get(f"/api/v1/glaciers/{glacier.glac_id}/areas/").json()["series"]
    assert AreaMeasurement.objects.get(mask=mask).km2 == pytest.approx(
        next(one for one in series if one["source"] == "radar")["observations"][0]["km2"])
    feature = Client().get(f"/api/v1/glaciers/{glacier.glac_id}/predicted-outlines/").json()["features"][0]
    assert feature["properties"]["version"]["architecture"] == "sar-3d"
    assert feature["properties"]["scene"]["key"] == mask.scene.key

    measured = worked(asked("evaluate", version=version.pk, data={"aois": [area.pk]}))
    assert sum(measured["scenes"].values()) == 3
    assert measured["scenes"]["unseen"] == 1, "the test year"
    assert measured["overall"]["iou"] == pytest.approx(version.metrics["overall"]["iou"])


def test_a_convolutional_lstm_becomes_a_candidate_beside_the_active_version(area):
    first = taught(area, epochs=1)
    second = taught(area, architecture="sar-convlstm", epochs=1)
    assert (first.state, second.state, second.scope) == ("active", "candidate", "simulated")
    with_gate = versions.objection(second, first)
    assert with_gate == "" or "worse than" in with_gate


def test_a_glacier_is_measured_in_every_radar_season(area):
    version, glacier = taught(area, epochs=1), Glacier.objects.get()
    found = worked(asked("area_series", glacier=glacier.glac_id, version=version.pk, **{"from": "2015-01-01"}))
    assert found["scenes"] == 2
    years = AreaMeasurement.objects.filter(glacier=glacier).values_list("date__year", flat=True)
    assert sorted(years) == [2015, 2020]
    with pytest.raises(ValueError, match="radar seasons are not smoothed"):
        worked(asked("area_series", glacier=glacier.glac_id, version=version.pk, smoothing="days"))


def test_outlines_of_fewer_than_three_years_are_refused_with_what_is_there(area):
    run = asked("train", **TAUGHT, data={"aois": [area.pk], "from": "2015-01-01"})
    with pytest.raises(ValueError, match=r"at least 3 different years .* seasons here have outlines of 2015, 2020"):
        worked(run)


def test_seasons_with_too_few_dates_are_left_out_by_name_and_refused_when_none_remains(area):
    Scene.objects.filter(kind="sar", acquired__year=2015).exclude(acquired__month=8).update(state="failed")
    run = asked("train", **TAUGHT, data={"aois": [area.pk]})
    with pytest.raises(ValueError, match=r"the 2 seasons here have outlines of 2010, 2020"):
        worked(run)
    Scene.objects.filter(kind="sar").exclude(acquired__month=8).update(state="failed")
    with pytest.raises(ValueError, match=r"season 2010 left out: [12] of 5 acquisitions; season 2015 left out"):
        worked(asked("train", **TAUGHT | {"seed": 2}, data={"aois": [area.pk]}))


def test_a_season_of_too_few_dates_is_not_mapped(area):
    version = taught(area, epochs=1)
    Scene.objects.filter(kind="sar", acquired__year=2015).exclude(acquired__month__in=(8, 9)).update(state="failed")
    scene = Scene.objects.filter(kind="sar", state="stored", acquired__year=2015).first()
    with pytest.raises(ValueError, match="5 acquisitions are needed, at most 20% missing"):
        worked(asked("segment", scene=scene.pk, version=version.pk))
    assert not Mask.objects.exists()


def test_an_acquisition_without_its_second_band_is_refused_by_date_and_name(area):
    scene = Scene.objects.filter(kind="sar", acquired__year=2015, acquired__month=8).first()
    stack = rasters.read(paths.data_path(scene.raster))
    rasters.write(stack.select(["co_pol"]), paths.data_path(scene.raster))
    run = asked("train", **TAUGHT, data={"aois": [area.pk]})
    told = rf"that of {scene.acquired:%Y-%m-%d} has co_pol\. Deliver what is missing"
    with pytest.raises(ValueError, match=told):
        worked(run)


def test_ascending_and_descending_scenes_never_share_a_season(area):
    half = Scene.objects.filter(kind="sar", acquired__year=2015, acquired__month__in=(1, 3, 5, 7, 9, 11))
    for scene in half:
        scene.item["found"]["properties"]["sat:orbit_state"] = "descending"
        scene.save(update_fields=["item"])
    found = [one for one in seasons.of_area(area) if one.year == 2015]
    assert sorted(len(one.scenes) for one in found) == sorted([half.count(), 15 - half.count()])
    assert seasons.of(half[0]).scenes == tuple(half.order_by("acquired"))


def test_a_version_for_the_other_kind_of_scene_is_refused_at_the_door(area):
    version = taught(area, epochs=1)
    Scene.objects.filter(pk=(other := Scene.objects.first()).pk).update(kind="reflectance")
    with pytest.raises(ParamsError, match="maps seasons of radar scenes; scene") as caught:
        asked("segment", scene=other.pk, version=version.pk)
    assert caught.value.errors[0]["pointer"] == "/version"


def test_a_place_without_radar_scenes_says_so(area):
    Scene.objects.filter(kind="sar").update(state="failed")
    with pytest.raises(ValueError, match="has no radar scenes in the span asked for"):
        worked(asked("train", **TAUGHT, data={"aois": [area.pk]}))


def test_backscatter_is_drawn_in_decibels_with_its_own_legend(area):
    client, scene = Client(), Scene.objects.filter(kind="sar").first()
    told = client.get(f"/api/v1/scenes/{scene.pk}/").json()
    assert set(told["tiles"]) == {"backscatter", "coherence"}
    assert client.get("/api/v1/colour-maps/").json()["backscatter"]["units"] == "dB"
    lon, lat = (sum(told["bbox"][k::2]) / 2 for k in (0, 1))
    z = 12
    x, y = int((lon + 180) / 360 * 2**z), int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)
    for style in told["tiles"]:
        answer = client.get(told["tiles"][style].format(z=z, x=x, y=y))
        assert answer.status_code == 200 and answer["Content-Type"] == "image/png"
    assert client.get(f"/tiles/scenes/{scene.pk}/{z}/{x}/{y}.png?style=ndsi").status_code == 404
    assert json.dumps(told["refusals"]) == "{}"
    page = client.get(f"/scenes/{scene.pk}/").content.decode()
    assert "co_pol" in page and "No cloud hides it" in page
