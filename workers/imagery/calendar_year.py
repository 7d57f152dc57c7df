"""Dates as the sciences of ice use them: decimal years, ablation seasons, and dates of which only a part is known."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

NORTHERN_SUMMER, SOUTHERN_SUMMER = frozenset(range(5, 11)), frozenset({11, 12, 1, 2, 3, 4})


def decimal_year(day: date) -> float:
    """Y + (day_of_year - 1) / days_in_Y; day_of_year starts at 1. The hour of a datetime does not count."""
    days = 366 if calendar.isleap(day.year) else 365
    return day.year + (day.timetuple().tm_yday - 1) / days


def is_summer(day: date, lat: float) -> bool:
    """May to October north of the equator (and on it), November to April south of it."""
    return day.month in (NORTHERN_SUMMER if lat >= 0 else SOUTHERN_SUMMER)


def season_year(day: date, lat: float) -> int:
    """Year of the ablation season: in the south November and December belong to the next year."""
    return day.year + 1 if lat < 0 and day.month >= 11 else day.year


class DateRead(NamedTuple):
    """A date as given: first and last moment (UTC) and "day", "month", "quarter" or "year"."""

    start: datetime
    end: datetime
    precision: str

    @property
    def middle(self) -> datetime:
        """The moment that stands for the interval: the acquisition itself for a day, else the middle."""
        return self.start if self.precision == "day" else self.start + (self.end - self.start) / 2


def read_date(text: str) -> DateRead:
    """2019, 2019Q1, 2019-07, 2019-07-03 or an ISO 8601 moment; ValueError says which forms are read."""
    stripped = text.strip()
    quarter = re.fullmatch(r"(\d{4})-?Q([1-4])", stripped)
    if quarter:
        return _months(int(quarter[1]), 3 * int(quarter[2]) - 2, 3, "quarter")
    month = re.fullmatch(r"(\d{4})-(\d{2})", stripped)
    if month:
        return _months(int(month[1]), int(month[2]), 1, "month")
    if re.fullmatch(r"\d{4}", stripped):
        return _months(int(stripped), 1, 12, "year")
    try:
        moment = datetime.fromisoformat(stripped)
    except ValueError as error:
        raise ValueError(f"{text!r} is no date; write YYYY-MM-DD, YYYYQ1..4, YYYY-MM or YYYY.") from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return DateRead(moment, moment, "day")


def _months(year: int, first: int, count: int, precision: str) -> DateRead:
    start = datetime(year, first, 1, tzinfo=UTC)
    last = first + count - 1
    end = datetime.combine(date(year, last, calendar.monthrange(year, last)[1]), time.max, UTC)
    return DateRead(start, end.replace(microsecond=0), precision)


def within_days(day: date, other: date, days: int) -> bool:
    """True when two days lie at most `days` apart."""
    return abs(day - other) <= timedelta(days=days)
