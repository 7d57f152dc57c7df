"""Forecasts of snow and ice (NDSI), their frames and their hindcast skill."""

from __future__ import annotations

from django.contrib.gis.db import models

from glacierweb.models import Run
from inventory.models import AreaOfInterest
from predictions.models.versions import ModelVersion


class Forecast(models.Model):
    """One forecast for one area of interest, issued after its last observed frame."""

    class Nature(models.TextChoices):
        FORECAST = "forecast"
        SPATIAL_TRANSFER = "spatial transfer"

    run = models.OneToOneField(Run, on_delete=models.RESTRICT, related_name="forecast")
    aoi = models.ForeignKey(AreaOfInterest, on_delete=models.RESTRICT, related_name="forecasts")
    version = models.ForeignKey(ModelVersion, on_delete=models.RESTRICT, related_name="forecasts")
    nature = models.CharField(max_length=20, choices=Nature.choices, default=Nature.FORECAST)
    issued = models.DateField(help_text="The day after the last observed frame.")
    step_months = models.PositiveSmallIntegerField(default=3)
    useful = models.BooleanField(
        default=False, help_text="Beats seasonal persistence and climatology, lower end of the skill interval above 0."
    )
    sentence = models.TextField(blank=True, help_text="The skill in plain words.")
    notes = models.JSONField(default=list, help_text="What the data cannot support.")
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-issued", "-created"]

    def __str__(self) -> str:
        return f"{self.nature} for {self.aoi_id} issued {self.issued}"


class Frame(models.Model):
    """One date of a forecast, or an observed frame that it started from."""

    forecast = models.ForeignKey(Forecast, on_delete=models.CASCADE, related_name="frames")
    start = models.DateField(help_text="First day of the quarter (or half-year).")
    end = models.DateField()
    lead = models.PositiveSmallIntegerField(help_text="1 for the first forecast frame; 0 for observed ones.")
    member = models.PositiveSmallIntegerField(default=0)
    observed = models.BooleanField(default=False)
    raster_sha256 = models.CharField(max_length=64)
    snow_ice_km2 = models.FloatField()
    lo_km2 = models.FloatField(null=True, blank=True)
    hi_km2 = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["start", "member"]
        constraints = [
            models.UniqueConstraint(fields=["forecast", "start", "member"], name="one_frame_per_date_and_member"),
        ]

    def __str__(self) -> str:
        return f"{self.forecast_id} {self.start}"

    @property
    def raster(self) -> str:
        """Path of the NDSI raster below DATA_ROOT: named by its content."""
        return f"frames/{self.raster_sha256}.tif"


class SkillScore(models.Model):
    """The hindcast of a forecast's version against one baseline, for one lead or pooled (lead 0)."""

    forecast = models.ForeignKey(Forecast, on_delete=models.CASCADE, related_name="skill")
    baseline = models.CharField(max_length=40)
    lead = models.PositiveSmallIntegerField(default=0, help_text="0 = all leads pooled")
    mse = models.FloatField()
    mse_baseline = models.FloatField()
    skill = models.FloatField(null=True, blank=True, help_text="1 - MSE / MSE of the baseline")
    lo = models.FloatField(null=True, blank=True, help_text="2.5 % of the block bootstrap")
    hi = models.FloatField(null=True, blank=True)
    mae = models.FloatField(null=True, blank=True)
    iou = models.FloatField(null=True, blank=True)
    n_frames = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["lead", "baseline"]
        constraints = [
            models.UniqueConstraint(fields=["forecast", "baseline", "lead"], name="one_score_per_baseline_and_lead"),
        ]

    def __str__(self) -> str:
        return f"{self.baseline} lead {self.lead}: {self.skill}"
