"""Results are written once, raster and rows in one step, whatever is delivered twice or killed in between."""

from __future__ import annotations

from datetime import date

import pytest
import shapely
from django.db import IntegrityError, connection, transaction

from glacierweb import runs
from predictions import results
from predictions.models import AreaMeasurement, FlowField, Forecast, Frame, Mask, PredictedOutline, SkillScore

SHAPE = shapely.box(-30.0, 46.0, -29.99, 46.01)
ELSEWHERE = shapely.box(-29.95, 46.0, -29.94, 46.01)


def save(world, run, scene, version, content=b"pixels", **changed):
    values = {
        "run": run, "scene": scene, "version": version, "product": "ice", "raster": world.raster(content),
        "threshold": 0.5, "valid_fraction": 0.9,
        "outlines": [("G330000E46000N", SHAPE, 0.86, 0.8, 0.9, 0.7, ["shadow"]), (None, ELSEWHERE, 0.86)],
        "areas": [results.MeasuredArea("G330000E46000N", 0.86, 0.9, 0.8, 0.95, "held-out errors", 0.9)],
        **changed,
    }  # fmt: skip
    return results.save_mask(**values)


@pytest.fixture
def scene(world):
    world.glacier()
    return world.scene(date(2016, 8, 31))


def test_a_mask_is_stored_with_its_outlines_and_areas(world, scene, data_root):
    mask = save(world, world.running(), scene, world.version())
    assert (data_root / mask.raster).read_bytes() == b"pixels"
    matched, unmatched = mask.outlines.order_by("glacier__glac_id")
    assert (matched.date, matched.flags, matched.glacier.glac_id) == (date(2016, 8, 31), ["shadow"], "G330000E46000N")
    assert (unmatched.glacier, unmatched.flags) == (None, ["unmatched"])
    assert mask.areas.get().soft_km2 == 0.9
    assert not list((data_root / "scratch").iterdir())


def test_a_second_delivery_of_the_same_run_does_nothing(world, scene, data_root):
    run, version = world.running(), world.version()
    first = save(world, run, scene, version)
    assert save(world, run, scene, version, content=b"other pixels") == first
    assert (Mask.objects.count(), PredictedOutline.objects.count(), AreaMeasurement.objects.count()) == (1, 2, 1)
    assert len(list((data_root / "masks").iterdir())) == 1
    assert not list((data_root / "scratch").iterdir())


def test_a_worker_that_lost_its_lease_writes_no_row(world, scene):
    run = world.running()
    runs.cancel(run.pk)
    with pytest.raises(runs.Cancelled):
        save(world, run, scene, world.version())
    assert not Mask.objects.exists()


def test_a_fault_in_the_middle_leaves_no_half_result(world, scene, monkeypatch):
    run, version = world.running(), world.version()

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(results, "_area", killed)
        with pytest.raises(KeyboardInterrupt):
            save(world, run, scene, version)
    assert not Mask.objects.exists()
    assert not PredictedOutline.objects.exists()
    assert save(world, run, scene, version).areas.count() == 1


def test_a_later_run_adds_only_the_glaciers_that_were_not_measured(world, scene):
    version = world.version()
    save(world, world.running(), scene, version)
    world.glacier("G330050E46000N", west=-29.95)
    again = save(
        world, world.running("area_series"), scene, version,
        areas=[("G330000E46000N", 5.0, 5.0), ("G330050E46000N", 0.5, 0.5)],
    )  # fmt: skip
    assert dict(again.areas.values_list("glacier__glac_id", "km2")) == {"G330000E46000N": 0.86, "G330050E46000N": 0.5}


def test_a_scene_of_which_only_the_year_is_known_gives_an_interval(world):
    world.glacier()
    scene = world.scene(date(2019, 1, 1), end=date(2019, 12, 31))
    area = save(world, world.running(), scene, None).areas.get()
    assert (area.date, area.date_end) == (date(2019, 1, 1), date(2019, 12, 31))


def test_areas_of_an_unknown_glacier_are_refused_by_name(world):
    with pytest.raises(ValueError, match="no glacier G330000E46000N"):
        save(world, world.running(), world.scene(), None)


@pytest.mark.parametrize(
    "shape",
    [shapely.Polygon(), shapely.Point(0, 0), shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])],
    ids=["empty", "point", "bow-tie"],
)
def test_what_is_no_valid_polygon_is_refused(world, scene, shape):
    with pytest.raises(ValueError, match="valid polygon"):
        save(world, world.running(), scene, None, outlines=[(None, shape, 1.0)])
    assert not Mask.objects.exists()


def test_the_database_itself_refuses_a_broken_predicted_outline(world, scene):
    mask = save(world, world.running(), scene, None)
    broken = "MULTIPOLYGON(((0 0,1 1,1 0,0 1,0 0)))"
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE predictions_predictedoutline SET geometry = ST_GeomFromText(%s, 4326) WHERE mask_id = %s",
            [broken, mask.pk],
        )


def forecast(world, run, aoi, version):
    frames = [
        results.FoundFrame(date(2024, 10, 1), date(2024, 12, 31), 0, True, world.raster(b"seen"), 30.0),
        results.FoundFrame(date(2025, 1, 1), date(2025, 3, 31), 1, False, world.raster(b"next"), 31.0, 29.0, 33.0),
    ]
    skill = [results.Score("climatology", 0, 0.02, 0.021, 0.05, 0.01, 0.08, 0.1, 0.9, 8)]
    return results.save_forecast(run, aoi, version, "forecast", date(2025, 1, 1), frames, skill, True, "Better.", ["n"])


def test_a_forecast_is_stored_once_with_its_frames_and_skill(world, data_root):
    run, aoi, version = world.running("forecast"), world.aoi(), world.version("forecast")
    first = forecast(world, run, aoi, version)
    assert forecast(world, run, aoi, version) == first
    assert (Forecast.objects.count(), Frame.objects.count(), SkillScore.objects.count()) == (1, 2, 1)
    assert (data_root / first.frames.last().raster).read_bytes() == b"next"
    assert not list((data_root / "scratch").iterdir())


def test_a_flow_field_is_stored_once(world, data_root):
    run, first, second = world.running("flow"), world.scene(), world.scene()
    fields = [
        results.save_flow(run, first, second, "surface displacement", world.raster(), 0.2, ["short_baseline"])
        for _ in range(2)
    ]
    assert fields[0] == fields[1]
    assert FlowField.objects.get().stable_nmad_m_per_year == 0.2
