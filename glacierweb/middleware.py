"""Request ids, problem documents for what falls through, and cross-origin reads of public data."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from glacierweb.logs import request_id
from glacierweb.problems import Problem, from_exception, wants_html

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
            missing = Problem(404, "Not found", "No address holds a NUL character.")
            return _page(request, missing) if wants_html(request) else missing.response()
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
            problem = Problem(
                500, "Internal error", "This is a fault of the server; quote the request id when you report it."
            )
        if wants_html(request):
            return _page(request, problem)
        return problem.response()


def _page(request: HttpRequest, problem: Problem) -> HttpResponse:
    name = "404.html" if problem.status == 404 else "problem.html"
    response = render(request, name, {"problem": problem, "request_id": request_id.get()}, status=problem.status)
    for header, value in problem.headers.items():
        response[header] = value
    return response


def _plain_detail(status: int, request: HttpRequest) -> str:
    if status == 404:
        return f"There is nothing at {request.path}."
    if status == 405:
        return f"{request.method} is not possible at {request.path}."
    return HTTPStatus(status).description or HTTPStatus(status).phrase
