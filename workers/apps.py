from __future__ import annotations

from django.apps import AppConfig


class WorkersConfig(AppConfig):
    """The machine room's thin management commands; its science knows no Django."""

    name = "workers"
