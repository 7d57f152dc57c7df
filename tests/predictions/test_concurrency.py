"""Two at once, on real transactions: the database lets one of them win and the other find its work done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from functools import partial

import pytest
import shapely
from django.db import connection

from glacierweb.models import Run
from predictions import requests, results, versions
from predictions.models import AreaMeasurement, Mask, ModelVersion, PredictedOutline

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run all of them in threads that start together; results or exceptions in order."""
    gate, found = threading.Barrier(len(works)), [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        gate.wait()
        try:
            found[place] = work()
        except Exception as error:
            found[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def test_two_versions_promoted_at_once_leave_one_active(world):
    first = versions.promote(world.version())
    second, third = world.version(), world.version()
    at_once(lambda: versions.promote(second), lambda: versions.promote(third))
    active = ModelVersion.objects.get(state="active")
    assert active in (second, third)
    assert ModelVersion.objects.filter(state="retired").count() == 2
    assert first.pk in (active.previous_id, active.previous.previous_id)


def test_two_first_versions_at_once_make_one_active(world):
    candidates = [world.version() for _ in range(4)]
    at_once(*[partial(versions.promote_if_first, one) for one in candidates])
    assert ModelVersion.objects.filter(state="active").count() == 1
    assert ModelVersion.objects.filter(state="candidate").count() == 3


def test_the_same_run_asked_for_twice_at_once_is_queued_once(world):
    scene = world.scene()
    found = at_once(*[lambda: requests.request("segment", {"scene": scene.pk})] * 4)
    assert Run.objects.count() == 1
    assert sum(isinstance(one, requests.AlreadyGoing) for one in found) == 3


def test_two_runs_that_map_one_scene_at_once_leave_one_mask(world):
    world.glacier()
    scene, version = world.scene(date(2016, 8, 31)), world.version()
    shape = shapely.box(-30.0, 46.0, -29.99, 46.01)
    shapes = [("G330000E46000N", shape, 0.86), (None, shape, 0.1)]
    areas = [("G330000E46000N", 0.86, 0.86)]

    def save(run, content):
        file = world.raster(content)
        return lambda: results.save_mask(run, scene, version, "ice", file, 0.5, shapes, areas, 1.0)

    found = at_once(save(world.running(), b"one"), save(world.running("area_series"), b"two"))
    assert {one.pk for one in found} == {Mask.objects.get().pk}
    assert (PredictedOutline.objects.count(), AreaMeasurement.objects.count()) == (2, 1)
    mask = Mask.objects.get()
    assert (world.root / mask.raster).read_bytes() in (b"one", b"two")
