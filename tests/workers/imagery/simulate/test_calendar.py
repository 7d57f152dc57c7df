"""Which passes a world has."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise

import pytest

from workers.imagery.simulate import World
from workers.imagery.simulate.calendar import decimal_year, radar_days


@pytest.fixture(scope="module")
def world() -> World:
    return World(21, size=96, glaciers=1)


def test_six_a_year_cover_each_quarter_and_late_summer_twice(world):
    passes = world.passes(6)
    assert set(Counter(p.day.year for p in passes).values()) == {6}
    for year in range(1985, 2025):
        days = [p.day for p in passes if p.day.year == year]
        assert {(day.month - 1) // 3 for day in days} == {0, 1, 2, 3}
        assert sum(day.month in (8, 9) for day in days) >= 2


def test_most_of_the_six_are_clear_and_some_are_not(world):
    shares = [p.cloud_share for p in world.passes(6)]
    assert sum(share < 0.05 for share in shares) > 0.6 * len(shares)
    assert sum(share > 0.1 for share in shares) >= 5


def test_the_whole_calendar_holds_the_six_and_is_thin_in_the_1990s(world):
    full, six = world.passes("full"), world.passes(6)
    assert set(six) <= set(full)
    a_year = Counter(p.day.year for p in full)
    assert a_year[1995] < 0.75 * a_year[1986] < a_year[2005]


def test_sensors_fly_in_their_years(world):
    full = world.passes("full")
    for code, first, last in (("L5", 1985, 2011), ("L7", 1999, 2024), ("L8", 2013, 2024)):
        years = {p.day.year for p in full if p.sensor.code == code}
        assert years == set(range(first, last + 1))


def test_fewer_than_five_a_year_are_refused(world):
    with pytest.raises(ValueError, match="at least 5"):
        world.passes(4)


def test_decimal_years_follow_the_day_of_the_year():
    assert decimal_year(date(1984, 4, 18)) == pytest.approx(1984.295082, abs=1e-6)
    assert decimal_year(date(2023, 10, 7)) == pytest.approx(2023.764384, abs=1e-6)


def test_the_radar_passes_15_times_a_year_24_days_apart():
    days = radar_days(2016)
    assert len(days) == 15 and {(b - a).days for a, b in pairwise(days)} == {24}
    assert days[-1].year == 2016
