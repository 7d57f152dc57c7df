from __future__ import annotations

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """What is known about the world: glaciers, outlines, scenes."""

    name = "inventory"
    default_auto_field = "django.db.models.BigAutoField"
