"""Domains: 150 m around a glacier, cut half way to its neighbours."""

from __future__ import annotations

import pytest
import shapely

from inventory import outlines
from inventory.domains import domain
from inventory.geodesy import LocalPlane
from inventory.models import Glacier

ORIGIN = shapely.box(10.0, 46.0, 10.2, 46.2)
PLANE = LocalPlane(ORIGIN)


def metres(west, south, east, north):
    """A rectangle in metres around 10.1 E 46.1 N, as lon/lat."""
    return PLANE.lonlat(shapely.box(west, south, east, north))


def of(pk, shapes):
    return PLANE.project(domain(pk, shapes[pk], {key: shape for key, shape in shapes.items() if key != pk}))


def test_a_glacier_alone_gets_150_m_around_it():
    found = of(1, {1: metres(0, 0, 1000, 1000)})
    expected = shapely.box(0, 0, 1000, 1000).buffer(150).area
    assert found.area == pytest.approx(expected, rel=0.005)


def test_ground_between_two_glaciers_goes_to_the_nearer_one():
    shapes = {1: metres(0, 0, 1000, 1000), 2: metres(1200, 0, 2200, 1000)}
    left, right = of(1, shapes), of(2, shapes)
    assert left.intersection(right).area < 200  # m2, of simplification
    assert left.contains(shapely.Point(1085, 500))
    assert right.contains(shapely.Point(1115, 500))


def test_two_glaciers_that_share_a_divide_keep_their_own_side():
    shapes = {1: metres(0, 0, 1000, 1000), 2: metres(1000, 0, 2000, 1000)}
    left, right = of(1, shapes), of(2, shapes)
    assert left.intersection(shapely.box(1000, 0, 2000, 1000)).area < 2500  # within the tolerance of 1 m
    assert right.intersection(shapely.box(0, 0, 1000, 1000)).area < 2500
    assert left.union(right).area > 0.99 * shapely.box(0, 0, 2000, 1000).buffer(150).area


@pytest.mark.django_db
def test_a_new_neighbour_cuts_the_domain_of_a_glacier_that_was_there(source):
    first = outlines.record(metres(0, 0, 1000, 1000), "2000-08-01", source=source).glacier
    before = Glacier.objects.get(pk=first.pk).domain.area
    outlines.record(metres(1100, 0, 2100, 1000), "2000-08-01", source=source)
    assert Glacier.objects.get(pk=first.pk).domain.area < before


@pytest.mark.django_db
def test_the_domain_holds_every_outline_of_the_glacier(source):
    first = outlines.record(metres(0, 0, 1000, 1000), "2000-08-01", source=source)
    outlines.record(metres(0, 0, 1000, 1300), "1990-08-01", source=source, glacier=first.glacier)
    found = Glacier.objects.get(pk=first.glacier_id)
    shapes = [shapely.from_wkb(bytes(outline.geometry.wkb)) for outline in found.outlines.all()]
    assert all(shapely.from_wkb(bytes(found.domain.wkb)).contains(shape) for shape in shapes)
