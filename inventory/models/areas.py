"""Areas of interest: a polygon and its frozen work grid. Forecasts and cubes belong to one."""

from __future__ import annotations

from django.contrib.gis.db import models

from inventory.models.glaciers import Glacier


class AreaOfInterest(models.Model):
    """A named polygon with the grid on which everything inside it is computed."""

    name = models.CharField(max_length=200, unique=True)
    polygon = models.MultiPolygonField(srid=4326)
    grid = models.JSONField(help_text="crs, transform, width, height; frozen at creation.")
    glacier = models.ForeignKey(Glacier, null=True, blank=True, on_delete=models.RESTRICT, related_name="aois")
    simulated = models.BooleanField(default=False)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "areas of interest"

    def __str__(self) -> str:
        return self.name
