"""Trained versions of networks. `ModelVersion.state` is written in predictions/versions.py only."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from glacierweb.models import Run


class ModelVersion(models.Model):
    """A trained network: architecture, weights, data it learned from, and how well it does."""

    class Task(models.TextChoices):
        SEGMENT = "segment"
        FORECAST = "forecast"
        SAR = "sar"
        VIDEO = "video"

    class State(models.TextChoices):
        CANDIDATE = "candidate"
        ACTIVE = "active"
        RETIRED = "retired"

    task = models.CharField(max_length=10, choices=Task.choices)
    architecture = models.CharField(max_length=40)
    preset = models.CharField(max_length=10, default="small")
    scope = models.CharField(
        max_length=80,
        default="general",
        help_text="Where it is meant to be used; one active version per task and scope.",
    )
    trained_by = models.ForeignKey(Run, on_delete=models.RESTRICT, related_name="versions")
    metrics = models.JSONField(default=dict, help_text="Overall, per group, and what intervals are made of.")
    bands = models.JSONField(default=list)
    parameters = models.BigIntegerField(null=True, blank=True, help_text="Trainable; none for a forest.")
    weights_sha256 = models.CharField(max_length=64)
    data_snapshot = models.JSONField(default=dict, help_text="What it learned from: keys, counts, manifest hash.")
    simulated = models.BooleanField(default=False, help_text="Learned from simulated scenes.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.CANDIDATE)
    created = models.DateTimeField(auto_now_add=True)
    promoted = models.DateTimeField(null=True, blank=True)
    previous = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.RESTRICT,
        related_name="successors",
        help_text="The version that was active before; rolling back returns to it.",
    )
    note = models.TextField(blank=True, help_text="Who promoted it, and why where the gate had refused.")

    class Meta:
        ordering = ["-created"]
        constraints = [
            models.UniqueConstraint(
                fields=["task", "scope"], condition=Q(state="active"), name="one_active_version_per_task"
            ),
            models.UniqueConstraint(fields=["trained_by"], name="one_version_per_training"),
            models.CheckConstraint(
                condition=Q(state__in=["candidate", "active", "retired"]), name="version_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.architecture} ({self.preset}) {self.pk}"

    @property
    def weights(self) -> str:
        """Path of the weights below DATA_ROOT: named by their content."""
        return f"weights/{self.weights_sha256}.safetensors"
