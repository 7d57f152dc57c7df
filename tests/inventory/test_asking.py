"""Spans of time as people write them: RFC 3339, in UTC, never a fault."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import shapely

from glacierweb.problems import Problem
from inventory import asking, scenes

START, LAST = datetime(2003, 8, 24, tzinfo=UTC), datetime(2003, 8, 24, 23, 59, 59, 999_999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "start", "end"),
    [
        ("2003-08-24", START, LAST),
        ("2003-08-24/..", START, None),
        ("/2003-08-24", None, LAST),
        ("../..", None, None),
        ("2003-08-24T00:00:00Z", START, START),
        ("2003-08-24T02:00:00+02:00", START, START),
        ("2003-08-23t19:00:00.000-05:00/2003-08-24", START, LAST),
    ],
)
def test_a_span_is_read_in_utc_and_a_day_is_whole(given, start, end):
    assert asking.interval(given) == (start, end)


def test_a_whole_number_is_taken_up_to_its_limit():
    most = 2**31 - 1
    assert asking.whole("scene", str(most), 1, most) == most
    for wrong in (str(most + 1), "0", "1.0", "", "1e3", "9" * 400, "\u0661"):
        with pytest.raises(Problem):
            asking.whole("scene", wrong, 1, most)


def test_days_are_those_of_utc():
    assert asking.days("2003-08-23T23:30:00-05:00/..") == (date(2003, 8, 24), None)


@pytest.mark.parametrize(
    "given",
    ["0001-01-01T00:00:00+14:00/..", "9999-12-31T23:59:59-14:00", "0000-01-01", "2003-02-29", "2003-08-24T25:00:00Z",
     "2003-08-24T10:00:00", "2003-8-24", "20030824", "2003-08-24/2003-08-23",
     "2003-08-24T12:00:00Z/2003-08-24T11:59:00Z",
     "/", "..", "", "2003-08-24/2004-01-01/2005-01-01", "2003-08-24T12:00:00+99:99"],
)  # fmt: skip
def test_a_span_that_is_none_is_refused(given):
    with pytest.raises(Problem) as refused:
        asking.interval(given)
    assert refused.value.status == 400


@pytest.mark.django_db
def test_scenes_of_one_day_are_told_apart_by_the_hour(client):
    for hour in (9, 15):
        moment = datetime(2020, 8, 1, hour, tzinfo=UTC)
        scenes.record(f"at-{hour}", footprint=shapely.box(10, 46, 11, 47), acquired=moment, collection="c", fetch=False)
    found = client.get("/api/v1/scenes/?datetime=2020-08-01T08:00:00Z/2020-08-01T12:00:00Z").json()
    assert [one["acquired"] for one in found["results"]] == ["2020-08-01T09:00:00Z"]
    assert client.get("/api/v1/scenes/?datetime=2020-08-01").json()["count"] == 2
