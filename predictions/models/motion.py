"""Displacement between two scenes."""

from __future__ import annotations

from django.db import models

from glacierweb.models import Run
from inventory.models import Scene


class FlowField(models.Model):
    """A velocity field from two scenes; `nature` keeps mask motion and surface displacement apart."""

    run = models.OneToOneField(Run, on_delete=models.RESTRICT, related_name="flow_field")
    first = models.ForeignKey(Scene, on_delete=models.RESTRICT, related_name="flows_from")
    second = models.ForeignKey(Scene, on_delete=models.RESTRICT, related_name="flows_to")
    nature = models.CharField(max_length=24, default="surface displacement")
    raster_sha256 = models.CharField(max_length=64)
    stable_nmad_m_per_year = models.FloatField(null=True, blank=True)
    flags = models.JSONField(default=list)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.first_id} to {self.second_id}"

    @property
    def raster(self) -> str:
        """Path of the field (v, vx and vy in m a year) below DATA_ROOT: named by its content."""
        return f"flows/{self.raster_sha256}.tif"
