"""Scenes: one acquisition each. `Scene.state` is written in inventory/scenes.py only."""

from __future__ import annotations

from datetime import datetime

from django.contrib.gis.db import models
from django.db.models import Q


class SceneQuerySet(models.QuerySet):
    """Questions about scenes; they compose."""

    def stored(self) -> SceneQuerySet:
        """With a raster on disk."""
        return self.filter(state=Scene.State.STORED)

    def usable(self, profile: str) -> SceneQuerySet:
        """Stored images that the filter profile accepted when it judged them."""
        accepted: dict[str, list] = {f"refusals__{profile}": []}
        return self.stored().filter(kind__in=["reflectance", "ndsi"], **accepted)

    def over(self, geometry: object) -> SceneQuerySet:
        """Whose footprint meets the geometry (GEOS, lon/lat)."""
        return self.filter(footprint__intersects=geometry)

    def between(self, start: datetime | None, end: datetime | None) -> SceneQuerySet:
        """Whose moment or interval meets the span given, both ends inclusive; None leaves that end open."""
        found = self
        if start is not None:
            found = found.filter(Q(acquired__gte=start) | Q(acquired_end__gte=start))
        return found.filter(acquired__lte=end) if end is not None else found


class Scene(models.Model):
    """One acquisition of one sensor; its raster's path is derived from its key, never stored."""

    class State(models.TextChoices):
        FOUND = "found"
        FETCHING = "fetching"
        STORED = "stored"
        FAILED = "failed"

    KINDS = ("reflectance", "ndsi", "label", "dem", "sar")

    key = models.CharField(max_length=160, unique=True, help_text="Catalogue id.")
    kind = models.CharField(max_length=12, default="reflectance", help_text="reflectance, ndsi, label, dem or sar")
    collection = models.CharField(max_length=80)
    sensor = models.CharField(max_length=80, blank=True)
    acquired = models.DateTimeField(help_text="UTC; the start of the interval where only that is known.")
    acquired_end = models.DateTimeField(null=True, blank=True)
    date_precision = models.CharField(max_length=10, default="day", help_text="day, quarter or year")
    footprint = models.MultiPolygonField(srid=4326)
    cloud_percent = models.FloatField(null=True, blank=True)
    missing_fraction = models.FloatField(null=True, blank=True)
    facts = models.JSONField(default=dict, help_text="Measured over the window after reading.")
    refusals = models.JSONField(default=dict, help_text="Profile name to the rules that refused it, with values.")
    item = models.JSONField(default=dict, help_text="The catalogue's record: assets, scaling, properties.")
    grid = models.JSONField(default=dict, help_text="Work grid of the stored raster.")
    bands = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=State.choices, default=State.FOUND)
    reason = models.TextField(blank=True, help_text="Why it failed.")
    simulated = models.BooleanField(default=False)
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = SceneQuerySet.as_manager()

    class Meta:
        ordering = ["acquired", "key"]
        indexes = [models.Index(fields=["state", "acquired"]), models.Index(fields=["kind", "acquired"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["found", "fetching", "stored", "failed"]), name="scene_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def raster(self) -> str:
        """Path of the prepared raster below DATA_ROOT."""
        return f"scenes/{self.key}.tif"

    @property
    def middle(self) -> datetime:
        """The moment of the acquisition, or the middle of the interval where only that is known."""
        return self.acquired + ((self.acquired_end or self.acquired) - self.acquired) / 2

    @property
    def styles(self) -> list[str]:
        """The ways in which its tiles can be drawn; none before its raster is stored."""
        if self.state != self.State.STORED:
            return []
        if self.kind in {"ndsi", "dem", "label"}:
            return {"ndsi": ["ndsi"], "dem": ["hillshade"], "label": ["label"]}[self.kind]
        have = set(self.bands)
        if self.kind == "sar":
            drawn = {"backscatter": "co_pol", "cross-backscatter": "cross_pol", "coherence": "coherence"}
            return [style for style, band in drawn.items() if band in have]
        wanted = {"true-colour": {"red", "green", "blue"}, "ndsi": {"green", "swir1"}}
        return [style for style, bands in wanted.items() if bands <= have]
