"""Lists in pages: stable under inserts, by an opaque cursor over the primary key."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from django.core.signing import BadSignature, Signer
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

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


def pack(values: list[Any]) -> str:
    """A cursor that only this server can have made."""
    plain = base64.urlsafe_b64encode(json.dumps(values, default=str).encode()).decode().rstrip("=")
    return Signer(salt="cursor").sign(plain)


def unpack(cursor: str) -> list[Any]:
    """The values inside a cursor; 400 for one that was not made here."""
    try:
        plain = Signer(salt="cursor").unsign(cursor)
        return json.loads(base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4)))
    except (BadSignature, binascii.Error, ValueError):
        raise Problem(400, "Bad parameter", "cursor: follow the `next` link of the page before.") from None


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
        ordered = queryset.order_by(*[f"-{field}" if self.descending else field for field in self.fields])
        if cursor := request.query_params.get("cursor"):
            ordered = ordered.filter(self._after(unpack(cursor)))
        rows = list(ordered[: self.limit + 1])
        self.more = len(rows) > self.limit
        self.page = rows[: self.limit]
        return self.page

    def _after(self, values: list[Any]) -> Any:
        from django.db.models import Q

        if len(values) != len(self.fields):
            raise Problem(400, "Bad parameter", "cursor: follow the `next` link of the page before.")
        operator = "lt" if self.descending else "gt"
        after = Q()
        for index, field in enumerate(self.fields):
            same = {name: values[at] for at, name in enumerate(self.fields[:index])}
            after |= Q(**same, **{f"{field}__{operator}": values[index]})
        return after

    def _values(self, row: Any) -> list[Any]:
        found = []
        for field in self.fields:
            value = row
            for part in field.split("__"):
                value = getattr(value, part)
            found.append(value)
        return found

    @property
    def next_link(self) -> str | None:
        """Absolute address of the following page, or None on the last."""
        if not self.more:
            return None
        return replace_query_param(self.request.build_absolute_uri(), "cursor", pack(self._values(self.page[-1])))

    def get_paginated_response(self, data: Any) -> Response:
        """The page with its links."""
        first = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return Response(
            {
                "count": self.count,
                "next": self.next_link,
                "previous": first if "cursor" in self.request.query_params else None,
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
                "description": "Opaque; from the `next` link.",
                "schema": {"type": "string"},
            },
        ]
