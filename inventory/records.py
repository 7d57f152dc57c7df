"""One outline as a file tells it, before it meets the database; and how files write names, numbers and dates."""

from __future__ import annotations

import hashlib
import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import shapely
from shapely.geometry import MultiPolygon

FIRST_DATE = date(1600, 1, 1)
NOTHING = {"", "none", "null", "nan", "-9999999", "-9999", "99999999"}


class WrongDate(ValueError):
    """A date that is none, or lies where no outline can be."""


@dataclass(frozen=True)
class When:
    """The days that an outline stands for, both inclusive; `end` is None where one day is meant."""

    start: date
    end: date | None = None
    precision: str = "day"


@dataclass(frozen=True)
class OutlineRecord:
    """The shape of one glacier at one date by one analysis, with all that its source says about it."""

    geometry: MultiPolygon
    when: When
    feature: str
    """Where it stands in its file, for messages."""
    glac_id: str = ""
    """GLIMS identifier, where the source has one."""
    name: str = ""
    aliases: dict[str, str] = field(default_factory=dict)
    also_rgi_ids: tuple[str, ...] = ()
    """Of the further parts, where an inventory gives each part of a glacier its own."""
    region: str | None = None
    anlys_id: str = ""
    anlys_time: datetime | None = None
    release_date: datetime | None = None
    analyst: str = ""
    method: str = ""
    citation: str = ""
    area_analyst_km2: float | None = None
    loc_unc_m: float | None = None
    glob_unc_m: float | None = None
    status: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    simulated: bool = False

    def content_sha256(self) -> str:
        """Hash of geometry, date and analysis: the same outline from the same source is stored once."""
        told = (self.glac_id, self.when.start, self.when.end, self.anlys_id, self.anlys_time)
        shape = shapely.to_wkb(shapely.normalize(self.geometry), output_dimension=2, byte_order=1)
        return hashlib.sha256(repr(told).encode() + shape).hexdigest()


def text(value: Any) -> str:
    """A text without padding, control characters and the words that stand for nothing."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    found = "".join(c for c in str(value if value is not None else "") if c.isprintable() or c == "\n").strip()
    return "" if found.lower() in NOTHING else found


def name_text(value: Any) -> str:
    """A glacier's name; Shapefiles of the inventory pad it to 50 characters and leave a stray byte at the end."""
    found = re.sub(r"\s{3,}\S{0,2}$", "", text(value)).strip(" ,;")
    return "" if len(found) < 2 else found[:200]


def number(value: Any, positive: bool = False) -> float | None:
    """A finite number; None where the source has none (or 0, where only a positive one means anything)."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    if found != found or abs(found) == float("inf") or found <= -9999 or (positive and found <= 0):
        return None
    return found


def moment(value: Any) -> datetime | None:
    """A time stamp in any of the ways that GLIMS, RGI and GDAL write it; UTC where no zone is given."""
    found = text(value).replace("/", "-")
    if not found:
        return None
    try:
        parsed = datetime.fromisoformat(found)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def period(first: Any, last: Any = None) -> When:
    """The days between two dates of a source.

    Takes ISO dates and times, YYYYMMDD with 99 (or 00) for an unknown month or day (RGI 4 to 6), and years. Raises
    WrongDate where the first is no date, lies before 1600 or in the future, or the last comes before it.
    """
    start, end, precision = _days(first)
    if text(last):
        _, end, _ = _days(last)
        if end < start:
            raise WrongDate(f"the interval ends on {end}, before it begins on {start}")
        precision = "interval" if end != start else precision
    if not FIRST_DATE <= start <= datetime.now(UTC).date():
        raise WrongDate(f"{start} is not a date between {FIRST_DATE} and today")
    return When(start, None if end == start else end, precision)


def _days(value: Any) -> tuple[date, date, str]:
    """First and last possible day, and the precision in words."""
    found = text(value)
    digits = re.fullmatch(r"(\d{4})(?:(\d{2})(\d{2})?)?", found)
    try:
        if digits is None:
            day = datetime.fromisoformat(found.replace("/", "-")).date()
            return day, day, "day"
        year, month, day_of = (int(part) if part else 99 for part in digits.groups())
        if not 1 <= month <= 12:
            return date(year, 1, 1), date(year, 12, 31), "year"
        if day_of in {0, 99}:
            return date(year, month, 1), date(year, month, monthrange(year, month)[1]), "month"
        day = date(year, month, day_of)
    except ValueError:
        raise WrongDate(f"'{found or value}' is not a date; write YYYY-MM-DD, YYYYMMDD or YYYY") from None
    return day, day, "day"
