"""From seasons of radar scenes and outlines to samples: the truth of a season is that of the end of its melt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from shapely.geometry.base import BaseGeometry

from workers.imagery import rasters
from workers.imagery.grid import rasterize
from workers.imagery.rasters import Stack
from workers.learning import truth
from workers.learning.series_recipes import SeriesSample
from workers.learning.truth import NEAREST_DAYS, KnownOutline, KnownScene, NothingToLearn
from workers.segmentation.radar_series import MOST_MISSING

FEWEST_TRUTHS = 3
"""Years of outlines: one to learn from, one to stop by, one to be judged on."""


@dataclass(frozen=True)
class KnownSeason:
    """The stored radar scenes of one place and one ablation season, as plain records; one orbit, one polarisation."""

    scenes: tuple[KnownScene, ...]
    standing: KnownScene
    """The scene whose date the map carries: the one nearest the end of the melt."""
    latitude: float
    year: int

    def stacks(self) -> list[Stack]:
        """Pixels with the date of each scene, in order of time."""
        return [dated(rasters.read(one.raster), one.acquired) for one in self.scenes]


def dated(stack: Stack, acquired: datetime) -> Stack:
    """The stack with the date that the catalogue gives it."""
    return Stack(stack.pixels, stack.bands, stack.grid, acquired)


def samples(
    seasons: Sequence[KnownSeason], outlines: Sequence[KnownOutline], domains: Mapping[str, BaseGeometry]
) -> list[tuple[str, SeriesSample]]:
    """(key of the standing scene, sample) of every season with truth: the outlines nearest in time, of every glacier
    in view, within 400 days. The group that is held out together is the year of those outlines: seasons that share a
    truth are never on both sides of a split.

    Raises NothingToLearn with the counts.
    """
    found = []
    for season in seasons:
        nearest = truth.nearest_outlines(season.standing, outlines, domains)
        if nearest is None:
            continue
        stacks = season.stacks()
        grid = stacks[0].grid
        inside = {glac_id: rasterize([domain], grid) for glac_id, domain in domains.items()}
        ice = rasterize([outline.geometry for outline in nearest], grid)
        seen = {glac_id: mask for glac_id, mask in inside.items() if np.any(mask)}
        found.append((season.standing.key,
                      SeriesSample(stacks, ice, str(truth.year_of(nearest)), season.latitude, season.year, seen)))
    if not found:
        raise NothingToLearn(
            f"none of {len(seasons)} radar seasons lies within {NEAREST_DAYS} days of outlines of all {len(domains)} "
            f"glaciers in view ({len(outlines)} outlines); import outlines nearer in time, or choose other areas")
    return found


def require_truths(some: Sequence[SeriesSample]) -> None:
    """Raises NothingToLearn for outlines of fewer years than a training, a validation and a test set take."""
    truths = sorted({one.group for one in some})
    if len(truths) < FEWEST_TRUTHS:
        raise NothingToLearn(
            f"radar networks are taught on seasons with outlines of at least {FEWEST_TRUTHS} different years (to learn "
            f"from, to stop by, to be judged on); the {len(some)} seasons here have outlines of "
            f"{', '.join(truths) or 'none'}. Add radar scenes near other outlines, or import outlines near the scenes.")


def complete(seasons: Sequence[KnownSeason], acquisitions: int) -> tuple[list[KnownSeason], list[str]]:
    """Seasons of which at most 20 % of so many acquisitions are missing, and a sentence for each one left out."""
    kept, told = [], []
    for season in seasons:
        days = len({one.acquired.date() for one in season.scenes})
        if acquisitions - days > MOST_MISSING * acquisitions:
            told.append(f"season {season.year} left out: {days} of {acquisitions} acquisitions")
        else:
            kept.append(season)
    return kept, told
