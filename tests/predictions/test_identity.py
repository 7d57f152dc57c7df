"""A glacier keeps its identifier whatever it does: it falls apart, or vanishes, when two dates agree."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon

from inventory.models import Glacier
from predictions import identity, results, series, versions

DAYS = [date(2000 + n, 8, 20) for n in range(6)]


@pytest.fixture
def glacier(world):
    return world.glacier(region=world.region())


@pytest.fixture
def version(world):
    return versions.promote(world.version())


def boxes(*sides):
    """Squares beside each other, with sides in thousandths of a degree (.0086 km2 for 1)."""
    return MultiPolygon(*(Polygon.from_bbox((-30 + 0.01 * n, 46, -30 + 0.01 * n + side / 1000, 46 + side / 1000))
                          for n, side in enumerate(sides)), srid=4326)


def seen(world, glacier, version, day, *sides):
    km2 = sum(0.0086 * side**2 for side in sides)
    drawn = [results.FoundOutline(glacier.glac_id, boxes(*sides), km2)] if sides else []
    area = results.MeasuredArea(glacier.glac_id, km2, km2)
    run = world.running("area_series")
    results.save_mask(run, world.scene(day), version, "ice", world.raster(), 0.5, drawn, [area], 1.0)


def told(world, glacier, version, *dates):
    for day, sides in zip(DAYS, dates, strict=False):
        seen(world, glacier, version, day, *sides)
    return series.areas(glacier)["identity"]


@pytest.mark.parametrize(
    ("areas", "since"),
    [
        ([[1.0], [0.02], [0.009], []], DAYS[2]),
        ([[1.0], [0.009]], None),
        ([[], [], [0.01]], None),
        ([[0.009, 0.009], [0.009] * 5], DAYS[0]),
        ([], None),
    ],
)
def test_a_glacier_has_vanished_when_its_two_newest_dates_show_no_piece_of_a_hundredth(areas, since):
    assert identity.vanished_since([*zip(DAYS, areas, strict=False)]) == since


@pytest.mark.parametrize(
    ("areas", "since"),
    [
        ([[1.0], [0.6, 0.05], [0.5, 0.05]], DAYS[1]),
        ([[1.0], [0.6, 0.05], [0.7], [0.5, 0.06]], None),
        ([[1.0], [0.6, 0.049], [0.5, 0.049]], None),
        ([[0.5, 0.3], [0.5, 0.3], [0.4, 0.3]], None),
        ([[1.0], [0.6, 0.2], [0.5, 0.2], [0.8], [0.8]], DAYS[1]),
        ([], None),
    ],
)
def test_a_glacier_has_fallen_apart_when_two_dates_in_a_row_show_more_large_pieces_than_the_first(areas, since):
    assert identity.split_since([*zip(DAYS, areas, strict=False)]) == since


def test_a_glacier_without_any_ice_is_a_candidate_for_extinct_and_has_no_trend(world, glacier, version):
    found = told(world, glacier, version, (), (), ())
    assert (found["status"], found["vanished_since"]) == ("extinct_candidate", "2000-08-20")
    (network,) = series.areas(glacier)["series"]
    assert (network["trend"], network["no_trend_reason"]) == (None, "all areas are zero")
    assert "perhaps extinct" in " ".join(series.summary(glacier)["notes"])
    assert identity.refresh(glacier, version) == "extinct_candidate"
    assert Glacier.objects.get().status == "extinct_candidate"


def test_ice_that_comes_back_makes_a_glacier_active_again(world, glacier, version):
    told(world, glacier, version, (5,), (), ())
    assert identity.refresh(glacier, version) == "extinct_candidate"
    seen(world, glacier, version, DAYS[4], 4)
    assert identity.refresh(glacier, version) == "active"
    assert Glacier.objects.get().status == "active"


def test_what_a_source_calls_gone_stays_gone_and_another_version_says_nothing(world, glacier, version):
    other = world.version()
    told(world, glacier, version, (5,), (5,))
    Glacier.objects.update(status="gone")
    assert identity.refresh(glacier, version) == "active"
    assert identity.refresh(glacier, other) == ""
    assert Glacier.objects.get().status == "gone"


def test_pieces_are_linked_to_the_glacier_that_fell_apart_by_a_point_inside_each(world, glacier, version):
    found = told(world, glacier, version, (8,), (7,), (6, 4), (5, 3))
    assert (found["status"], found["split_since"]) == ("active", "2002-08-20")
    assert [one["id"] for one in found["children"]] == ["G330003E46003N", "G330012E46002N"]
    assert [one["km2"] for one in found["children"]] == pytest.approx([0.31, 0.138], rel=0.02)
    assert Glacier.objects.count() == 1
    assert "Fell apart by 2002-08-20" in " ".join(series.summary(glacier)["notes"])
