"""Errors of every API as application/problem+json (RFC 9457)."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any

from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connections
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import Resolver404
from rest_framework import exceptions
from rest_framework.response import Response

from glacierweb.logs import request_id

log = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
_NO_ROW = re.compile(r"No (\w+) matches the given query\.")


class Problem(Exception):
    """A refusal that says what is wrong, where, and what to do.

    `errors` lists {code, pointer, message, ...}; `kind` names the page under /problems/ that explains it.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        errors: list[dict[str, Any]] | None = None,
        kind: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        self.kind = kind or title.lower().replace(" ", "-")
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        """The members of the problem document."""
        found: dict[str, Any] = {
            "type": f"/problems/{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": request_id.get(),
        }
        if self.errors:
            found["errors"] = self.errors
        return found

    def response(self) -> JsonResponse:
        """The answer for a plain Django view."""
        return JsonResponse(self.body(), status=self.status, content_type=CONTENT_TYPE, headers=self.headers)


BUG = Problem(500, "Internal error", "This is a fault of the server; quote the request id when you report it.")


def from_exception(error: Exception) -> Problem | None:
    """The problem that an exception stands for; None for one that is our own bug."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Resolver404):
        return Problem(404, "Not found", f"There is nothing at /{error.args[0]['path']}.", kind="not-found")
    if isinstance(error, Http404):
        return Problem(404, "Not found", _what_is_missing(str(error)), kind="not-found")
    if isinstance(error, PermissionDenied):
        return Problem(403, "Not allowed", str(error) or "Sign in as a member of the staff.", kind="not-allowed")
    if isinstance(error, RequestDataTooBig):
        return Problem(413, "Too large", "The request is larger than this server accepts.", kind="too-large")
    if isinstance(error, DisallowedHost):
        return Problem(400, "Bad request", "The Host header names no host of this site.", kind="bad-request")
    if isinstance(error, SuspiciousOperation):
        return Problem(400, "Bad request", "The request is malformed.", kind="bad-request")
    if isinstance(error, (OperationalError, InterfaceError)):
        return Problem(
            503,
            "Database not available",
            "The database does not answer or took too long; try again in a few seconds.",
            kind="database-not-available",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
    if isinstance(error, exceptions.APIException):
        return _from_rest_framework(error)
    return None


def _what_is_missing(told: str) -> str:
    """Django's "No Glacier matches the given query." in words that say what to do."""
    if found := _NO_ROW.fullmatch(told):
        noun = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", found[1]).lower()
        return f"No {noun} has the identifier in this address; the list of the same name says which there are."
    return told or "There is nothing at this address."


def _from_rest_framework(error: exceptions.APIException) -> Problem:
    status = 422 if isinstance(error, exceptions.ValidationError) else error.status_code
    title = "Not valid" if status == 422 else HTTPStatus(status).phrase.capitalize()
    errors = None
    detail = str(error.detail) if not isinstance(error.detail, (dict, list)) else "See errors."
    if isinstance(error.detail, dict):
        errors = [
            {"code": "invalid", "pointer": f"/{field}", "message": " ".join(map(str, _flat(messages)))}
            for field, messages in error.detail.items()
        ]
        detail = "; ".join(f"{entry['pointer'][1:]}: {entry['message']}" for entry in errors)
    elif isinstance(error.detail, list):
        detail = " ".join(map(str, error.detail))
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait_s := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait_s))
    return Problem(status, title, detail, errors, headers=headers)


def _flat(messages: Any) -> list:
    return messages if isinstance(messages, list) else [messages]


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's hook: every 4xx and 5xx it raises becomes a problem document."""
    problem = from_exception(error)
    if problem is None:
        return None
    for connection in connections.all():
        if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
            connection.set_rollback(True)
    return Response(problem.body(), status=problem.status, content_type=CONTENT_TYPE, headers=problem.headers)


def wants_html(request: HttpRequest) -> bool:
    """Whether this is a browser asking for a page (an API path never is)."""
    machine = request.path.startswith(("/api/", "/tiles/", "/ogc/", "/stac/"))
    return not machine and "text/html" in request.headers.get("Accept", "")
