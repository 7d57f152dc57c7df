"""Query parameters of the API, read strictly: an unknown name or a malformed value is a 400 that says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from rest_framework.request import Request

from glacierweb.problems import Problem
from predictions.checks import day, shown

PAGING = ("limit", "cursor", "format")


def only(request: Request, names: Iterable[str]) -> None:
    """Refuse parameters that this list does not know."""
    known = {*names, *PAGING}
    for name in request.query_params:
        if name not in known:
            raise bad(f"{name[:40]}: unknown here; there are {', '.join(sorted(known))}.")


def choice(request: Request, name: str, choices: Iterable[str]) -> str | None:
    """One of a few words, or None where it is not asked for."""
    value, known = request.query_params.get(name), tuple(choices)
    if value is not None and value not in known:
        raise bad(f"{name}={value[:40]}: use one of {', '.join(known)}.")
    return value


def row_id(request: Request, name: str, words: Iterable[str] = ()) -> int | str | None:
    """The number of a row, or one of a few words; None where it is not asked for."""
    value = request.query_params.get(name)
    if value is None or value in words:
        return value
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise bad(f"{name}={value[:40]}: use a number{''.join(f' or {word}' for word in words)}.")
    return int(value)


def year(request: Request) -> int | None:
    """A calendar year."""
    value = row_id(request, "year")
    if value is not None and not 1600 <= int(value) <= 2200:
        raise bad(f"year={value}: use four digits.")
    return None if value is None else int(value)


def area(request: Request, name: str) -> float | None:
    """A finite area in square kilometres."""
    value = request.query_params.get(name)
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e9:
        raise bad(f"{name}={value[:40]}: use square kilometres, 0 or more.")
    return number


def bbox(request: Request) -> tuple[float, float, float, float] | None:
    """West, south, east, north in degrees (heights of a six-number box are ignored); west > east crosses 180°."""
    value = request.query_params.get("bbox")
    if value is None:
        return None
    try:
        numbers = [float(part) for part in value[:400].split(",")]
    except ValueError:
        raise bad(f"bbox={shown(value)}: use west,south,east,north in degrees.") from None
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    west, south, east, north = numbers if len(numbers) == 4 else (999.0,) * 4
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise bad(f"bbox={shown(value)}: use west,south,east,north in degrees.")
    return west, south, east, north


def datetimes(request: Request) -> tuple[date | None, date | None] | None:
    """An instant or a (half-)open interval of RFC 3339 dates or date-times, as days; None where not asked for."""
    value = request.query_params.get("datetime")
    if value is None:
        return None
    ends = value.split("/") if "/" in value else [value, value]
    if len(ends) != 2 or ends in (["..", ".."], ["", ""]):
        raise bad(f"datetime={shown(value)}: use 2016-08-31 or 2010-01-01/2020-12-31, .. for an open end.")
    try:
        first, last = (None if end in ("", "..") else day(end.split("T")[0]) for end in ends)
    except ValueError as error:
        raise bad(f"datetime: {error}.") from None
    if first and last and first > last:
        raise bad(f"datetime={shown(value)}: the interval ends before it begins.")
    return first, last


def bad(detail: str) -> Problem:
    """A 400 about a parameter."""
    return Problem(400, "Bad parameter", detail)
