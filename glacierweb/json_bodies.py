"""JSON that arrives in a request: measured before it is parsed, so that no body costs more than it may."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import JSONParser

from glacierweb.problems import Problem

MOST_BYTES = 1_000_000
DEEPEST = 32
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


class BoundedJSONParser(JSONParser):
    """Refuses what is too large (413), nested too deep, or holds text that no database keeps (400)."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping | None = None) -> Any:
        """The value in a request's body: UTF-8, as RFC 8259 asks."""
        body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise Problem(413, "Too large", f"A JSON body has at most {MOST_BYTES} bytes.", kind="too-large")
        return read(body)


def read(body: bytes) -> Any:
    """The value of a JSON text. Raises Problem 400 that says what is wrong with it."""
    try:
        text = body.decode("utf-8")
        if deep(text) > DEEPEST:
            raise ValueError(f"it is nested deeper than {DEEPEST} levels")
        found = json.loads(text, parse_constant=_no_number)
    except ValueError as error:  # of decoding, of parsing, and of numbers with thousands of digits
        raise Problem(400, "Bad request", f"The body is not JSON that can be taken: {error}.") from None
    if "\\u" in text:
        _refuse_broken_text(found)
    return found


def deep(text: str) -> int:
    """How deep brackets and braces are nested, counted without recursion; what stands in strings does not count."""
    depth = deepest = 0
    for found in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        deepest = max(deepest, depth)
    return deepest


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _refuse_broken_text(value: Any) -> None:
    told = json.dumps(value, ensure_ascii=False)
    if "\\u0000" in told or not _is_text(told):
        raise Problem(400, "Bad request", "The body holds a NUL character or half a surrogate pair; send plain text.")


def _is_text(told: str) -> bool:
    try:
        told.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
