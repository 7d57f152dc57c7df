"""One scene seen by one version: the map, the outlines cut to glaciers, and each glacier's area with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from shapely import MultiPolygon
from shapely.geometry.base import BaseGeometry

from workers.imagery.grid import Grid, geodesic_area_km2
from workers.segmentation import areas, outlines
from workers.segmentation.calibrate import confidence
from workers.segmentation.intervals import ErrorModel, TooFewGlacierDates
from workers.segmentation.relief import Relief

LOW_CONFIDENCE = 0.6
NO_INTERVAL_OF_ZERO = "none: relative errors say nothing of an area of 0"


def area_error(relative_errors: Sequence[float | None], sizes_km2: Sequence[float] | None = None) -> ErrorModel | None:
    """What is known of a mapper's relative area errors, (mapped - true) / true, on glacier-dates it never saw.

    None for fewer than 3; by size class where the true areas are given and a class has enough.
    """
    try:
        return ErrorModel.of(relative_errors, sizes_km2)
    except TooFewGlacierDates:
        return None


@dataclass(frozen=True)
class Outlined:
    """Ice of one glacier, or (glac_id None) ice outside every domain."""

    glac_id: str | None
    geometry: MultiPolygon
    area_km2: float
    lo_km2: float | None
    hi_km2: float | None
    mean_confidence: float | None
    flags: tuple[str, ...]
    relief: dict[str, float | str | None] | None = None
    """What `relief.Relief.under` says of its pixels; None without an elevation model."""


@dataclass(frozen=True)
class AreaFound:
    """The area of one glacier."""

    glac_id: str
    km2: float
    soft_km2: float
    lo_km2: float | None
    hi_km2: float | None
    interval_method: str
    valid_fraction: float
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Observation:
    """All that one map says."""

    outlines: list[Outlined]
    areas: list[AreaFound]
    valid_fraction: float
    """Share of the map that was observed."""


def observe(
    probability: np.ndarray,
    grid: Grid,
    domains: Mapping[str, BaseGeometry],
    error: ErrorModel | None,
    threshold: float = 0.5,
    scene_flags: Sequence[str] = (),
    ground: Relief | None = None,
) -> Observation:
    """Outlines and areas of a probability map (H, W), NaN where not observed, for the glaciers in view; with heights
    and slopes where the `ground` is known.

    A glacier of whose domain nothing was observed has no area here: that is no observation, not a zero.
    """
    ice = np.nan_to_num(probability) >= threshold
    cut = outlines.to_glaciers(ice, grid, domains)
    shares = outlines.inside(np.ones(grid.shape, dtype=bool), grid, domains)    # no pixel counts for two glaciers
    inside: dict[str | None, np.ndarray] = {
        glac_id: shares == number for number, glac_id in enumerate([*domains, None], start=1)
    }
    seen = [_area(one, probability, grid, inside[one], error, threshold, scene_flags) for one in domains]
    flags: dict[str | None, tuple[str, ...]] = {
        None: tuple(scene_flags), **{area.glac_id: area.flags for area in seen if area}
    }
    drawn = [
        _outlined(glac_id, shape, error, probability, ice & inside[glac_id], flags[glac_id], ground)
        for glac_id, shape in cut.items()
        if glac_id in flags and not shape.is_empty
    ]
    return Observation(drawn, [area for area in seen if area], float(np.isfinite(probability).mean()))


def _area(
    glac_id: str,
    probability: np.ndarray,
    grid: Grid,
    inside: np.ndarray,
    error: ErrorModel | None,
    threshold: float,
    scene_flags: Sequence[str],
) -> AreaFound | None:
    measured = areas.measure(probability, grid, inside, threshold) if inside.any() else None
    if measured is None:
        return None
    lo, hi, method = _interval(measured.hard_km2, error)
    flags = (*measured.flags, *scene_flags)
    return AreaFound(
        glac_id, measured.hard_km2, measured.soft_km2, lo, hi, method, measured.valid_fraction, tuple(flags)
    )


def _interval(km2: float, error: ErrorModel | None) -> tuple[float | None, float | None, str]:
    """(low, high, method); none without known errors, nor for an area of 0, which a share of itself cannot widen."""
    if error is None:
        return None, None, ""
    if km2 == 0:
        return None, None, NO_INTERVAL_OF_ZERO
    return *error.interval_km2(km2), error.of_class(km2).method


def _outlined(
    glac_id: str | None,
    shape: MultiPolygon,
    error: ErrorModel | None,
    probability: np.ndarray,
    where: np.ndarray,
    flags: Sequence[str],
    ground: Relief | None,
) -> Outlined:
    area = geodesic_area_km2(shape)
    lo, hi = error.interval_km2(area) if error and glac_id else (None, None)
    sure = float(confidence(probability[where]).mean()) if where.any() else None
    if sure is not None and sure < LOW_CONFIDENCE:
        flags = (*flags, "low_confidence")
    return Outlined(glac_id, shape, area, lo, hi, sure, tuple(flags), ground.under(where) if ground else None)
