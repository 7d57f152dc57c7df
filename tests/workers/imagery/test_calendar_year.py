from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from workers.imagery.calendar_year import decimal_year, is_summer, read_date, season_year


def test_the_two_published_decimal_years() -> None:
    assert decimal_year(date(1984, 4, 18)) == pytest.approx(1984.295082, abs=5e-7)
    assert decimal_year(date(2023, 10, 7)) == pytest.approx(2023.764384, abs=5e-7)


def test_leap_day_and_the_last_day_of_a_year() -> None:
    assert decimal_year(date(2024, 2, 29)) == 2024 + 59 / 366
    assert decimal_year(date(2024, 12, 31)) == 2024 + 365 / 366
    assert decimal_year(date(2023, 12, 31)) == 2023 + 364 / 365
    assert decimal_year(date(2023, 1, 1)) == 2023.0


def test_summer_and_season_year_follow_the_hemisphere() -> None:
    assert [m for m in range(1, 13) if is_summer(date(2020, m, 15), 46)] == [5, 6, 7, 8, 9, 10]
    assert [m for m in range(1, 13) if is_summer(date(2020, m, 15), -50)] == [1, 2, 3, 4, 11, 12]
    assert is_summer(date(2020, 5, 1), 0)
    assert season_year(date(2019, 11, 1), -50) == 2020
    assert season_year(date(2020, 4, 30), -50) == 2020
    assert season_year(date(2019, 11, 1), 46) == 2019


def test_partial_dates_become_intervals_with_their_precision() -> None:
    year = read_date("2019")
    assert (year.start, year.end) == (datetime(2019, 1, 1, tzinfo=UTC), datetime(2019, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert year.precision == "year"
    assert year.middle.month in (6, 7)
    quarter = read_date("2019Q1")
    assert (quarter.start.month, quarter.end.month, quarter.end.day, quarter.precision) == (1, 3, 31, "quarter")
    assert read_date("2020-02").end.day == 29
    day = read_date("2020-08-16")
    assert (day.middle, day.precision) == (datetime(2020, 8, 16, tzinfo=UTC), "day")
    with pytest.raises(ValueError, match="is no date"):
        read_date("last summer")
