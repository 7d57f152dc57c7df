"""Request ids, problem documents for what falls through, and cross-origin reads of public data."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase

from glacierweb.logs import request_id
from glacierweb.problem_pages import page
from glacierweb.problems import BUG, Problem, from_exception, wants_html

log = logging.getLogger(__name__)
Handler = Callable[[HttpRequest], HttpResponseBase]
_ID = re.compile(r"^[\w.-]{1,64}$")
_PUBLIC = ("/api/", "/tiles/", "/ogc/", "/stac/")


class RequestIdMiddleware:
    """Give every request an id that stands in its answer, its problem document and its log lines."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        token = request_id.set(given if _ID.match(given) else uuid.uuid4().hex)
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id.get()
            response.headers.setdefault(
                "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
            )
            return response
        finally:
            request_id.reset(token)


class PublicCorsMiddleware:
    """Let pages of other origins read public data; never with credentials, never to write."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path.startswith(_PUBLIC) and request.method in {"GET", "HEAD", "OPTIONS"}:
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Expose-Headers"] = "Content-Crs, ETag, Link, X-Request-ID"
        return response


class ProblemMiddleware:
    """Turn whatever a view lets fall into a problem document, or into a page where a browser asked for one."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path:  # PostgreSQL cannot even be asked for such a name
            return page(request, Problem(404, "Not found", "No address holds a NUL character."))
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():  # Django would see an empty body
            return page(request, Problem(411, "Length required", "Send the body with its length, not in chunks."))
        response = self.get_response(request)
        plain = not response.get("Content-Type", "").startswith(("application/", "image/"))
        if response.status_code >= 400 and plain and not wants_html(request):
            status = response.status_code
            problem = Problem(status, HTTPStatus(status).phrase.capitalize(), _plain_detail(status, request))
            answer = problem.response()
            if response.has_header("Allow"):
                answer["Allow"] = response["Allow"]
            return answer
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        """Known refusals become problems; our own bugs are logged and say only that they happened."""
        problem = from_exception(error)
        if problem is None:
            log.exception("%s %s failed", request.method, request.path)
            problem = BUG
        return page(request, problem)


def _plain_detail(status: int, request: HttpRequest) -> str:
    if status == 404:
        return f"There is nothing at {request.path}."
    if status == 405:
        return f"{request.method} is not possible at {request.path}."
    return HTTPStatus(status).description or HTTPStatus(status).phrase
