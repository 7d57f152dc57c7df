"""/problems/: what each `type` of a problem document means and what to do about it (RFC 9457, section 4)."""

from __future__ import annotations

import sys
from typing import NamedTuple

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from glacierweb.logs import request_id
from glacierweb.problems import BUG, Problem, from_exception, wants_html


class Kind(NamedTuple):
    """Status codes under which it comes, and the advice."""

    status: str
    meaning: str


KINDS = {
    "bad-parameter": Kind("400", "A parameter is malformed or out of range; the detail names it and what is accepted."),
    "unknown-parameter": Kind("400", "The resource does not know this parameter; the detail lists those it knows."),
    "bad-request": Kind("400", "The request is malformed, or the host name is not one of this site."),
    "unauthorized": Kind("401", "Send a staff token (Authorization: Token ...) or sign in; check the token."),
    "forbidden": Kind("403", "The account may not do this: writing is for the staff. Forms need their CSRF token."),
    "not-allowed": Kind("403", "Sign in as a member of the staff."),
    "not-found": Kind("404", "No such thing here, or an identifier of no possible form."),
    "no-such-tile": Kind("404", "The tile's numbers lie outside the zoom level."),
    "no-such-style": Kind("404", "The scene cannot be drawn this way; its `styles` lists the ways there are."),
    "no-such-band": Kind("404", "The scene does not have the bands that this way of drawing needs."),
    "nothing-predicted": Kind("404", "The run was asked without a version that predicts, or has not ended."),
    "no-raster": Kind("404", "The scene has no raster here (yet)."),
    "method-not-allowed": Kind("405", "The resource cannot do this; the header Allow says what it can."),
    "not-acceptable": Kind("406", "There is no answer in any of the media types that Accept asks for."),
    "already-going": Kind("409", "The same run is queued or running already; Location says which."),
    "already-ended": Kind("409", "The run has ended: there is nothing to cancel."),
    "not-promoted": Kind("409", "Its held-out figures are worse than the active one's; send `force` and a `reason`."),
    "not-rolled-back": Kind("409", "Only the active version can be rolled back, to one that was active before."),
    "gone": Kind("410", "The raster is no longer on the disk; ask for its run again."),
    "length-required": Kind("411", "Send the length of the body; bodies in chunks are not read."),
    "too-large": Kind("413", "The request is larger than this server accepts."),
    "uri-too-long": Kind("414", "The address is longer than this server reads."),
    "unsupported-media-type": Kind("415", "Send JSON, or a form."),
    "range-not-satisfiable": Kind("416", "The byte range begins behind the end of the file."),
    "not-valid": Kind("422", "Understood but wrong; `errors` points at each value and says what is expected."),
    "too-many-requests": Kind("429", "More than this site answers to one reader; Retry-After says when it goes on."),
    "too-many-trainings": Kind("429", "One person's trainings of a day are used up; Retry-After says when it goes on."),
    "too-many-tries": Kind("429", "Too many sign-in tries; Retry-After says when the next one is looked at."),
    "request-header-fields-too-large": Kind("431", "The headers are larger than this server reads."),
    "internal-error": Kind("500", "A fault of the server; quote the request id when you report it."),
    "database-not-available": Kind("503", "The database does not answer or took too long; try again in a few seconds."),
    "signing-in-is-closed": Kind("503", "Sign-in tries cannot be counted: Redis does not answer. Reading goes on."),
    "not-ready": Kind("503", "A part of the site does not work; `failing` names it."),
}


@require_safe
def one(request: HttpRequest, kind: str) -> HttpResponse:
    """What one kind of problem means."""
    if kind not in KINDS:
        raise Http404("No kind of problem has this name; /problems/ lists them.")
    return _answer(request, {kind: KINDS[kind]})


@require_safe
def every(request: HttpRequest) -> HttpResponse:
    """All kinds of problems."""
    return _answer(request, KINDS)


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler of refusals outside of any view (400, 403, 404)."""
    return page(request, from_exception(exception) or Problem(400, "Bad request", "The request is malformed."))


def broken(request: HttpRequest) -> HttpResponse:
    """Django's handler of faults outside of any view; the database may be what is away."""
    error = sys.exception()
    return page(request, (from_exception(error) if isinstance(error, Exception) else None) or BUG)


def page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """A problem as a page for a browser, as a document for everybody else."""
    if not wants_html(request):
        return problem.response()
    name = "404.html" if problem.status == 404 else "problem.html"
    told = {"problem": problem, "request_id": request_id.get()}
    try:
        response = render(request, name, told, status=problem.status)
    except DatabaseError:  # the page wants to know who is signed in, and nobody can say
        return problem.response()
    for header, value in problem.headers.items():
        response[header] = value
    return response


def _answer(request: HttpRequest, kinds: dict[str, Kind]) -> HttpResponse:
    if wants_html(request):
        return render(request, "problem_kinds.html", {"kinds": kinds, "single": len(kinds) == 1})
    return JsonResponse({f"/problems/{name}": kind._asdict() for name, kind in kinds.items()})
