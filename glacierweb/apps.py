from __future__ import annotations

from django.apps import AppConfig


class GlacierwebConfig(AppConfig):
    """The ground: the Run table, the outbox and the health pages."""

    name = "glacierweb"
    default_auto_field = "django.db.models.BigAutoField"
