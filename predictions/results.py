"""Write down what a run found: raster and rows in one step, and the same twice without a second copy.

The raster is complete before its name appears (its name is its content), then one transaction that checks that the
run is still ours writes the rows. A run that is delivered twice finds its rows and returns them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon

from glacierweb import paths, runs
from glacierweb.models import Run
from inventory.models import AreaOfInterest, Glacier, Scene
from predictions.models import (
    AreaMeasurement,
    FlowField,
    Forecast,
    Frame,
    Mask,
    ModelVersion,
    PredictedOutline,
    SkillScore,
)


class FoundOutline(NamedTuple):
    """Ice of one glacier in one scene; ice outside every domain has no glacier."""

    glac_id: str | None
    geometry: Any
    """Shapely or GEOS, (Multi)Polygon in lon/lat, nunataks as holes."""
    area_km2: float
    lo_km2: float | None = None
    hi_km2: float | None = None
    mean_confidence: float | None = None
    flags: Sequence[str] = ()
    relief: dict[str, Any] | None = None
    """Heights, slope and aspect of its ground, with the name of the elevation model."""


class MeasuredArea(NamedTuple):
    """The area of one glacier in one scene."""

    glac_id: str
    km2: float
    soft_km2: float
    lo_km2: float | None = None
    hi_km2: float | None = None
    interval_method: str = ""
    valid_fraction: float = 1.0
    flags: Sequence[str] = ()


class FoundFrame(NamedTuple):
    """One frame of a forecast; its raster is still a scratch file."""

    start: date
    end: date
    lead: int
    observed: bool
    raster: Path
    snow_ice_km2: float
    lo_km2: float | None = None
    hi_km2: float | None = None
    member: int = 0


class Score(NamedTuple):
    """Hindcast against one baseline; lead 0 pools all leads."""

    baseline: str
    lead: int
    mse: float
    mse_baseline: float
    skill: float | None = None
    lo: float | None = None
    hi: float | None = None
    mae: float | None = None
    iou: float | None = None
    n_frames: int = 0


def save_mask(
    run: Run,
    scene: Scene,
    version: ModelVersion | None,
    product: str,
    raster: Path,
    threshold: float,
    outlines: Iterable[Sequence[Any]],
    areas: Iterable[Sequence[Any]],
    valid_fraction: float,
) -> Mask:
    """Keep a probability raster (a finished scratch file), the outlines traced from it and the areas measured on it.

    `outlines` are FoundOutline, `areas` MeasuredArea, or tuples in their order. One mask exists a scene, version,
    product and threshold: a second delivery returns it, and adds only glaciers that it had not measured. Raises
    LeaseLost or Cancelled when the run is no longer ours, ValueError for an outline that is no valid polygon.
    """
    found = [FoundOutline(*one) for one in outlines]
    measured = [MeasuredArea(*one) for one in areas]
    shapes = [multipolygon(one.geometry) for one in found]
    key = {"scene": scene, "version": version, "product": product, "threshold": threshold}
    digest = "" if Mask.objects.filter(**key).exists() else paths.adopt(raster, "masks", ".tif")
    with runs.fenced(run):
        values = {"run": run, "raster_sha256": digest, "valid_fraction": valid_fraction}
        mask, fresh = Mask.objects.get_or_create(**key, defaults=values)
        glaciers = _glaciers([*(one.glac_id for one in found), *(one.glac_id for one in measured)])
        PredictedOutline.objects.bulk_create(
            (_outline(run, mask, glaciers, one, shape) for one, shape in zip(found, shapes, strict=True)
             if fresh or one.glac_id is not None),
            ignore_conflicts=True,
        )  # fmt: skip
        AreaMeasurement.objects.bulk_create(
            (_area(run, mask, glaciers, one) for one in measured), ignore_conflicts=True
        )
    raster.unlink(missing_ok=True)
    return mask


def save_forecast(
    run: Run,
    aoi: AreaOfInterest,
    version: ModelVersion,
    nature: str,
    issued: date,
    frames: Iterable[Sequence[Any]],
    skill: Iterable[Sequence[Any]],
    useful: bool,
    sentence: str,
    notes: Sequence[str] = (),
    step_months: int = 3,
) -> Forecast:
    """Keep a forecast with its frames (FoundFrame) and its hindcast skill (Score); once a run."""
    pictured = [FoundFrame(*frame) for frame in frames]
    if (existing := Forecast.objects.filter(run=run).first()) is None:
        digests = [paths.adopt(frame.raster, "frames", ".tif") for frame in pictured]
        with runs.fenced(run):
            existing, fresh = Forecast.objects.get_or_create(
                run=run,
                defaults={
                    "aoi": aoi,
                    "version": version,
                    "nature": nature,
                    "issued": issued,
                    "useful": useful,
                    "sentence": sentence,
                    "notes": list(notes),
                    "step_months": step_months,
                },
            )
            if fresh:
                _add_frames(existing, pictured, digests)
                SkillScore.objects.bulk_create(
                    SkillScore(forecast=existing, **Score(*score)._asdict()) for score in skill
                )
    for frame in pictured:
        frame.raster.unlink(missing_ok=True)
    return existing


def save_flow(
    run: Run,
    first: Scene,
    second: Scene,
    nature: str,
    raster: Path,
    stable_nmad_m_per_year: float | None,
    flags: Sequence[str] = (),
) -> FlowField:
    """Keep a displacement field between two scenes; once a run."""
    if (existing := FlowField.objects.filter(run=run).first()) is None:
        digest = paths.adopt(raster, "flows", ".tif")
        with runs.fenced(run):
            existing, _ = FlowField.objects.get_or_create(
                run=run,
                defaults={
                    "first": first,
                    "second": second,
                    "nature": nature,
                    "raster_sha256": digest,
                    "stable_nmad_m_per_year": stable_nmad_m_per_year,
                    "flags": list(flags),
                },
            )
    raster.unlink(missing_ok=True)
    return existing


def multipolygon(geometry: Any) -> MultiPolygon:
    """A Shapely or GEOS (Multi)Polygon as the database keeps it. Raises ValueError for anything else."""
    shape = geometry if isinstance(geometry, GEOSGeometry) else GEOSGeometry(memoryview(geometry.wkb), srid=4326)
    found = MultiPolygon(shape, srid=4326) if isinstance(shape, Polygon) else shape
    if not isinstance(found, MultiPolygon) or found.empty or not found.valid:
        raise ValueError(f"an outline must be a valid polygon, got {shape.geom_type}: {shape.valid_reason}")
    return found


def _glaciers(glac_ids: Iterable[str | None]) -> dict[str | None, Glacier | None]:
    wanted = {glac_id for glac_id in glac_ids if glac_id is not None}
    found: dict[str | None, Glacier | None] = {
        glacier.glac_id: glacier for glacier in Glacier.objects.filter(glac_id__in=wanted)
    }
    if missing := wanted - set(found):
        raise ValueError(f"there is no glacier {', '.join(sorted(missing))}: import its outline first")
    return {**found, None: None}


def _span(scene: Scene) -> dict[str, date | None]:
    """The scene's date, or both ends of the interval where only that is known."""
    return {"date": scene.acquired.date(), "date_end": scene.acquired_end.date() if scene.acquired_end else None}


