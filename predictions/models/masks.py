"""Masks of ice, the outlines traced from them and the areas measured on them."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.db.models import Q

from glacierweb.models import Run
from inventory.models import Glacier, Scene
from predictions.models.versions import ModelVersion


class Mask(models.Model):
    """A raster of ice probability (or of snow and ice) for one scene."""

    class Product(models.TextChoices):
        ICE = "ice"
        SNOW_ICE = "snow_ice"
        ICE_DAYS = "ice_days", "ice, scenes smoothed over days"
        ICE_PAPER = "ice_paper", "ice, scenes smoothed over 20 scenes"

    run = models.ForeignKey(Run, on_delete=models.RESTRICT, related_name="masks")
    scene = models.ForeignKey(Scene, on_delete=models.RESTRICT, related_name="masks")
    version = models.ForeignKey(ModelVersion, null=True, blank=True, on_delete=models.RESTRICT, related_name="masks")
    product = models.CharField(max_length=10, choices=Product.choices, default=Product.ICE)
    threshold = models.FloatField(default=0.5)
    raster_sha256 = models.CharField(max_length=64)
    valid_fraction = models.FloatField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.UniqueConstraint(
                fields=["scene", "version", "product", "threshold"],
                name="one_mask_per_scene_and_version",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product} mask of {self.scene_id}"

    @property
    def raster(self) -> str:
        """Path of the probability raster below DATA_ROOT: named by its content."""
        return f"masks/{self.raster_sha256}.tif"


class PredictedOutline(models.Model):
    """An outline that a network drew, cut to the glacier's domain; unmatched ice has no glacier."""

    run = models.ForeignKey(Run, on_delete=models.RESTRICT, related_name="predicted_outlines")
    mask = models.ForeignKey(Mask, on_delete=models.CASCADE, related_name="outlines")
    glacier = models.ForeignKey(
        Glacier, null=True, blank=True, on_delete=models.RESTRICT, related_name="predicted_outlines"
    )
    geometry = models.MultiPolygonField(srid=4326)
    date = models.DateField()
    date_end = models.DateField(null=True, blank=True)
    area_km2 = models.FloatField(help_text="Geodesic.")
    area_lo_km2 = models.FloatField(null=True, blank=True)
    area_hi_km2 = models.FloatField(null=True, blank=True)
    mean_confidence = models.FloatField(null=True, blank=True)
    flags = models.JSONField(default=list)
    relief = models.JSONField(null=True, blank=True, help_text="Heights (m), slope and aspect (degrees), and the DEM.")

    class Meta:
        ordering = ["date", "id"]
        indexes = [models.Index(fields=["glacier", "date"])]
        constraints = [
            models.UniqueConstraint(
                fields=["mask", "glacier"], condition=Q(glacier__isnull=False), name="one_per_mask"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.glacier_id or 'unmatched'} {self.date}"


class AreaMeasurement(models.Model):
    """The area of one glacier in one scene, with its 95 % interval."""

    run = models.ForeignKey(Run, on_delete=models.RESTRICT, related_name="areas")
    glacier = models.ForeignKey(Glacier, on_delete=models.RESTRICT, related_name="areas")
    mask = models.ForeignKey(Mask, on_delete=models.CASCADE, related_name="areas")
    date = models.DateField()
    date_end = models.DateField(null=True, blank=True)
    km2 = models.FloatField(help_text="Hard rule: pixels with probability at or above the threshold.")
    soft_km2 = models.FloatField(help_text="Sum of probabilities.")
    lo_km2 = models.FloatField(null=True, blank=True)
    hi_km2 = models.FloatField(null=True, blank=True)
    interval_method = models.CharField(max_length=60, blank=True)
    valid_fraction = models.FloatField(help_text="Share of the glacier's domain that was observed.")
    flags = models.JSONField(default=list)

    class Meta:
        ordering = ["date", "id"]
        indexes = [models.Index(fields=["glacier", "date"])]
        constraints = [
            models.UniqueConstraint(fields=["glacier", "mask"], name="one_area_per_glacier_and_mask"),
            models.CheckConstraint(condition=Q(km2__gte=0), name="measured_area_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.glacier_id} {self.date} {self.km2:.3f} km²"
