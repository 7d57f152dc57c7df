"""Every piece of work is a row. The verbs that write `Run.state` are in runs.py, and nowhere else."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Run(models.Model):
    """One piece of work for the workers: asked for, claimed under a lease, finished once."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    kind = models.CharField(max_length=40)
    queue = models.CharField(max_length=10, help_text="io, gpu or train")
    params = models.JSONField(default=dict, help_text="Complete and checked: defaults were filled in at the door.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    progress = models.FloatField(default=0.0, help_text="0 to 1")
    step = models.CharField(max_length=300, blank=True, help_text="What it does now, in words.")
    curves = models.JSONField(default=list, help_text="Losses by epoch while a network trains.")
    log = models.JSONField(default=list, help_text="The last lines of the log.")
    warnings = models.JSONField(default=list)
    result = models.JSONField(default=dict, help_text="Ids of the rows that this run wrote.")
    error = models.TextField(blank=True, help_text="What failed, where, and what to do.")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="runs"
    )
    requested = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True, blank=True, help_text="First claim.")
    finished = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    checkpoint = models.CharField(max_length=200, blank=True, help_text="Path under DATA_ROOT.")

    class Meta:
        ordering = ["-requested", "-id"]
        indexes = [
            models.Index(fields=["state", "lease_until"]),
            models.Index(fields=["kind", "-requested"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "done", "failed", "cancelled"]), name="run_state_known"
            ),
            models.CheckConstraint(condition=Q(progress__gte=0) & Q(progress__lte=1), name="run_progress_in_range"),
            models.CheckConstraint(condition=Q(queue__in=["io", "gpu", "train"]), name="run_queue_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} run {self.pk}"

    @property
    def duration_s(self) -> float | None:
        """Seconds between the first claim and the end; None while it has not ended."""
        if self.started is None or self.finished is None:
            return None
        return (self.finished - self.started).total_seconds()


class Outbox(models.Model):
    """A message to the broker that is written with its run and deleted once the broker has it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="messages")
    created = models.DateTimeField(auto_now_add=True)
    tries = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "outbox"

    def __str__(self) -> str:
        return f"message for run {self.run_id}"
