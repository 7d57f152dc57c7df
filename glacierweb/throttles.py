"""How much one reader may ask in a minute: searches, other reads of the API, tiles. The staff is not counted."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from glacierweb.login import address
from glacierweb.problems import Problem

WINDOW_S = 60
SEARCHING = {"q", "name", "filter"}
PATIENCE_S = 0.2
BLIND_S = 10
_blind_until = 0.0


@functools.cache
def _counter(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)


def scope(request: HttpRequest | Request) -> str:
    """searches, items or tiles: what an answer costs."""
    if request.path.startswith("/tiles/"):
        return "tiles"
    return "searches" if SEARCHING & set(request.GET) or request.path.endswith("/download/") else "items"


def wait_s(request: HttpRequest | Request) -> int:
    """Count a read; 0, or the seconds until this reader is answered again.

    Nobody is kept from reading because Redis is away: for ten seconds after it failed nothing is counted.
    """
    global _blind_until
    kind = scope(request)
    limit, now = settings.READS_PER_MINUTE[kind], time.time()
    if limit <= 0 or time.monotonic() < _blind_until:
        return 0
    key = f"reads:{kind}:{address(request)}:{int(now // WINDOW_S)}"
    try:
        pipe = _counter(settings.REDIS_URL).pipeline()
        pipe.incr(key)
        pipe.expire(key, 2 * WINDOW_S)
        count, _ = pipe.execute()
    except (redis.RedisError, OSError, ValueError):  # a socket that was closed meanwhile raises what sockets raise
        _blind_until = time.monotonic() + BLIND_S
        return 0
    return 0 if count <= limit else max(1, round(WINDOW_S - now % WINDOW_S))


class ReadThrottle(BaseThrottle):
    """For the API: reads of those who are not of the staff."""

    def allow_request(self, request: Request, view: object) -> bool:
        """Whether it is answered."""
        if request.method not in {"GET", "HEAD"} or request.user.is_staff:
            return True
        self.left_s = wait_s(request)
        return self.left_s == 0

    def wait(self) -> int:
        """Seconds for Retry-After."""
        return self.left_s


class TileThrottleMiddleware:
    """For tiles, which are plain views."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/tiles/") or not (wait := wait_s(request)) or request.user.is_staff:
            return self.get_response(request)
        return Problem(
            429, "Too many requests", f"More tiles than one reader gets; go on in {wait} s.",
            headers={"Retry-After": str(wait)},
        ).response()  # fmt: skip
