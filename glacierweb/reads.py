"""Public reads reach the database as a role that can do nothing but SELECT what is public, and not for long.

The role's address is DATABASE_READ_URL (see `reading_role`); without it everything goes through DATABASE_URL.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.db import connections, models, transaction
from django.http import HttpRequest, HttpResponseBase

READS = "reads"
PUBLIC_APPS = {"glacierweb", "inventory", "predictions"}
PRIVATE = ("/admin/", "/accounts/", "/metrics")
FILE_TIMEOUT_S = 900
_reading: ContextVar[bool] = ContextVar("reading", default=False)


class PublicReads:
    """Django's database router: public tables through the reading role while a public read is answered."""

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str:
        """`reads` or `default`; accounts and sessions are never public."""
        return alias() if model._meta.app_label in PUBLIC_APPS else "default"

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str:
        """What writes has the owner's rights."""
        return "default"

    def allow_relation(self, first: models.Model, second: models.Model, **hints: Any) -> bool:
        """Both names lead to one database."""
        return True

    def allow_migrate(self, database: str, app_label: str, **hints: Any) -> bool:
        """The reading role creates nothing."""
        return database == "default"


def alias() -> str:
    """The name of the connection for what is read now."""
    return READS if _reading.get() and READS in settings.DATABASES else "default"


class PublicReadMiddleware:
    """GET and HEAD of public addresses are public reads, whoever asks; all the rest keeps the owner's rights."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _reading.set(request.method in {"GET", "HEAD"} and not request.path.startswith(PRIVATE))
        try:
            return self.get_response(request)
        finally:
            _reading.reset(token)


@contextlib.contextmanager
def unhurried(using: str) -> Iterator[None]:
    """A transaction for writing a file: it may take minutes, where a page may take seconds."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{FILE_TIMEOUT_S}s"])
        yield
