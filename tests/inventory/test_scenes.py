"""The life of a scene and of areas of interest."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import shapely

from glacierweb.models import Run
from inventory import aois, scenes
from inventory.models import Scene

pytestmark = pytest.mark.django_db


def found(key="LC08_1", **told):
    told = {"footprint": shapely.box(10, 46, 11, 47), "acquired": datetime(2020, 8, 1, 10, tzinfo=UTC)} | told
    return scenes.record(key, collection="landsat-c2-l2", **told)


def stored(key="LC08_1", refusals=None, **told):
    scene, _ = found(key, **told)
    scenes.claim(scene.pk)
    scenes.mark_stored(scene, grid={}, bands=["green"], facts={}, refusals=refusals or {})
    return Scene.objects.get(pk=scene.pk)


def test_a_search_names_one_place_to_look_in():
    with pytest.raises(scenes.WrongSearch, match="name one of"):
        scenes.request_search({"profile": "area"})
    with pytest.raises(scenes.WrongSearch, match="folder and stac"):
        scenes.request_search({"folder": "/x", "stac": "https://example.org"})
    with pytest.raises(scenes.WrongSearch, match="colour is no parameter"):
        scenes.request_search({"folder": "/x", "colour": "red"})
    run = scenes.request_search({"folder": "/x"})
    assert (run.kind, run.queue, run.params["folder"], run.params["profile"]) == ("find_scenes", "io", "/x", None)


def test_a_scene_is_recorded_and_asked_for_once():
    first, new = found()
    again, new_again = found()
    assert (new, new_again, first.pk) == (True, False, again.pk)
    assert [run.params for run in Run.objects.filter(kind="fetch_scene")] == [{"scene": first.pk}]


def test_a_failed_scene_is_asked_for_again_when_it_is_found_again():
    scene, _ = found()
    scenes.claim(scene.pk)
    assert scenes.mark_failed(scene, "the file is damaged; deliver it again")
    again, new = found()
    assert (new, again.state, again.reason) == (False, "found", "")
    assert Run.objects.filter(kind="fetch_scene").count() == 2


def test_a_stored_scene_is_not_claimed_again():
    scene = stored()
    assert scenes.claim(scene.pk) is None
    assert not scenes.mark_failed(scene, "too late")
    assert not scenes.mark_stored(scene, grid={}, bands=[], facts={})
    scene.refresh_from_db()
    assert (scene.state, scene.bands) == ("stored", ["green"])


def test_a_scene_that_does_not_exist_is_not_claimed():
    assert scenes.claim(12345) is None


def test_usable_scenes_are_those_that_the_profile_accepted():
    stored("good", {"area": [], "forecast": [{"rule": "cloud", "value": 30, "limit": 20}]})
    stored("bad", {"area": [{"rule": "cloud", "value": 12, "limit": 10}]})
    stored("never-judged")
    assert [scene.key for scene in Scene.objects.usable("area")] == ["good"]
    assert not Scene.objects.usable("forecast").exists()


def test_scenes_are_asked_for_by_days_and_place():
    stored("a", acquired=datetime(2019, 12, 31, 23, tzinfo=UTC))
    stored("b", acquired=datetime(2020, 1, 1, tzinfo=UTC), acquired_end=datetime(2020, 12, 31, tzinfo=UTC))
    assert [s.key for s in Scene.objects.between(datetime(2020, 6, 1, tzinfo=UTC), None)] == ["b"]
    assert [s.key for s in Scene.objects.between(None, datetime(2019, 12, 31, 23, tzinfo=UTC))] == ["a"]
    here = scenes.as_multipolygon(shapely.box(10.5, 46.5, 10.6, 46.6))
    assert Scene.objects.over(here).count() == 2
    assert Scene.objects.over(scenes.as_multipolygon(shapely.box(20, 46, 21, 47))).count() == 0


def test_a_glacier_has_one_area_of_interest_whose_grid_stays(glacier):
    with pytest.raises(ValueError, match="give the work grid"):
        aois.for_glacier(glacier)
    grid = {"crs": "EPSG:32632", "transform": [30, 0, 0, 0, -30, 0], "width": 10, "height": 12}
    made = aois.for_glacier(glacier, grid)
    assert aois.for_glacier(glacier, grid | {"width": 99}).grid["width"] == 10
    box, domain = shapely.from_wkb(bytes(made.polygon.wkb)), shapely.from_wkb(bytes(glacier.domain.wkb))
    west, south, east, north = domain.bounds
    assert box.contains(shapely.box(west - 0.018, south - 0.012, east + 0.018, north + 0.012))  # about 1.4 km
    assert not box.intersects(shapely.box(west - 0.03, south, west - 0.024, north))  # about 1.9 km
