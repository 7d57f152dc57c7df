"""Which outline of one epoch continues which of another; columns as in RGI 7's rgi6_links table."""

from __future__ import annotations

from django.db import models

from inventory.models.outlines import Outline


class Lineage(models.Model):
    """An overlap between two outlines of different dates."""

    from_outline = models.ForeignKey(Outline, on_delete=models.CASCADE, related_name="continued_by")
    to_outline = models.ForeignKey(Outline, on_delete=models.CASCADE, related_name="continues")
    overlap_area_km2 = models.FloatField()
    from_area_fraction = models.FloatField()
    to_area_fraction = models.FloatField()
    n_from = models.PositiveIntegerField()
    n_to = models.PositiveIntegerField()
    cluster_id = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["from_outline", "to_outline"], name="lineage_pair_once")]

    def __str__(self) -> str:
        return f"{self.from_outline_id} to {self.to_outline_id}"
