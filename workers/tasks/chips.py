"""Stored scenes as sequences of chips: what the video network learns from, is judged on, and goes on from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from inventory.models import AreaOfInterest, Scene
from predictions import params
from workers.imagery.bands import CANONICAL
from workers.imagery.rasters import Stack
from workers.learning import catalog, recipes
from workers.learning.train_settings import TrainSettings
from workers.learning.trained import Trained
from workers.learning.truth import NothingToLearn
from workers.motion import chip_windows
from workers.motion.chip_windows import Chips, Window, filled
from workers.motion.displacement import FOLLOWED
from workers.tasks import lessons, stored

MOST_SCENES = 96
"""The newest of an area: all of them are held in memory at once."""
MOST_TAUGHT, MOST_JUDGED = 240, 48
"""Sequences: bounds memory and time; windows are taken evenly from all there are."""
MOST_MISSING, MOST_HIDDEN = 0.05, 0.4
"""Of a scene over its area: without data (corners, stripes), and without data or under cloud."""
STEEP_DEGREES = 15.0


@dataclass(frozen=True)
class Record:
    """The scenes of an area that chips can be cut from, in order of time."""

    scenes: tuple[Scene, ...]
    stacks: tuple[Stack, ...]
    bands: tuple[str, ...]
    lead: str
    """The band in which chips are followed."""

    @property
    def border(self) -> date:
        """From this date on scenes are held out as targets."""
        held = max(1, round(chip_windows.TARGET_SHARE * len(self.scenes)))
        return self.scenes[-held].acquired.date()


def record_of(area: AreaOfInterest, data: params.DataParams, side: int) -> Record:
    """The usable scenes of an area. Raises NothingToLearn, naming what is there and what chips need."""
    height, width = area.grid["height"], area.grid["width"]
    if min(height, width) < side:
        raise NothingToLearn(f"{area.name} is {width} x {height} px; chips have {side} px: choose a larger area")
    scenes = [scene for scene in stored.usable(lessons.inside(area)) if _fits(scene, data)][-MOST_SCENES:]
    if not scenes:
        raise NothingToLearn(f"{area.name} has no optical scene in the span asked for with at most {MOST_MISSING:.0%} "
                             f"missing, {MOST_HIDDEN:.0%} hidden and a known day: chips have nothing to be cut from")
    bands = tuple(name for name in CANONICAL if all(name in scene.bands for scene in scenes))
    lead = next((name for name in FOLLOWED if name in bands), "")
    if not lead:
        raise NothingToLearn(f"the scenes of {area.name} share none of the bands {', '.join(FOLLOWED)} to follow chips")
    return Record(tuple(scenes), tuple(stored.stack_of(scene).select(bands) for scene in scenes), bands, lead)


def _fits(scene: Scene, data: params.DataParams) -> bool:
    known = scene.date_precision == "day" and lessons.within(scene.acquired.date(), data)
    missing = 1.0 if scene.missing_fraction is None else scene.missing_fraction
    return known and missing <= MOST_MISSING and scene.facts.get("invalid_fraction", 1.0) <= MOST_HIDDEN


def teach(asked: params.TrainParams, areas: Sequence[AreaOfInterest], settings: TrainSettings,
          tell: Callable[..., None], checkpoint: Path) -> tuple[Trained, dict[str, Any]]:
    """A version taught on the earlier scenes of the areas and judged on the later ones, and what it learned from."""
    config = catalog.preset(asked.architecture, asked.preset)[1]

    def learned_from(area: AreaOfInterest) -> tuple[Record, tuple]:
        record = record_of(area, asked.data, config.size)
        return record, lesson(record, config, lambda done: tell(0.1 * done, "following chips"))

    known, left_out = lessons.of_each(areas, learned_from)
    records, found = [record for _, (record, _) in known], [one for _, (_, one) in known]
    taught, judged = (np.concatenate([one.frames for one in some]) for some in zip(*((a, b) for a, b, _ in found),
                                                                                   strict=True))  # fmt: skip
    kinds = None if any(one is None for *_, one in found) else [kind for *_, some in found for kind in some or ()]

    def report(done: float, step: str, **curves: Any) -> None:
        tell(0.1 + 0.9 * done, step, **curves)

    chips = filled(taught, config.conditioning)
    trained = recipes.train_video(asked.preset, chips, settings, report, checkpoint, judged, kinds)
    return trained, {
        "scenes": [scene.key for one in records for scene in one.scenes], "areas": [area.pk for area, _ in known],
        "left_out": left_out,
        "until": max(one.border for one in records).isoformat(), "chip bands": list(records[0].bands),
        "sequences": f"{len(taught)} that taught, {len(judged)} later ones that judged",
    }  # fmt: skip


def lesson(record: Record, config, tell: Callable[[float], None]) -> tuple[Chips, Chips, list[str] | None]:
    """(sequences that teach, sequences that judge, terrain of each of the latter), apart in time. Raises NothingToLearn
    where no place is seen often enough."""
    teach, judge = chip_windows.divided(windows(record, config), len(record.stacks), config.conditioning)
    if not teach or not judge:
        raise NothingToLearn(
            f"{len(record.scenes)} scenes from {record.scenes[0].acquired:%Y-%m-%d} give {len(teach)} windows of "
            f"{config.frames} views before {record.border} and {len(judge)} whose targets lie after it; both are "
            "needed. Add scenes two weeks to nine months apart")
    taught = cut(record, chip_windows.thinned(teach, MOST_TAUGHT // len(record.bands)), config, tell)
    judged = cut(record, few(record, judge), config)
    return taught, judged, terrain(record, judged.windows, config.size)


def windows(record: Record, config) -> list[Window]:
    """Every window of so many views of a place."""
    return chip_windows.windows(record.stacks, record.lead, config.size, config.frames)


def few(record: Record, some: Sequence[Window]) -> list[Window]:
    """As many as are judged, evenly from all."""
    return chip_windows.thinned(some, max(1, MOST_JUDGED // len(record.bands)))


def first_target(record: Record, window: Window, config) -> date:
    """The day of the first frame that is to be said."""
    return record.scenes[window.scenes[config.conditioning]].acquired.date()


def cut(record: Record, some: Sequence[Window], config, tell: Callable[[float], None] = lambda fraction: None) -> Chips:
    """The chips of windows in every band."""
    return chip_windows.cut(record.stacks, some, record.bands, record.lead, config.size, config.conditioning,
                            report=tell)  # fmt: skip


def terrain(record: Record, some: Sequence[Window], side: int) -> list[str] | None:
    """"slope" or "texture" (gentler than 15 degrees in the median) of each place; None where no elevation is stored."""
    slope = stored.relief(record.scenes[0], ("slope",)).get("slope")
    if slope is None:
        return None
    steep = [np.nanmedian(slope[w.row : w.row + side, w.col : w.col + side]) >= STEEP_DEGREES for w in some]
    return ["slope" if one else "texture" for one in steep]
