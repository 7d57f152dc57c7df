"""Rings in the order of RFC 7946, whatever order they are stored in: in every answer and every file."""

from __future__ import annotations

import json

import pytest
import shapely
from django.contrib.gis.geos import MultiPolygon, Polygon

from inventory.models import Outline
from inventory.winding import wound

pytestmark = pytest.mark.django_db
BACKWARDS = Polygon(
    [(10.0, 46.0), (10.0, 46.02), (10.02, 46.02), (10.02, 46.0), (10.0, 46.0)],
    [(10.005, 46.005), (10.01, 46.005), (10.01, 46.01), (10.005, 46.01), (10.005, 46.005)],
)


def right(geometry: dict) -> bool:
    """Every exterior ring counter-clockwise and every hole clockwise, by shapely."""
    parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return all(
        shapely.LinearRing(ring).is_ccw == (number == 0) for part in parts for number, ring in enumerate(part)
    )


def test_a_polygon_that_runs_backwards_is_turned_and_stays_the_same_shape():
    turned = wound(MultiPolygon(BACKWARDS, srid=4326))
    assert not right(json.loads(MultiPolygon(BACKWARDS).geojson))
    assert right(json.loads(turned.geojson))
    assert turned.equals(MultiPolygon(BACKWARDS, srid=4326))
    assert len(turned[0]) == 2
    assert wound(BACKWARDS).srid == BACKWARDS.srid


@pytest.fixture
def backwards(glacier) -> Outline:
    shape = MultiPolygon(BACKWARDS, srid=4326)
    type(glacier).objects.filter(pk=glacier.pk).update(domain=shape)
    Outline.objects.filter(glacier=glacier).update(geometry=shape)
    return glacier


@pytest.mark.parametrize(
    "address", ["outlines/", "glaciers/{}/outlines/", "outlines/download/?format=geojson&glac_id={}"]
)
def test_every_answer_with_outlines_is_wound(client, backwards, address):
    answer = client.get(f"/api/v1/{address.format(backwards.glac_id)}")
    body = b"".join(answer) if answer.streaming else answer.content
    features = json.loads(body)["features"]
    assert len(features) == 3
    assert all(right(feature["geometry"]) for feature in features)
    assert all(len(feature["geometry"]["coordinates"][0]) == 2 for feature in features)


def test_one_outline_and_a_domain_are_wound(client, backwards):
    one = client.get(f"/api/v1/outlines/{backwards.outlines.first().pk}/").json()
    assert right(one["geometry"])
    assert right(client.get(f"/api/v1/glaciers/{backwards.glac_id}/").json()["domain"])
