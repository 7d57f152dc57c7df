"""Stored radar scenes, brought together by ablation season: what radar networks learn from and what they map."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Q

from inventory.models import AreaOfInterest, Scene
from workers.imagery.found import POLARISATIONS
from workers.imagery.grid import Grid
from workers.learning.season_truth import KnownSeason
from workers.learning.weights import Learned
from workers.segmentation.radar_series import nearest_to_end, season_of, segment_series
from workers.tasks import stored


@dataclass(frozen=True)
class Season:
    """Radar scenes of one place, season, orbit and co-polarisation: ascending and descending are never mixed."""

    year: int
    latitude: float
    scenes: tuple[Scene, ...]

    @property
    def standing(self) -> Scene:
        """The scene that carries the map of the season: the one nearest the end of the melt."""
        return self.scenes[nearest_to_end([scene.acquired for scene in self.scenes], self.latitude, self.year)]

    def known(self) -> KnownSeason:
        """As a plain record."""
        records = {scene.pk: stored.known_scene(scene) for scene in self.scenes}
        return KnownSeason(tuple(records.values()), records[self.standing.pk], self.latitude, self.year)

    def probability(self, learned: Learned) -> np.ndarray:
        """Probability of ice at the end of the season (H, W), NaN where never observed. Raises TooFewScenes,
        MissingBands and WrongGrid by name."""
        return segment_series(self.known().stacks(), learned, self.latitude, self.year)


def of_area(area: AreaOfInterest) -> list[Season]:
    """Every season of an area, in order of time."""
    return _grouped(stored.usable(Q(item__aoi=area.pk), "sar"))


def over(where: Q) -> list[Season]:
    """Every season of the stored radar scenes that a question finds."""
    return _grouped(stored.usable(where, "sar"))


def of(scene: Scene) -> Season:
    """The season that a radar scene belongs to. Raises ValueError for any other scene."""
    if scene.kind != "sar":
        raise ValueError(f"scene {scene.key} is {scene.kind}, not radar: radar networks map seasons of radar scenes")
    around = stored.usable(Q(item__aoi=scene.item.get("aoi")), "sar")
    return next(season for season in _grouped(around) if scene.pk in {one.pk for one in season.scenes})


def _grouped(scenes: Iterable[Scene]) -> list[Season]:
    groups: dict[tuple, list[Scene]] = defaultdict(list)
    for scene in scenes:
        latitude = Grid.from_dict(scene.grid).centre[1]
        key = (scene.item.get("aoi"), season_of(scene.acquired, latitude), latitude, *_channel(scene))
        groups[key].append(scene)
    return [Season(key[1], key[2], tuple(some)) for key, some in sorted(groups.items(), key=lambda item: item[0][1])]


def _channel(scene: Scene) -> tuple[str, str]:
    """Orbit direction and co-polarisation, as the catalogue says; "" where it does not."""
    told: dict[str, Any] = scene.item.get("found", {}).get("properties", {})
    given = told.get(POLARISATIONS) or ()
    return str(told.get("sat:orbit_state") or ""), next((name for name in ("VV", "HH") if name in given), "")
