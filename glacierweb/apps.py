from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class GlacierwebConfig(AppConfig):
    """The ground: the Run table, the outbox and the health pages."""

    name = "glacierweb"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """New tables become readable for the role of public reads in the step that makes them."""
        from glacierweb.reading_role import after_migration

        post_migrate.connect(after_migration, sender=self)
