"""Video prediction as the workers do it: chips of stored scenes teach a version, which predicts and is evaluated."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
import shapely
from asked_runs import asked, worked
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.test import Client

from glacierweb import paths, runs
from inventory.models import AreaOfInterest, Glacier, Scene
from predictions import versions
from predictions.models import ModelVersion
from predictions.params import ParamsError
from workers.imagery import rasters
from workers.imagery.bands import CANONICAL
from workers.imagery.rasters import Stack
from workers.imagery.simulate import World
from workers.segmentation.outlines import trace
from workers.tasks import chips

FIRST, EVERY_DAYS, COUNT = date(2015, 6, 1), 60, 20
TAUGHT = {"architecture": "svg-lp", "preset": "small", "epochs": 1, "batch": 1}


@pytest.fixture(scope="module")
def world() -> World:
    return World(41, "easy", 128, (2013, 2024), rates=(0.0,))


@pytest.fixture(scope="module")
def clear(world) -> list[Stack]:
    """Twenty clear scenes, sixty days apart."""
    days = [FIRST + timedelta(days=EVERY_DAYS * k) for k in range(COUNT)]
    return [
        Stack(world.reflectance(world.one_pass("L8", day, 0.0)), CANONICAL, world.grid,
              datetime(day.year, day.month, day.day, 10, tzinfo=UTC)) for day in days
    ]  # fmt: skip


def geos(shape) -> MultiPolygon:
    found = GEOSGeometry(memoryview(shape.wkb), srid=4326)
    return found if isinstance(found, MultiPolygon) else MultiPolygon(found, srid=4326)


@pytest.fixture
def area(db, settings, tmp_path, monkeypatch, world, clear) -> AreaOfInterest:
    from glacierweb.celery import app

    settings.DATA_ROOT = tmp_path.resolve()
    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")  # nobody listens: runs stay queued
    monkeypatch.setattr(chips, "MOST_TAUGHT", 12)
    monkeypatch.setattr(chips, "MOST_JUDGED", 6)
    settings.REDIS_URL = app.conf.broker_url
    footprint = geos(world.grid.footprint())
    ice = geos(shapely.union_all([one.geometry for one in trace(world.ice(2016.67), world.grid)]))
    Glacier.objects.create(glac_id="G330000E46000N", simulated=True, point=ice.point_on_surface, domain=ice)
    place = AreaOfInterest.objects.create(name="valley", polygon=footprint, grid=world.grid.to_dict(), simulated=True)
    for stack in clear:
        scene = Scene.objects.create(
            key=f"L8-{stack.acquired:%Y%m%d}", kind="reflectance", collection="c", acquired=stack.acquired,
            footprint=footprint, simulated=True, state="stored", grid=world.grid.to_dict(), bands=list(CANONICAL),
            item={"aoi": place.pk}, missing_fraction=0.0, facts={"invalid_fraction": 0.0},
        )  # fmt: skip
        rasters.write(stack, paths.data_path(scene.raster))
    return place


def numbers(first: int, last: int) -> list[int]:
    return list(Scene.objects.order_by("acquired").values_list("pk", flat=True)[first:last])


def test_chips_of_stored_scenes_teach_a_version_that_predicts_and_is_judged_on_what_came_later(area):
    run = asked("train", **TAUGHT, data={"aois": [area.pk]})
    worked(run)
    version = ModelVersion.objects.get(trained_by=run)
    assert (version.task, version.state, version.bands) == ("video", "active", ["chip"])
    assert versions.headline(version) == version.metrics["overall"]["ci"]
    assert version.metrics["overall"]["sequences"] == 6
    assert set(version.metrics["baselines"]) == {"persistence", "high-pass", "median"}
    leads = {(row["method"], row["lead"]) for row in version.metrics["chips"]}
    assert leads == {(m, k) for m in ("persistence", "high-pass", "median", "svg-lp") for k in (1, 2, 3, 4)}
    assert version.data_snapshot["until"] == f"{FIRST + timedelta(days=16 * EVERY_DAYS)}"
    run.refresh_from_db()
    assert run.curves and run.checkpoint
    page = Client().get(f"/models/{version.pk}/").content.decode()
    assert "baseline: persistence" in page and "paired bootstrap" in page

    twelve = asked("track", scenes=numbers(8, 20), version=version.pk)
    found = worked(twelve)["predicted"]
    assert (found["version"], found["leads"], found["size_px"]) == (version.pk, 4, 128)
    assert {row["method"] for row in found["table"]} == {"persistence", "high-pass", "median", "svg-lp"}
    assert len(found["chips"][0]["ci"]) == 4
    west, south, east, north = area.polygon.extent
    assert west < found["chips"][0]["lon"] < east and south < found["chips"][0]["lat"] < north
    kept = rasters.read(paths.data_path(f"chips/{found['raster_sha256']}.tif"))
    assert kept.bands == ("lead_1", "lead_2", "lead_3", "lead_4") and np.isfinite(kept.pixels).mean() > 0.5
    client = Client()
    assert client.get(f"/api/v1/runs/{twelve.pk}/chips.tif")["Content-Type"].startswith("image/tiff")
    page = client.get(f"/runs/{twelve.pk}/").content.decode()
    assert "Predicted chips (GeoTIFF" in page and "paired bootstrap" in page
    assert len(json.dumps(found)) < 100_000

    with pytest.raises(ValueError, match=r"reads 8 scenes before it says what comes; 5 are named"):
        worked(asked("track", scenes=numbers(0, 5), version=version.pk))

    measured = worked(asked("evaluate", version=version.pk, data={"aois": [area.pk]}))
    assert measured["scenes"] == {"unseen": 6}
    assert measured["overall"]["ci"] == pytest.approx(version.metrics["overall"]["ci"])
    early = asked("evaluate", version=version.pk, data={"aois": [area.pk], "to": "2018-01-01"})
    with pytest.raises(ValueError, match=r"windows of chips, none later than what taught it"):
        worked(early)


def test_a_track_without_a_version_predicts_nothing(area):
    run = asked("track", scenes=numbers(0, 2))
    assert "predicted" not in worked(run)
    assert Client().get(f"/api/v1/runs/{run.pk}/chips.tif").status_code == 404


def test_too_few_dates_are_refused_with_what_chips_need(area):
    run = asked("train", **TAUGHT, data={"aois": [area.pk], "to": "2017-06-01"})
    with pytest.raises(ValueError, match=r"give 0 windows of 12 views before .* Add scenes two weeks to nine months"):
        worked(run)
    late = asked("train", **TAUGHT, data={"aois": [area.pk], "from": "2023-01-01"})
    with pytest.raises(ValueError, match="valley has no optical scene in the span asked for"):
        worked(late)


def test_an_area_smaller_than_a_chip_is_refused_by_its_size(area):
    area.grid = {**area.grid, "height": 96}
    area.save()
    with pytest.raises(ValueError, match=r"valley is 128 x 96 px; chips have 128 px"):
        worked(asked("train", **TAUGHT, data={"aois": [area.pk]}))


def test_scenes_without_a_band_to_follow_are_refused_by_name(area):
    Scene.objects.update(bands=["blue", "swir1"])
    with pytest.raises(ValueError, match="share none of the bands nir, red, green"):
        worked(asked("train", **TAUGHT, data={"aois": [area.pk]}))


def test_only_a_video_version_may_predict_chips(area):
    run = asked("train", architecture="random-forest", data={"aois": [area.pk]})
    held = runs.claim(run.pk, "tester")
    mapper = versions.register(held, "segment", "random-forest", "small", "0" * 64, {}, [], None, {}, "simulated", True)
    with pytest.raises(ParamsError, match=f"/version: there is no version {mapper.pk} for this kind of run"):
        asked("track", scenes=numbers(0, 8), version=mapper.pk)
