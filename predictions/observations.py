"""One observed area of a glacier, whoever observed it, with the interval and the flags that belong to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date as Day
from typing import Any

from django.db.models import Prefetch

from inventory.models import Glacier, Outline, Scene
from predictions import trends
from predictions.models import AreaMeasurement, Mask, ModelVersion, PredictedOutline

ASSUMED_SHARE = 0.05
ASSUMED = "± 5 % assumed"
BY_PERIMETER = "perimeter × digitising uncertainty"
LEAST_COVERAGE = 0.95
SERIES_THRESHOLD = 0.5
"""Masks of other thresholds are looked at one by one; a series of areas never mixes them."""
EXPERT = "expert label"


@dataclass(frozen=True)
class Observation:
    """An area at a date, or over an interval where only that is known."""

    date: Day
    date_end: Day | None
    km2: float
    lo: float | None
    hi: float | None
    interval_method: str
    soft_km2: float | None = None
    flags: tuple[str, ...] = ()
    outlier: bool = False
    sensor: str = ""
    scene: Scene | None = field(default=None, compare=False)
    outline: str | None = None
    valid_fraction: float | None = None
    year_only: bool = False
    simulated: bool = False

    @property
    def decimal_year(self) -> float:
        """The middle of the interval."""
        return trends.middle_year(self.date, self.date_end)

    @property
    def usable(self) -> bool:
        """Whether it may enter a fit: fully seen, and no outlier. (Zero areas are left out by the fit itself.)"""
        return not self.outlier and "partial_coverage" not in self.flags

    def as_json(self) -> dict[str, Any]:
        """The shape of the API."""
        return {
            "date": self.date.isoformat(),
            "date_end": self.date_end.isoformat() if self.date_end else None,
            "decimal_year": round(self.decimal_year, 6),
            "km2": self.km2,
            "lo": self.lo,
            "hi": self.hi,
            "soft_km2": self.soft_km2,
            "interval_method": self.interval_method,
            "flags": list(self.flags),
            "outlier": self.outlier,
            "sensor": self.sensor,
            "scene": {"id": self.scene.pk, "key": self.scene.key} if self.scene else None,
            "outline": self.outline,
            "valid_fraction": self.valid_fraction,
        }


def of_outlines(glacier: Glacier) -> dict[str, list[Observation]]:
    """The preferred outline of each date, the experts' labels apart from the inventory: {series name: observations}."""
    rows = (
        glacier.outlines.filter(preferred=True, superseded_at__isnull=True).select_related("source").defer("geometry")
    )
    found: dict[str, list[Observation]] = {}
    for row in rows.order_by("src_date", "pk"):
        name = EXPERT if row.source.kind == EXPERT else "outlines"
        found.setdefault(name, []).append(_from_outline(row))
    return found


def of_masks(glacier: Glacier, version: ModelVersion | None, product: str) -> list[Observation]:
    """Areas measured in scenes that the profile of area series accepts, oldest first, outliers marked."""
    rows = (
        AreaMeasurement.objects.filter(
            glacier=glacier, mask__version=version, mask__product=product, mask__threshold=SERIES_THRESHOLD
        )
        .select_related("mask__scene", "run")
        .defer("mask__scene__footprint", "mask__scene__item")
        .prefetch_related(_outlines_of(glacier))
        .order_by("date", "pk")
    )
    return mark_snow(mark_outliers([_from_measurement(row) for row in rows if accepted(row.mask.scene)]))


def accepted(scene: Scene) -> bool:
    """Whether the scene's profile lets it into an area series: `area`, or `outline` where only the year is known."""
    return not scene.refusals.get("outline" if scene.date_precision == "year" else "area")


def mark_outliers(observations: Iterable[Observation]) -> list[Observation]:
    """The same with outliers marked; those that may not enter a fit anyway do not take part."""
    found = list(observations)
    usable = [at for at, one in enumerate(found) if one.usable]
    wild = trends.outliers([found[at].decimal_year for at in usable], [found[at].km2 for at in usable])
    for at, flagged in zip(usable, wild, strict=True):
        if flagged:
            found[at] = replace(found[at], outlier=True)
    return found


def mark_snow(observations: Iterable[Observation]) -> list[Observation]:
    """The same, with the flag of areas so much larger than their neighbours in time that snow is suspected."""
    found = list(observations)
    whole = [at for at, one in enumerate(found) if "partial_coverage" not in one.flags]
    suspects = trends.snow_suspects([found[at].decimal_year for at in whole], [found[at].km2 for at in whole])
    for at, suspect in zip(whole, suspects, strict=True):
        if suspect:
            found[at] = replace(found[at], flags=(*found[at].flags, "snow_suspect"))
    return found


def _outlines_of(glacier: Glacier) -> Prefetch:
    rows = PredictedOutline.objects.filter(glacier=glacier).only("pk", "mask_id")
    return Prefetch("mask__outlines", queryset=rows, to_attr="of_this_glacier")


def _from_outline(row: Outline) -> Observation:
    if row.loc_unc_m:
        half, method = row.perimeter_km * row.loc_unc_m / 1000, BY_PERIMETER
    else:
        half, method = ASSUMED_SHARE * row.area_km2, ASSUMED
    return Observation(
        date=row.src_date,
        date_end=row.src_date_end,
        km2=row.area_km2,
        lo=max(0.0, row.area_km2 - half),
        hi=row.area_km2 + half,
        interval_method=method,
        outline=str(row.pk),
        year_only=row.src_date_precision == Outline.Precision.YEAR,
        simulated=row.simulated,
    )


def _from_measurement(row: AreaMeasurement) -> Observation:
    mask: Mask = row.mask
    flags = list(row.flags)
    if row.valid_fraction < LEAST_COVERAGE and "partial_coverage" not in flags:
        flags.append("partial_coverage")
    if row.km2 == 0 and "zero_area" not in flags:
        flags.append("zero_area")
    if "slc_off" in flags and row.valid_fraction < 1:
        flags.append("slc_gap")
    drawn = getattr(mask, "of_this_glacier", [])
    return Observation(
        date=row.date,
        date_end=row.date_end,
        km2=row.km2,
        lo=row.lo_km2,
        hi=row.hi_km2,
        interval_method=row.interval_method,
        soft_km2=row.soft_km2,
        flags=tuple(flags),
        sensor=mask.scene.sensor,
        scene=mask.scene,
        outline=str(drawn[0].pk) if drawn else None,
        valid_fraction=row.valid_fraction,
        year_only=mask.scene.date_precision == "year",
        simulated=mask.scene.simulated,
    )
