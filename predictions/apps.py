from __future__ import annotations

from django.apps import AppConfig


class PredictionsConfig(AppConfig):
    """What the networks say: versions, masks, areas, forecasts."""

    name = "predictions"
    default_auto_field = "django.db.models.BigAutoField"
