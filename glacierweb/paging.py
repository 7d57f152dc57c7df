"""Lists in pages: stable under inserts, by an opaque cursor over the primary key."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, NamedTuple

from django.core.signing import BadSignature, Signer
from django.db.models import Q
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from glacierweb.problems import Problem

MOST = 10_000
DEFAULT = 100


def read_limit(text: str | None, default: int = DEFAULT) -> int:
    """The page size asked for: 1 to 10,000, larger is capped; 400 for anything else."""
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or int(text[:12]) < 1:
        raise Problem(400, "Bad parameter", f"limit={text[:40]}: use a whole number from 1 to {MOST}.")
    return min(int(text[:12]), MOST)


class Cursor(NamedTuple):
    """A row's values of the list's order, and whether the page before that row is wanted or the one after it."""

    values: list[Any]
    back: bool = False


def pack(cursor: Cursor, resource: str) -> str:
    """A cursor as text that only this server can have made, and only for this resource."""
    told = json.dumps([cursor.back, *cursor.values], default=str)
    plain = base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")
    return Signer(salt=f"cursor of {resource}").sign(plain)


def unpack(text: str, resource: str) -> Cursor:
    """The cursor in a text; 400 for one that was not made here, or for another resource."""
    try:
        plain = Signer(salt=f"cursor of {resource}").unsign(text)
        back, *values = json.loads(base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4)))
    except (BadSignature, binascii.Error, ValueError):
        raise _foreign() from None
    return Cursor(values, back)


def _foreign() -> Problem:
    return Problem(400, "Bad parameter", "cursor: follow the `next` or `previous` link of another page of this list.")


class KeysetPagination(BasePagination):
    """`{count, next, previous, results}`, ordered by the view's `keyset` (default: the primary key).

    A view may set `keyset = ("field", ..., "pk")`; the last one must be unique. A leading minus turns the whole
    order round.
    """

    default_limit = DEFAULT

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list:
        """One page of rows."""
        self.request = request
        self.limit = read_limit(request.query_params.get("limit"), self.default_limit)
        fields = getattr(view, "keyset", ("pk",))
        self.fields = [field.lstrip("-") for field in fields]
        self.descending = fields[0].startswith("-")
        self.count = queryset.count()
        asked = request.query_params.get("cursor")
        cursor = unpack(asked, request.path) if asked else None
        rows = self._rows(queryset, cursor)
        beyond, rows = len(rows) > self.limit, rows[: self.limit]
        back = cursor is not None and cursor.back
        self.more = back or beyond
        self.less = beyond if back else cursor is not None
        self.page = rows[::-1] if back else rows
        return self.page

    def _rows(self, queryset: Any, cursor: Cursor | None) -> list:
        """Rows on one side of the cursor, the nearest first, and one more where there is one."""
        downward = self.descending != (cursor is not None and cursor.back)
        ordered = queryset.order_by(*[f"-{field}" if downward else field for field in self.fields])
        if cursor is not None:
            ordered = ordered.filter(self._beyond(cursor.values, "lt" if downward else "gt"))
        return list(ordered[: self.limit + 1])

    def _beyond(self, values: list[Any], operator: str) -> Q:
        if len(values) != len(self.fields):
            raise _foreign()
        found = Q()
        for index, field in enumerate(self.fields):
            same = {name: values[at] for at, name in enumerate(self.fields[:index])}
            found |= Q(**same, **{f"{field}__{operator}": values[index]})
        return found

    def _values(self, row: Any) -> list[Any]:
        found = []
        for field in self.fields:
            value = row
            for part in field.split("__"):
                value = getattr(value, part)
            found.append(value)
        return found

    def _link(self, row: Any, back: bool) -> str:
        cursor = pack(Cursor(self._values(row), back), self.request.path)
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)

    @property
    def next_link(self) -> str | None:
        """Absolute address of the following page, or None on the last."""
        return self._link(self.page[-1], back=False) if self.more and self.page else None

    @property
    def previous_link(self) -> str | None:
        """Absolute address of the page before this one, or None on the first."""
        return self._link(self.page[0], back=True) if self.less and self.page else None

    def get_paginated_response(self, data: Any) -> Response:
        """The page with its links."""
        return Response(
            {
                "count": self.count,
                "next": self.next_link,
                "previous": self.previous_link,
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict) -> dict:
        """The OpenAPI description of a page."""
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["count", "results"],
            "properties": {"count": {"type": "integer"}, "next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict]:
        """The OpenAPI description of `limit` and `cursor`."""
        return [
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "description": f"Rows a page, 1 to {MOST}; larger is capped.",
                "schema": {"type": "integer", "minimum": 1, "default": DEFAULT},
            },
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Opaque; from the `next` and `previous` links.",
                "schema": {"type": "string"},
            },
        ]
