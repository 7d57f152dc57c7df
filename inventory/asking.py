"""Query parameters, read strictly: what is unknown, repeated, malformed or out of range is a 400 that says so."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time

from django.contrib.gis.geos import MultiPolygon, Polygon
from django.http import QueryDict

from glacierweb.problems import Problem

PAGING = frozenset({"limit", "cursor", "format"})
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
MOST_CHARACTERS = 256
FREE_TEXT = frozenset({"q", "name", "source", "status", "collection", "scope"})
"""Left empty they ask for everything, as the empty field of a form does."""
FIRST, LAST = time.min, time.max


def bad(name: str, given: str, wanted: str) -> Problem:
    """The refusal of one parameter."""
    return Problem(400, "Bad parameter", f"{name}={given[:60]}: {wanted}.", kind="bad-parameter")


def known(
    params: QueryDict, allowed: set[str] | frozenset[str], formats: tuple[str, ...] = ("json", "geojson")
) -> dict[str, str]:
    """The parameters as name to text; 400 for a name that is not allowed here, a repeated or a monstrous one.

    `format`, where it is allowed, is one of `formats`.
    """
    for name, values in params.lists():
        if name == "filter" and name not in allowed:
            raise Problem(
                400, "Bad parameter", "filter: CQL2 filters are not answered yet; "
                f"use {', '.join(sorted(allowed - PAGING))}.", kind="bad-parameter",
            )  # fmt: skip
        if name not in allowed:
            wanted = ", ".join(sorted(allowed)) or "none"
            raise Problem(400, "Unknown parameter", f"{name[:60]} is not known here; known are {wanted}.")
        if len(values) > 1:
            raise bad(name, values[1], "give it once")
        if len(values[0]) > MOST_CHARACTERS or "\0" in values[0]:
            raise bad(name, values[0], f"use at most {MOST_CHARACTERS} printable characters")
    if "format" in params:
        choice("format", str(params["format"]), formats)
    return {name: str(value) for name, value in params.items() if value != "" or name not in FREE_TEXT}


def number(name: str, given: str) -> float:
    """A finite number."""
    if not _NUMBER.fullmatch(given) or not math.isfinite(float(given)):
        raise bad(name, given, "use a finite number")
    return float(given)


def whole(name: str, given: str, least: int, most: int) -> int:
    """A whole number within limits."""
    if not re.fullmatch(r"[+-]?[0-9]{1,12}", given) or not least <= int(given) <= most:
        raise bad(name, given, f"use a whole number from {least} to {most}")
    return int(given)


def bbox(given: str) -> MultiPolygon:
    """Four numbers west,south,east,north (or six, with heights that are ignored), CRS84.

    West larger than east crosses the antimeridian: two boxes that hold only what lies there.
    """
    texts = given.split(",")
    if len(texts) not in {4, 6}:
        raise bad("bbox", given, "use west,south,east,north (or six numbers with heights)")
    numbers = [number("bbox", text.strip()) for text in texts]
    west, south, east, north = numbers if len(numbers) == 4 else (numbers[0], numbers[1], numbers[3], numbers[4])
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise bad("bbox", given, "longitudes lie in -180 to 180, latitudes in -90 to 90, south comes before north")
    spans = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    # A box without width or height is a line or point; a hair of it keeps the polygon sound.
    hair = 1e-9
    boxes = [Polygon.from_bbox((w, south, max(e, w + hair), max(north, south + hair))) for w, e in spans]
    return MultiPolygon(*boxes, srid=4326)


def interval(given: str, name: str = "datetime") -> tuple[datetime | None, datetime | None]:
    """An RFC 3339 instant or day, or an interval of two with `..` (or nothing) for an open end; both ends inclusive.

    In UTC; a day begins with its first moment and ends with its last.
    """
    parts = given.split("/")
    if len(parts) > 2:
        raise bad(name, given, "use an instant, or start/end")
    start, end = _moment(name, given, parts[0], FIRST), _moment(name, given, parts[-1], LAST)
    if len(parts) == 1 and start is None:
        raise bad(name, given, "use a date such as 2003-08-24, or an interval such as 2000-01-01/..")
    if start is None and end is None and ".." not in parts:
        raise bad(name, given, "an interval open at both ends is ../..")
    if start and end and start > end:
        raise bad(name, given, "the interval ends before it begins")
    return start, end


def days(given: str, name: str = "datetime") -> tuple[date | None, date | None]:
    """The days (UTC) in which such an interval begins and ends; None is open."""
    start, end = interval(given, name)
    return start and start.date(), end and end.date()


def _moment(name: str, given: str, part: str, of_day: time) -> datetime | None:
    """An instant in UTC; of a day without an hour the first or the last moment."""
    if part in {"", ".."}:
        return None
    wanted = "use RFC 3339, for instance 2003-08-24 or 2003-08-24T00:00:00Z"
    if not (_DAY.fullmatch(part) or _INSTANT.fullmatch(part)):
        raise bad(name, given, wanted)
    try:
        if _DAY.fullmatch(part):
            return datetime.combine(date.fromisoformat(part), of_day, UTC)
        return datetime.fromisoformat(part.upper().replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):  # no such day, or one beyond the calendar's ends in UTC
        raise bad(name, given, wanted) from None


def choice(name: str, given: str, allowed: tuple[str, ...]) -> str:
    """One of a few words."""
    if given not in allowed:
        raise bad(name, given, f"use one of {', '.join(allowed)}")
    return given