def _outline(run: Run, mask: Mask, glaciers: dict, one: FoundOutline, shape: MultiPolygon) -> PredictedOutline:
    flags = list(one.flags) if one.glac_id else sorted({*one.flags, "unmatched"})
    return PredictedOutline(
        run=run,
        mask=mask,
        glacier=glaciers[one.glac_id],
        geometry=shape,
        area_km2=one.area_km2,
        area_lo_km2=one.lo_km2,
        area_hi_km2=one.hi_km2,
        mean_confidence=one.mean_confidence,
        flags=flags,
        relief=one.relief,
        **_span(mask.scene),
    )


def _area(run: Run, mask: Mask, glaciers: dict, one: MeasuredArea) -> AreaMeasurement:
    values = one._asdict()
    glac_id = values.pop("glac_id")
    values["flags"] = list(one.flags)
    return AreaMeasurement(run=run, mask=mask, glacier=glaciers[glac_id], **values, **_span(mask.scene))


def _add_frames(forecast: Forecast, pictured: list[FoundFrame], digests: list[str]) -> None:
    rows = []
    for frame, digest in zip(pictured, digests, strict=True):
        values = frame._asdict()
        del values["raster"]
        rows.append(Frame(forecast=forecast, raster_sha256=digest, **values))
    Frame.objects.bulk_create(rows)
