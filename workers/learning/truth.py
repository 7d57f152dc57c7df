"""From scenes and outlines to samples: which scene may learn from which outline, and the raster of what is ice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
from shapely.geometry.base import BaseGeometry

from workers.imagery import rasters
from workers.imagery.grid import Grid, rasterize
from workers.imagery.rasters import Stack
from workers.learning.samples import SegmentSample

NEAREST_DAYS = 400
"""An outline teaches scenes at most this far from its date: ice that moved more is no truth for them."""


@dataclass(frozen=True)
class KnownOutline:
    """What an analyst drew, as a plain record."""

    glac_id: str
    geometry: BaseGeometry
    """Lon/lat."""
    start: date
    end: date


@dataclass(frozen=True)
class KnownScene:
    """A stored scene, as a plain record; `label` is an expert's mask of the same place and time, where there is one."""

    key: str
    raster: Path
    acquired: datetime
    start: date
    end: date
    label: Path | None = None


class NothingToLearn(ValueError):
    """No scene lies near enough to an outline."""


def samples(
    scenes: Sequence[KnownScene],
    outlines: Sequence[KnownOutline],
    domains: Mapping[str, BaseGeometry],
    extra: Mapping[str, np.ndarray] | None = None,
) -> list[tuple[str, SegmentSample]]:
    """(scene key, sample) of every scene with truth: an expert's mask, or the outlines nearest in time.

    A scene is used when *every* glacier in view has an outline within 400 days of it: an unmapped glacier would teach
    that ice is rock. The group that is held out together is the year of the truth. `extra` are layers on the scenes'
    grid (elevation, slope). Raises NothingToLearn with the counts.
    """
    found = []
    for scene in scenes:
        truths = None if scene.label else nearest_outlines(scene, outlines, domains)
        if scene.label is None and truths is None:
            continue
        stack = rasters.read(scene.raster)
        stack = with_layers(Stack(stack.pixels, stack.bands, stack.grid, scene.acquired), extra or {})
        truth, year = _truth(scene, truths, stack.grid)
        inside = {glac_id: rasterize([domain], stack.grid) for glac_id, domain in domains.items()}
        group = str(year)
        found.append((scene.key, SegmentSample(stack, truth, group, {k: v for k, v in inside.items() if v.any()})))
    if not found:
        raise NothingToLearn(
            f"none of {len(scenes)} scenes lies within {NEAREST_DAYS} days of outlines of all {len(domains)} glaciers "
            f"in view ({len(outlines)} outlines); import outlines nearer in time, or choose other areas of interest"
        )
    return found


def with_layers(stack: Stack, extra: Mapping[str, np.ndarray]) -> Stack:
    """The stack with further layers (H, W) on its own grid behind its bands."""
    fitting = {name: layer for name, layer in extra.items() if layer.shape == stack.grid.shape}
    if not fitting:
        return stack
    pixels = np.concatenate([stack.pixels, np.stack(list(fitting.values())).astype(np.float32)])
    return Stack(pixels, (*stack.bands, *fitting), stack.grid, stack.acquired)


def nearest_outlines(
    scene: KnownScene, outlines: Iterable[KnownOutline], domains: Mapping[str, BaseGeometry]
) -> list[KnownOutline] | None:
    """The outline nearest in time of every glacier; None when one of them has none within 400 days."""
    best: dict[str, tuple[int, KnownOutline]] = {}
    for outline in outlines:
        apart = _days_apart(scene, outline)
        if apart <= NEAREST_DAYS and (outline.glac_id not in best or apart < best[outline.glac_id][0]):
            best[outline.glac_id] = (apart, outline)
    return [outline for _, outline in best.values()] if best and set(domains) <= set(best) else None


def _days_apart(scene: KnownScene, outline: KnownOutline) -> int:
    """Days between two intervals; 0 where they touch."""
    return max(0, (outline.start - scene.end).days, (scene.start - outline.end).days)


def _truth(scene: KnownScene, truths: list[KnownOutline] | None, grid: Grid) -> tuple[np.ndarray, int]:
    if scene.label is not None:
        label = rasters.read_layer(scene.label, grid, nearest=True)
        return np.where(np.isfinite(label), label >= 0.5, np.nan).astype(np.float32), scene.start.year
    assert truths is not None
    return rasterize([outline.geometry for outline in truths], grid), year_of(truths)


def year_of(truths: Sequence[KnownOutline]) -> int:
    """The year of outlines that are a truth together: what learns from them is held out together."""
    return (truths[0].start + (truths[0].end - truths[0].start) / 2).year
