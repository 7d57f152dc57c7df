"""Signing in, slowly for those who guess: five tries a minute for one name from one address."""

from __future__ import annotations

import hashlib
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth import views
from django.http import HttpRequest, HttpResponse

from glacierweb import broker
from glacierweb.problems import Problem

WINDOW_S = 60
NAMES_AN_ADDRESS = 4
"""An address may miss this many times as often as a name from it: an institute behind one address has many people."""


def address(request: HttpRequest) -> str:
    """Who asks: the peer, or what the configured proxy in front says of it (the last entry is the proxy's own)."""
    if settings.BEHIND_PROXY and (told := request.headers.get("X-Forwarded-For", "")):
        return told.rpartition(",")[2].strip()
    return request.META.get("REMOTE_ADDR", "")


def _keys(request: HttpRequest) -> dict[str, int]:
    """The counters of this try with their limits; names are hashed, so that Redis never holds what was typed."""
    name = request.POST.get("username", "").strip().lower()
    both = hashlib.sha256(f"{address(request)}\0{name}".encode()).hexdigest()[:32]
    limit = settings.LOGIN_TRIES_PER_MINUTE
    return {f"login:{both}": limit, f"login:{address(request)}": limit * NAMES_AN_ADDRESS}


def _count(request: HttpRequest) -> None:
    """Count one try; Problem 429 beyond the limit, 503 where nobody can count (closed, not open)."""
    try:
        with broker.connection() as client:
            for key, limit in _keys(request).items():
                # A key that expires between the two is made anew by INCR and must not stay for ever.
                client.set(key, 0, ex=WINDOW_S, nx=True)
                if client.incr(key) > limit:
                    _refuse(max(1, client.ttl(key)))
    except redis.RedisError:
        raise Problem(
            503,
            "Signing in is closed",
            "The counter of sign-in tries (Redis) does not answer; try again when it is back. Reading goes on.",
            headers={"Retry-After": "30"},
        ) from None


def _refuse(wait_s: int) -> None:
    raise Problem(
        429,
        "Too many tries",
        f"Too many sign-in tries from this address; try again in {wait_s} s.",
        headers={"Retry-After": str(wait_s)},
    )


def _forget(request: HttpRequest) -> None:
    try:
        with broker.connection() as client:
            client.delete(next(iter(_keys(request))))
    except redis.RedisError:
        return


class Login(views.LoginView):
    """The sign-in page of staff. A right password clears the count of its name."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Count, then look at the password."""
        _count(request)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        """Signed in."""
        _forget(self.request)
        return super().form_valid(form)
