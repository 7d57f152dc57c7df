"""A folder of scenes answers a search as a catalogue would: only what was asked for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import shapely
from django.contrib.gis.geos import MultiPolygon, Point, Polygon

from inventory.models import Glacier, Region
from workers.imagery.found import FoundScene
from workers.tasks.find_scenes import _box_of, _sifted, wanted

NOTHING = {"collections": None, "datetime": None, "bbox": None, "glacier": None, "region": None}


def scene(day="2020-08-01", place=(10.0, 46.0, 10.5, 46.5), **told) -> FoundScene:
    moment = datetime.fromisoformat(f"{day}T10:00:00+00:00") if day else None
    return FoundScene("a", told.pop("collection", "landsat"), "L8", moment, shapely.box(*place), {}, **told)


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ({}, True),
        ({"collections": ["landsat"]}, True),
        ({"collections": ["sentinel"]}, False),
        ({"datetime": "2020-08-01"}, True),
        ({"datetime": "2020-08-01T11:00:00Z/.."}, False),
        ({"datetime": "../2020-07-31"}, False),
        ({"bbox": [10.4, 46.4, 11.0, 47.0]}, True),
        ({"bbox": [11.0, 46.0, 12.0, 47.0]}, False),
        ({"bbox": [170.0, 40.0, -170.0, 50.0]}, False),
        ({"bbox": [170.0, 40.0, 11.0, 50.0]}, True),
    ],
)
def test_a_scene_is_taken_where_place_time_and_collection_are_those_asked_for(asked, taken):
    assert wanted(scene(), NOTHING | asked, asked.get("bbox")) is taken


def test_a_scene_of_which_only_the_year_is_known_meets_every_span_in_that_year():
    year = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 12, 31, 23, tzinfo=UTC))
    some = scene("2020-07-01", interval=year, date_precision="year")
    assert wanted(some, NOTHING | {"datetime": "2020-11-01/2020-11-02"}, None)
    assert not wanted(some, NOTHING | {"datetime": "2021-01-01/.."}, None)
    assert wanted(scene(None, kind="dem"), NOTHING | {"datetime": "1999-01-01/1999-12-31"}, None)


def landsat(key: str, day: str, cloud: float | None, **told) -> FoundScene:
    moment = datetime.fromisoformat(f"{day}T10:00:00+00:00")
    place = shapely.box(10.0, 46.0, 10.5, 46.5)
    return FoundScene(key, "landsat-c2-l2", "landsat-8", moment, place, {}, cloud_percent=cloud, **told)


def test_a_profile_keeps_from_fetching_what_the_catalogue_already_refuses():
    scenes = [
        landsat("clear", "2020-08-01", 9.9), landsat("cloudy", "2020-08-01", 10.0),
        landsat("winter", "2020-01-01", 0.0), landsat("unreported", "2020-08-01", None),
        landsat("dull", "2020-08-01", 1.0, image_quality=7),
        landsat("heights", "2020-01-01", None, kind="dem"),
    ]  # fmt: skip
    found, refused = _sifted(scenes, "area")
    assert [one.key for one in found] == ["clear", "unreported", "heights"]
    assert dict(refused) == {
        "cloudy": "not fetched, outside the profile area: cloud < 10 %",
        "winter": "not fetched, outside the profile area: months summer",
        "dull": "not fetched, outside the profile area: image_quality >= 9",
    }
    assert _sifted(scenes, None) == (scenes, [])


@pytest.mark.django_db
def test_a_glacier_or_a_region_says_where_to_look():
    region = Region.objects.create(code="11", name="Central Europe")
    domain = MultiPolygon(Polygon.from_bbox((10.0, 46.0, 10.1, 46.1)), srid=4326)
    Glacier.objects.create(glac_id="G010050E46050N", point=Point(10.05, 46.05, srid=4326), domain=domain, region=region)
    west, south, east, north = _box_of(NOTHING | {"glacier": "G010050E46050N"})
    assert 9.97 < west < 10.0 < 10.1 < east < 10.13
    assert 45.98 < south < 46.0 < 46.1 < north < 46.12
    assert _box_of(NOTHING | {"region": "11"}) == pytest.approx([10.0, 46.0, 10.1, 46.1])
    with pytest.raises(ValueError, match="region 12 has an outline"):
        _box_of(NOTHING | {"region": "12"})
    assert _box_of(NOTHING) is None
