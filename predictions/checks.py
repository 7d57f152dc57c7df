"""Checks of single values that arrive as JSON: each takes a value and returns it, or raises ValueError with what to do.

No Django here: the same checks hold for the API, the command line and the form.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

Check = Callable[[Any], Any]


def whole(minimum: int, maximum: int = 2**31 - 1) -> Check:
    """A whole number in a closed range; true and false are not numbers."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"expected a whole number, got {shown(value)}")
        if not minimum <= value <= maximum:
            raise ValueError(f"expected {minimum} to {maximum}, got {value}")
        return value

    return check


def number(minimum: float, maximum: float) -> Check:
    """A finite number in a closed range."""

    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"expected a number, got {shown(value)}")
        if not minimum <= value <= maximum:
            raise ValueError(f"expected {minimum:g} to {maximum:g}, got {value:g}")
        return float(value)

    return check


def one_of(choices: Iterable[Any]) -> Check:
    """One of a few written-out values."""
    known = tuple(choices)

    def check(value: Any) -> Any:
        if isinstance(value, bool) or value not in known:
            raise ValueError(f"expected one of {', '.join(map(str, known))}; got {shown(value)}")
        return value

    return check


def text(pattern: str, meaning: str) -> Check:
    """A text that matches a pattern from end to end."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise ValueError(f"expected {meaning}, got {shown(value)}")
        return value

    return check


def day(value: Any) -> date:
    """A calendar date, YYYY-MM-DD."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        raise ValueError(f"expected a date such as 2016-08-31, got {shown(value)}")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"there is no day {value}") from None


def optional(check: Check) -> Check:
    """null, or what the other check accepts."""
    return lambda value: None if value is None else check(value)


def each(check: Check, minimum: int = 0, maximum: int = 1000) -> Check:
    """A list of which every element passes; the message names the first that does not. Becomes a tuple."""

    def check_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError(f"expected a list, got {shown(value)}")
        if not minimum <= len(value) <= maximum:
            raise ValueError(f"expected {minimum} to {maximum} elements, got {len(value)}")
        found = []
        for place, one in enumerate(value):
            try:
                found.append(check(one))
            except ValueError as error:
                raise ValueError(f"element {place}: {error}") from None
        return tuple(found)

    return check_all


def shown(value: Any) -> str:
    """A value as it is quoted in a message, cut to a line."""
    quoted = repr(value)
    return quoted if len(quoted) <= 60 else quoted[:57] + "..."
