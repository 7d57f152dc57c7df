"""Outlines: one row per glacier, date and analysis."""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import date, timedelta

from django.contrib.gis.db import models
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db.models import Q

from inventory.models.glaciers import Glacier

ASSUMED_UNCERTAINTY = 0.05
"""Where the analyst gave none: about 5 % between analysts on clean ice (Paul et al. 2013, Ann. Glaciol. 54(63))."""


def uuid7() -> uuid.UUID:
    """A time-ordered UUID, version 7 (RFC 9562 section 5.7); Python 3.11 has none of its own."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | secrets.randbits(12) << 64
    return uuid.UUID(int=value | 0b10 << 62 | secrets.randbits(62))


class Source(models.Model):
    """Where outlines came from: a download, a paper, an expert, a simulated world."""

    name = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=20, default="inventory", help_text="inventory, expert label or simulated")
    licence = models.CharField(max_length=300, blank=True)
    citation = models.TextField(blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Outline(models.Model):
    """The shape of one glacier at one date by one analysis; nunataks are holes."""

    class Precision(models.TextChoices):
        DAY = "day"
        MONTH = "month"
        YEAR = "year"
        INTERVAL = "interval"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    glacier = models.ForeignKey(Glacier, on_delete=models.RESTRICT, related_name="outlines")
    geometry = models.MultiPolygonField(srid=4326)
    src_date = models.DateField(help_text="As-of date; the first day of the interval where only that is known.")
    src_date_end = models.DateField(null=True, blank=True)
    src_date_precision = models.CharField(max_length=10, choices=Precision.choices, default=Precision.DAY)
    anlys_time = models.DateTimeField(null=True, blank=True)
    release_date = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(null=True, blank=True)
    preferred = models.BooleanField(default=True, help_text="The newest analysis of its date.")
    valid = DateRangeField(
        null=True, blank=True, help_text="Preferred outlines: shown from src_date to the day before the next one."
    )
    area_km2 = models.FloatField(help_text="Geodesic, WGS 84, holes subtracted.")
    area_analyst_km2 = models.FloatField(null=True, blank=True)
    perimeter_km = models.FloatField()
    loc_unc_m = models.FloatField(null=True, blank=True, help_text="Digitising uncertainty as the analyst gave it.")
    glob_unc_m = models.FloatField(null=True, blank=True)
    source = models.ForeignKey(Source, on_delete=models.RESTRICT, related_name="outlines")
    anlys_id = models.CharField(max_length=60, blank=True)
    analyst = models.CharField(max_length=300, blank=True)
    method = models.TextField(blank=True)
    citation = models.TextField(blank=True)
    attributes = models.JSONField(default=dict, help_text="The source's own attributes, unchanged.")
    aliases = models.JSONField(default=dict)
    content_sha256 = models.CharField(max_length=64, help_text="Of geometry, date and analysis.")
    simulated = models.BooleanField(default=False)

    class Meta:
        ordering = ["src_date", "id"]
        indexes = [
            models.Index(fields=["glacier", "src_date"]),
            models.Index(fields=["anlys_id"]),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source", "content_sha256"], name="outline_once_per_source"),
            models.CheckConstraint(condition=Q(area_km2__gt=0), name="outline_area_positive"),
            models.CheckConstraint(
                condition=Q(src_date_end__isnull=True) | Q(src_date_end__gte=models.F("src_date")),
                name="outline_interval_forward",
            ),
            models.CheckConstraint(condition=Q(src_date__gte="1600-01-01"), name="outline_date_in_range"),
            ExclusionConstraint(
                name="outline_preferred_do_not_overlap",
                expressions=[("glacier", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
                condition=Q(preferred=True, superseded_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.glacier_id} {self.src_date}"

    @property
    def last_shown(self) -> date | None:
        """The last day for which this outline is shown; None for the newest, which stays."""
        return self.valid.upper - timedelta(days=1) if self.valid and self.valid.upper else None

    def area_interval(self) -> tuple[float, float, str]:
        """(low, high, method) of the area in km2, 95 %: the margin times the digitising uncertainty, else assumed.

        An analyst's `loc_unc` is taken as the half width along the whole margin.
        """
        if self.loc_unc_m:
            half, method = self.perimeter_km * self.loc_unc_m / 1e3, "perimeter times the analyst's loc_unc"
        else:
            half, method = ASSUMED_UNCERTAINTY * self.area_km2, "5 % assumed"
        return max(self.area_km2 - half, 0.0), self.area_km2 + half, method


class DrawnOutline(models.Model):
    """An outline as the tiles of one zoom draw it, in the web map's projection; kept true by a trigger.

    Zooms 0 to 13 are simplified to half a pixel, 14 is the whole shape and serves all that follow. What is smaller than
    four pixels is a square of that size.
    """

    pk = models.CompositePrimaryKey("outline_id", "zoom")
    outline = models.ForeignKey(Outline, on_delete=models.CASCADE, related_name="drawn", db_index=False)
    zoom = models.SmallIntegerField()
    shape = models.GeometryField(srid=3857, spatial_index=False)

    class Meta:
        indexes = [GistIndex(name="drawn_outline_place", fields=["zoom", "shape"])]

    def __str__(self) -> str:
        return f"{self.outline_id} at zoom {self.zoom}"
