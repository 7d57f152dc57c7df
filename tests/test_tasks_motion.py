"""Motion measured and versions evaluated as the workers do it: real rasters, real rows, the task called by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.test import Client
from png_tiles import indices

from glacierweb import paths, runs
from inventory.models import AreaOfInterest, Glacier, Outline, Scene, Source
from predictions import requests, series, versions
from predictions.models import FlowField
from predictions.params import ParamsError
from workers import tasks
from workers.imagery import rasters
from workers.imagery.bands import CANONICAL
from workers.imagery.grid import rasterize
from workers.imagery.rasters import Stack
from workers.imagery.simulate import World
from workers.learning import catalog, weights
from workers.learning.forest_recipe import train_forest
from workers.learning.samples import SegmentSample
from workers.segmentation.outlines import trace
from workers.segmentation.segment import segment_stack
from workers.tasks import stored, taught

FIRST, SECOND = date(2019, 9, 1), date(2020, 9, 1)
GLAC_ID = "G330000E46000N"


def geos(shape) -> MultiPolygon:
    found = GEOSGeometry(memoryview(shape.wkb), srid=4326)
    return found if isinstance(found, MultiPolygon) else MultiPolygon(found, srid=4326)


@pytest.fixture(scope="module")
def simulated() -> World:
    return World(41, "easy", 128, (2013, 2024), rates=(0.0,))


class Site:
    """One simulated valley in the database: its area of interest, glacier, outline, scenes and elevation."""

    def __init__(self, world: World) -> None:
        self.world, self.grid = world, world.grid
        self.footprint = geos(world.grid.footprint())
        ice = shapely.union_all([one.geometry for one in trace(world.ice(2019.67), self.grid)])
        self.aoi = AreaOfInterest.objects.create(
            name="valley", polygon=self.footprint, grid=self.grid.to_dict(), simulated=True
        )
        self.glacier = Glacier.objects.create(
            glac_id=GLAC_ID, simulated=True, point=geos(ice).point_on_surface, domain=geos(ice)
        )
        self.outline = Outline.objects.create(
            glacier=self.glacier, geometry=geos(ice), src_date=FIRST, area_km2=1.0, perimeter_km=8.0,
            source=Source.objects.create(name="truth"), content_sha256="0" * 64, preferred=True,
        )  # fmt: skip
        dem = Stack(world.dem[None], ("elevation",), self.grid)
        self.keep(dem, "dem", FIRST, kind="dem", encode="float32")

    def keep(self, stack: Stack, key: str, day: date, kind="reflectance", encode="auto") -> Scene:
        moment = datetime(day.year, day.month, day.day, 10, tzinfo=UTC)
        scene = Scene.objects.create(
            key=key, kind=kind, collection="c", acquired=moment, footprint=self.footprint, simulated=True,
            state="stored", grid=stack.grid.to_dict(), bands=list(stack.bands), item={"aoi": self.aoi.pk},
            refusals={"outline": [], "forecast": []},
        )  # fmt: skip
        rasters.write(stack, paths.data_path(scene.raster), encode=encode)
        return scene

    def clear(self, day: date, key: str = "") -> Scene:
        pixels = self.world.reflectance(self.world.one_pass("L8", day, 0.0))
        return self.keep(Stack(pixels, CANONICAL, self.grid), key or f"L8-{day}", day)


@pytest.fixture
def site(db, settings, tmp_path, simulated) -> Site:
    from glacierweb.celery import app

    settings.DATA_ROOT = tmp_path.resolve()
    before, app.conf.broker_url = app.conf.broker_url, "redis://127.0.0.1:1/0"  # nobody listens: runs stay queued
    settings.REDIS_URL = app.conf.broker_url
    yield Site(simulated)
    app.conf.broker_url = before


def claimed(kind: str, **payload):
    return runs.claim(requests.request(kind, payload).pk, "tester")


def layers(field: FlowField) -> Stack:
    return rasters.read(paths.data_path(field.raster))


def test_the_flow_of_a_simulated_glacier_is_kept_with_its_uncertainty(site):
    first, second = site.clear(FIRST), site.clear(SECOND)
    done = tasks.flow(claimed("flow", first=first.pk, second=second.pk))
    field = FlowField.objects.get(pk=done["flow"])
    kept, world = layers(field), site.world
    assert kept.bands == ("v", "vx", "vy")
    assert (field.nature, field.flags, done["warnings"]) == ("surface displacement", [], [])
    assert 0 < field.stable_nmad_m_per_year < 15
    east, north = world.velocity_m_per_year
    bare = world.ice(2019.67) & (np.maximum(world.snow(FIRST), world.snow(SECOND)) < 0.02) & (np.hypot(east, north) > 6)
    wrong = np.hypot(kept.band("vx") - east, kept.band("vy") - north)[bare]
    assert np.nanmedian(wrong) < 0.5 * np.median(np.hypot(east, north)[bare])
    np.testing.assert_allclose(kept.band("v"), np.hypot(kept.band("vx"), kept.band("vy")), rtol=1e-5)


def test_a_second_scene_on_another_grid_is_brought_onto_the_first(site):
    part = (slice(3, None), slice(5, None))
    pixels = site.world.reflectance(site.world.one_pass("L8", SECOND, 0.0))[(slice(None), *part)]
    first, whole = site.clear(FIRST), site.clear(SECOND)
    cut = site.keep(Stack(pixels, CANONICAL, site.grid.part(3, 5, 125, 123)), "cut", SECOND)
    fields = [FlowField.objects.get(pk=tasks.flow(claimed("flow", first=first.pk, second=one.pk))["flow"])
              for one in (whole, cut)]  # fmt: skip
    all_of_it, what_is_shared = (layers(field).band("v") for field in fields)
    assert np.isnan(what_is_shared[:3]).all() and np.isnan(what_is_shared[:, :5]).all()
    inner = (slice(40, 90), slice(40, 90))
    assert np.nanmedian(np.abs(all_of_it[inner] - what_is_shared[inner])) < 2


def test_a_second_delivery_of_a_flow_writes_one_field(site):
    run = claimed("flow", first=site.clear(FIRST).pk, second=site.clear(SECOND).pk)
    assert tasks.flow(run) == tasks.flow(run)
    assert FlowField.objects.count() == 1
    assert not list(paths.scratch_folder().iterdir())


def test_a_worker_that_lost_its_lease_keeps_no_field(site):
    run = claimed("flow", first=site.clear(FIRST).pk, second=site.clear(SECOND).pk)
    runs.Run.objects.filter(pk=run.pk).update(lease_owner="another")
    with pytest.raises(runs.LeaseLost):
        tasks.flow(run)
    assert not FlowField.objects.exists()


def test_snow_patterns_move_apparently_and_are_never_called_displacement(site):
    rng = np.random.default_rng(0)
    pattern = np.kron(rng.random((18, 18)), np.ones((8, 8)))
    frames = [Stack(pattern[None, 8:136, 8 + k : 136 + k], ("ndsi",), site.grid) for k in (0, -2)]  # 2 px to the east
    named = zip(frames, (FIRST, SECOND), strict=True)
    pair = [site.keep(frame, f"ndsi-{day}", day, "ndsi", "ndsi") for frame, day in named]
    done = tasks.flow(claimed("flow", first=pair[0].pk, second=pair[1].pk))
    field = FlowField.objects.get(pk=done["flow"])
    assert (field.nature, field.flags, field.stable_nmad_m_per_year) == ("mask motion", ["apparent"], None)
    assert "not a velocity of ice" in done["warnings"][0]
    assert np.nanmedian(layers(field).band("vx")) == pytest.approx(2 * 30 * 365.25 / 366, rel=0.1)


def test_few_days_between_two_scenes_are_warned_of(site):
    done = tasks.flow(claimed("flow", first=site.clear(FIRST).pk, second=site.clear(date(2019, 9, 9)).pk))
    assert "only 8.0 days" in done["warnings"][0]


def test_flow_backwards_in_time_is_refused_by_name_at_the_door_and_behind_it(site):
    early, late = site.clear(FIRST), site.clear(SECOND)
    with pytest.raises(ParamsError, match="/second: was taken on 2019-09-01, not after") as caught:
        requests.request("flow", {"first": late.pk, "second": early.pk})
    assert caught.value.errors[0]["pointer"] == "/second"
    run = runs.claim(runs.request("flow", {"first": late.pk, "second": early.pk}, queue="gpu").pk, "tester")
    with pytest.raises(ValueError, match=r"L8-2019-09-01 .* is not later than L8-2020-09-01"):
        tasks.flow(run)
    assert not FlowField.objects.exists()


def test_motion_between_scenes_of_two_kinds_is_refused_at_the_door(site):
    dem = Scene.objects.get(kind="dem")
    with pytest.raises(ParamsError, match="images of one kind"):
        requests.request("track", {"scenes": [dem.pk, site.clear(SECOND).pk]})


def test_a_saved_flow_is_listed_for_its_glacier_and_by_itself(site):
    run = claimed("flow", first=site.clear(FIRST).pk, second=site.clear(SECOND).pk)
    done = tasks.flow(run)
    runs.finish(run, {"flow": done["flow"]})
    client = Client()
    listed = client.get(f"/api/v1/glaciers/{GLAC_ID}/flow/").json()["results"]
    assert [one["id"] for one in listed] == [done["flow"]]
    assert listed[0]["nature"] == "surface displacement"
    one = client.get(f"/api/v1/flows/{done['flow']}/").json()
    assert one["first"]["key"] == "L8-2019-09-01"
    assert client.get(f"/api/v1/runs/{run.pk}/").json()["links"]["result"].endswith(f"/flows/{done['flow']}/")
    assert f"/api/v1/flows/{done['flow']}/" in client.get(f"/runs/{run.pk}/").content.decode()


def test_a_saved_flow_is_drawn_as_tiles_and_sent_as_a_file(site):
    done = tasks.flow(claimed("flow", first=site.clear(FIRST).pk, second=site.clear(SECOND).pk))
    field, client = FlowField.objects.get(pk=done["flow"]), Client()
    told = client.get(f"/api/v1/flows/{field.pk}/").json()
    assert b"".join(client.get(told["raster"]).streaming_content) == paths.data_path(field.raster).read_bytes()
    lon, lat = site.grid.centre
    z = 13
    x = int((lon + 180) / 360 * 2**z)
    y = int((1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * 2**z)
    tile = client.get(told["tiles"].format(z=z, x=x, y=y))
    assert tile["Content-Type"] == "image/png"
    assert (indices(tile.content) > 3).sum() > 1000, "pixels with a speed of their own"


def test_chips_are_followed_through_three_scenes_and_the_record_is_small(site):
    days = (FIRST, date(2020, 3, 1), SECOND)
    chain = [site.clear(day).pk for day in days]
    found = tasks.track(claimed("track", scenes=chain))
    assert found["days"] == [182, 184]
    assert all(len(chip["lon"]) == 3 and len(chip["m_per_year"]) == 2 for chip in found["chips"])
    west, south, east, north = site.footprint.extent
    assert all(west <= lon <= east for chip in found["chips"] for lon in chip["lon"])
    assert all(south <= lat <= north for chip in found["chips"] for lat in chip["lat"])
    assert len(json.dumps(found)) < 100_000
    assert any("instead of 128" in one for one in found["warnings"])


# Evaluation


class Taught:
    """A forest version taught on some scenes of the site, its weights on disk."""

    def __init__(self, site: Site, scenes: list[Scene], folds: bool) -> None:
        ice = site.world.ice(2019.67)
        samples = [SegmentSample(stored.stack_of(one), ice, str(one.acquired.year)) for one in scenes]
        learned = train_forest("small", samples, 0, lambda *_, **__: None, CANONICAL, False).learned
        self.digest = taught.keep(learned)
        kept = [{"groups": [s.group], "scenes": [one.key], "weights_sha256": self.digest}
                for one, s in zip(scenes, samples, strict=True)]  # fmt: skip
        snapshot = {"scenes": [one.key for one in scenes], "groups": [s.group for s in samples]}
        run = claimed("train", architecture="random-forest", data={"aois": [site.aoi.pk]})
        self.version = versions.register(
            run, "segment", "random-forest", "small", self.digest, {}, CANONICAL, None,
            snapshot | ({"folds": kept} if folds else {}), "simulated", True,
        )  # fmt: skip


# Areas of scenes that were smoothed in time


def test_scenes_smoothed_over_days_make_a_series_of_their_own(site):
    days = [date(2019, 8, 1), FIRST, date(2019, 9, 20), date(2020, 8, 20)]
    scenes = [site.clear(day) for day in days]
    Scene.objects.filter(kind="reflectance").update(refusals={"area": []})
    made = Taught(site, scenes[:1], folds=False)
    asked_for = {"glacier": GLAC_ID, "version": made.version.pk, "smoothing": "days"}
    assert tasks.area_series(claimed("area_series", **asked_for))["scenes"] == 4
    rows = list(site.glacier.areas.order_by("date"))
    stacks = [stored.stack_of(one) for one in scenes]
    numbers = np.array([day.toordinal() for day in days])
    weight = np.exp(-0.5 * ((numbers[:, None] - numbers) / 180) ** 2) * (abs(numbers[:, None] - numbers) <= 720)
    domain = rasterize([stored.shape(site.glacier.domain)], site.grid)
    for row, share in zip(rows, weight / weight.sum(axis=1, keepdims=True), strict=True):
        mean = sum(part * one.pixels for part, one in zip(share, stacks, strict=True))
        said = segment_stack(replace(stacks[0], pixels=mean), taught.load(made.version))
        expected = float((((said >= 0.5) & domain) * site.grid.pixel_area_km2()).sum())
        assert row.km2 == pytest.approx(expected, rel=5e-3)
        assert "smoothed_in_time" in row.flags
    found = series.areas(site.glacier, made.version)["series"]
    assert {one["source"]: len(one["observations"]) for one in found if one["version"]} == {"smoothed": 4}
    assert not made.version.masks.filter(outlines__isnull=False).exists()


def test_the_published_smoothing_wants_two_hundred_scenes(site):
    version = Taught(site, [site.clear(FIRST)], folds=False).version
    Scene.objects.filter(kind="reflectance").update(refusals={"area": []})
    run = claimed("area_series", glacier=GLAC_ID, version=version.pk, smoothing="paper")
    with pytest.raises(ValueError, match="needs 200 scenes, there are 1; use days"):
        tasks.area_series(run)
    assert not site.glacier.areas.exists()


def evaluated(site: Site, version, **data):
    run = claimed("evaluate", version=version.pk, data={"aois": [site.aoi.pk]} | data)
    found = tasks.evaluate(run)
    version.refresh_from_db()
    return run, found


def test_scenes_that_taught_are_reported_apart_and_give_no_headline(site):
    version = Taught(site, [site.clear(FIRST)], folds=False).version
    run, found = evaluated(site, version)
    assert found["scenes"] == {"seen": 1}
    assert found["overall"] == {}
    assert found["seen_in_training"]["pooled"]["iou"] > 0.5
    assert "nothing is left" in found["warnings"][0]
    assert version.metrics["evaluations"][str(run.pk)]["scenes"] == {"seen": 1}
    assert versions.headline(version) is None


def test_scenes_that_a_fold_never_saw_count(site):
    version = Taught(site, [site.clear(FIRST)], folds=True).version
    _, found = evaluated(site, version)
    assert found["scenes"] == {"held_out": 1}
    assert found["seen_in_training"] is None


def test_another_scene_with_the_truth_of_a_taught_year_is_not_unseen(site):
    version = Taught(site, [site.clear(FIRST)], folds=False).version
    site.clear(date(2019, 8, 20))
    _, found = evaluated(site, version, **{"from": "2019-08-01", "to": "2019-08-31"})
    assert found["scenes"] == {"seen": 1}


def test_an_unseen_year_gives_the_version_its_first_headline_and_twice_is_once(site):
    version = Taught(site, [site.clear(FIRST)], folds=False).version
    ice = site.outline
    Outline.objects.create(
        glacier=ice.glacier, geometry=ice.geometry, src_date=date(2021, 9, 1), area_km2=1.0, perimeter_km=8.0,
        source=ice.source, content_sha256="1" * 64, preferred=True,
    )  # fmt: skip
    site.clear(date(2021, 9, 1))
    run, found = evaluated(site, version)
    assert found["scenes"] == {"seen": 1, "unseen": 1}
    assert found["overall"]["iou"] > 0.5
    assert versions.headline(version) == found["overall"]["iou"]
    assert tasks.evaluate(run)["overall"] == found["overall"]
    version.refresh_from_db()
    assert list(version.metrics["evaluations"]) == [str(run.pk)]
    assert "Evaluated later" in Client().get(f"/models/{version.pk}/").content.decode()


@pytest.fixture
def nowhere(site) -> AreaOfInterest:
    """A simulated area without any scene."""
    away = geos(shapely.box(-31.0, 47.0, -30.9, 47.1))
    return AreaOfInterest.objects.create(name="nowhere", polygon=away, grid=site.grid.to_dict(), simulated=True)


def test_an_area_without_truth_is_left_out_of_an_evaluation_with_the_reason(site, nowhere):
    version = Taught(site, [site.clear(FIRST)], folds=True).version
    _, found = evaluated(site, version, aois=[site.aoi.pk, nowhere.pk])
    assert found["scenes"] == {"held_out": 1}
    assert any(one.startswith("nowhere is left out: none of 0 scenes") for one in found["warnings"])
    with pytest.raises(ValueError, match="none of 0 scenes"):
        evaluated(site, version, aois=[nowhere.pk])


def test_an_area_without_truth_is_left_out_of_a_training_with_the_reason(site, nowhere):
    site.clear(FIRST)
    run = claimed("train", architecture="random-forest", data={"aois": [site.aoi.pk, nowhere.pk]})
    done = tasks.train(run)
    assert done["warnings"][0].startswith("nowhere is left out")
    snapshot = versions.ModelVersion.objects.get(pk=done["version"]).data_snapshot
    assert snapshot["areas"] == [site.aoi.pk]
    elsewhere = AreaOfInterest.objects.create(
        name="elsewhere", polygon=nowhere.polygon, grid=nowhere.grid, simulated=True
    )
    with pytest.raises(ValueError, match=r"elsewhere is left out.*nowhere is left out"):
        tasks.train(claimed("train", architecture="random-forest", data={"aois": [nowhere.pk, elsewhere.pk]}))


def test_an_evaluation_that_lost_its_lease_leaves_the_card_alone(site):
    version = Taught(site, [site.clear(FIRST)], folds=True).version
    run = claimed("evaluate", version=version.pk, data={"aois": [site.aoi.pk]})
    runs.cancel(run.pk)
    with pytest.raises(runs.Cancelled):
        tasks.evaluate(run)
    version.refresh_from_db()
    assert "evaluations" not in version.metrics


def test_a_forecaster_is_evaluated_by_its_past_beside_the_baselines(site):
    rng = np.random.default_rng(0)
    for number in range(20):
        day = date(2016 + number // 4, 1 + 3 * (number % 4), 15)
        frame = np.full((1, 128, 128), 0.3 + 0.3 * (number % 4 == 0), np.float32) + rng.normal(0, 0.05, (1, 128, 128))
        site.keep(Stack(frame, ("ndsi",), site.grid), f"ndsi-{day}", day, "ndsi", "ndsi")
    version = forecaster(site)
    _, found = evaluated(site, version)
    past = found["areas"]["valley"]
    assert past["seen_in_training"] is False
    assert set(past["skills"]) >= {"climatology", "seasonal persistence"}
    assert found["overall"]["mse"] == pytest.approx(past["scores"]["pooled_mse"])
    assert versions.headline(version) == pytest.approx(found["overall"]["mse"])
    _, earlier = evaluated(site, version, to="2019-12-31")
    assert earlier["areas"]["valley"]["seen_in_training"] is True
    assert earlier["overall"] == {}


def forecaster(site: Site):
    """A default forecaster that was taught nothing, registered as if it had learned from the whole record."""
    row, config = catalog.preset("default-forecaster", "small")
    bands = tuple(f"ndsi_{k}" for k in range(config.frames))
    recipe = weights.Recipe(
        "default-forecaster", "small", vars(config), bands, task="forecast", options={"months": 3, "threshold": 0.3}
    )
    digest = taught.keep(weights.Learned(row.build(config), recipe))
    starts = [date(2016 + n // 4, 1 + 3 * (n % 4), 1).isoformat() for n in range(20)]
    run = claimed("train", architecture="default-forecaster", data={"aois": [site.aoi.pk]})
    return versions.register(
        run, "forecast", "default-forecaster", "small", digest, {}, bands, 1, {"frames": {"valley": starts}},
        "simulated", True,
    )  # fmt: skip
