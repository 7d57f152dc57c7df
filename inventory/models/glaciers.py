"""Glaciers, which persist while their outlines change, and the regions that hold them."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.contrib.postgres.indexes import GinIndex


class Region(models.Model):
    """A first-order region of the Randolph Glacier Inventory (01 to 20), or the simulated one (00)."""

    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=80)
    trend_region = models.CharField(max_length=20, blank=True, help_text="One of the five regions of the area trends.")

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Glacier(models.Model):
    """One glacier for all time; its identifier is never recomputed when its shape changes."""

    class IdSource(models.TextChoices):
        GLIMS = "glims"
        DERIVED = "derived"

    glac_id = models.CharField(max_length=20, unique=True, help_text="GLIMS glacier id, e.g. G007026E45991N.")
    id_source = models.CharField(max_length=10, choices=IdSource.choices, default=IdSource.GLIMS)
    name = models.CharField(max_length=200, blank=True)
    region = models.ForeignKey(Region, null=True, blank=True, on_delete=models.PROTECT, related_name="glaciers")
    point = models.PointField(srid=4326, help_text="A point inside the first outline.")
    domain = models.MultiPolygonField(
        srid=4326, null=True, blank=True, help_text="Reference outline buffered by 150 m, less the neighbours' divides."
    )
    aliases = models.JSONField(default=dict, help_text="rgi_id, local_id, wgms_id and others, as lists of text.")
    alias_text = models.TextField(blank=True, help_text="All identifiers, lower case, for the search.")
    status = models.CharField(max_length=20, default="active")
    simulated = models.BooleanField(default=False)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["glac_id"]
        indexes = [
            models.Index(fields=["name"]),
            GinIndex(name="glacier_alias_trgm", fields=["alias_text"], opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.name or 'unnamed glacier'} ({self.glac_id})"
