"""Bars of the mappers in `alps_like`: forests, a fusion network beside them, calibration, and radar series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import science_pictures
from pipeline_worlds import EVERYTHING, OPTICAL, WITH_DEM, radar_stack, sample
from science_page import Row, over, told, under

from workers.imagery.simulate import World
from workers.imagery.simulate.calendar import radar_days
from workers.learning import mapping_recipes, metrics, recipes
from workers.learning.forest_recipe import train_forest
from workers.learning.samples import SegmentSample
from workers.learning.series_recipes import SeriesSample, train_series
from workers.learning.weights import Learned
from workers.segmentation import calibrate
from workers.segmentation.radar_series import segment_series
from workers.segmentation.segment import segment_stack

TRAINING, TESTING = 10, 4
"""Worlds of one seed to learn from and to be scored on; none is in both."""
OTHERS = {"resnet50-unet": None, "setr": EVERYTHING, "glavitu": EVERYTHING}
"""Network -> its inputs; None: those of its definition."""
RADAR_SIZE, RADAR_TRAINING, RADAR_YEAR, LATITUDE = 192, 8, 2019, 46.0


def worlds_of(seed: int, count: int, testing: bool = False) -> range:
    """Seeds of the worlds that belong to one seed of the command line."""
    first = 1000 * seed + (500 if testing else 0)
    return range(first, first + count)


def scored(learned: Learned, tests: Sequence[SegmentSample]) -> tuple[metrics.Confusion, list[np.ndarray]]:
    """Pooled counts over worlds that were never seen, and the maps."""
    maps = [segment_stack(one.stack, learned) for one in tests]
    return metrics.pooled(metrics.confusion(p, s.truth) for p, s in zip(maps, tests, strict=True)), maps


def mapping(seeds: Sequence[int]) -> Iterator[Row]:
    """Forests on three sets of inputs, the small fusion network on two of them, calibration of the last."""
    for seed in seeds:
        yield from _mapping_of(seed)


def _mapping_of(seed: int) -> Iterator[Row]:
    samples = [sample(number) for number in worlds_of(seed, TRAINING)]
    tests = [sample(number) for number in worlds_of(seed, TESTING, testing=True)]
    sets = mapping_recipes.divided(samples, seed)
    known = sets["train"] + sets["validation"]  # what the network may see of the same worlds
    forests, maps = {}, {}
    for name, names in (("optical", OPTICAL), ("+DEM", WITH_DEM), ("+DEM+SAR", EVERYTHING)):
        grown = train_forest("small", known, seed, _quiet, names, held_out=False)
        counts, maps[f"forest {name}"] = scored(grown.learned, tests)
        forests[name] = counts.iou
    yield from _forest_rows(forests, f"seed {seed}: 50 trees, {len(known)} worlds learned, {TESTING} others scored")
    networks = {}
    for name, names in (("optical", OPTICAL), ("+DEM+SAR", EVERYTHING)):
        settings = recipes.with_settings("fusion-unet", "small", seed=seed)
        trained = recipes.train_segmenter("fusion-unet", "small", samples, settings, bands=names)
        counts, maps[f"network {name}"] = scored(trained.learned, tests)
        networks[name] = (counts, trained)
    yield from _network_rows(networks, forests, f"seed {seed}: small preset, {trained.history.steps} steps")
    yield from _calibration(seed, networks["+DEM+SAR"][1].learned, maps["network +DEM+SAR"], tests)
    science_pictures.masks(tests[0], {name: some[0] for name, some in maps.items()}, f"masks_seed_{seed}")


def _forest_rows(iou: dict[str, float], note: str) -> Iterator[Row]:
    optical, dem, sar = iou["optical"], iou["+DEM"], iou["+DEM+SAR"]
    inside = 0.75 <= optical <= 0.85
    yield Row("random forest, optical, `alps_like`: IoU", "0.75 to 0.85", f"{optical:.3f}", inside, note)
    yield Row("random forest, optical < +DEM < +DEM+SAR: IoU", "strictly rising",
              f"{optical:.3f}, {dem:.3f}, {sar:.3f}", optical < dem < sar, note)  # fmt: skip


def _network_rows(networks: dict[str, Any], forests: dict[str, float], note: str) -> Iterator[Row]:
    ahead = networks["optical"][0].iou - forests["optical"]
    yield over("fusion network less forest, optical: IoU", ahead, 0.03, "{:+.3f}", note)
    best = networks["+DEM+SAR"][0]
    yield over("fusion network less forest, all inputs: IoU", best.iou - forests["+DEM+SAR"], 0.005, "{:+.3f}", note)
    yield over("final mapping, all inputs: IoU", best.iou, 0.90, note=note)
    yield over("final mapping, all inputs: recall", best.recall, 0.93, note=note)


def _calibration(seed: int, learned: Learned, maps: list[np.ndarray], tests: list[SegmentSample]) -> Iterator[Row]:
    """Error of the confidence near the true margin, before and after the temperature that validation chose."""
    temperature = float(learned.recipe.options["temperature"])
    near = [calibrate.near_margin(one.truth, one.stack.grid) for one in tests]
    sure = np.concatenate([p[m] for p, m in zip(maps, near, strict=True)])
    true = np.concatenate([one.truth[m] for one, m in zip(tests, near, strict=True)])
    after, before = (calibrate.reliability(p, true) for p in (sure, calibrate.tempered(sure, 1 / temperature)))
    science_pictures.reliability_diagram(before, after, f"reliability_seed_{seed}")
    note = f"seed {seed}: {before.ece:.3f} before, T = {temperature:.2f}, pixels within 300 m of the true margin"
    yield under("ECE after temperature scaling", after.ece, 0.03, note=note)


def other_mappers(seeds: Sequence[int]) -> Iterator[Row]:
    """The small presets of the other published mapping networks, on the worlds of the first seed."""
    samples = [sample(number) for number in worlds_of(seeds[0], TRAINING)]
    tests = [sample(number) for number in worlds_of(seeds[0], TESTING, testing=True)]
    for name, names in OTHERS.items():
        settings = recipes.with_settings(name, "small", seed=seeds[0])
        trained = recipes.train_segmenter(name, "small", samples, settings, bands=names)
        counts, _ = scored(trained.learned, tests)
        yield told(f"{name} (small), `alps_like`: IoU", f"{counts.iou:.3f}",
                   f"seed {seeds[0]}: recall {counts.recall:.3f}, {trained.history.steps} steps")


def radar_series(seeds: Sequence[int]) -> Iterator[Row]:
    """The 3-D convolutional network on one, five and fifteen acquisitions of a season."""
    for seed in seeds:
        samples = [_season(number) for number in worlds_of(seed, RADAR_TRAINING)]
        tests = [_season(number) for number in worlds_of(seed, TESTING, testing=True)]
        iou = {}
        for count in (1, 5, 15):
            settings = recipes.with_settings("sar-3d", "small", seed=seed)
            learned = train_series("sar-3d", "small", samples, settings, acquisitions=count).learned
            maps = [segment_series(one.stacks, learned, LATITUDE, RADAR_YEAR) for one in tests]
            counts = metrics.pooled(metrics.confusion(p, one.truth) for p, one in zip(maps, tests, strict=True))
            iou[count] = counts.iou
            yield told(f"radar series (3-D), T = {count}: IoU", f"{counts.iou:.3f}", f"seed {seed}")
        rising = iou[15] > iou[1] and iou[5] > iou[1]
        values = ", ".join(f"{value:.3f}" for value in iou.values())
        yield Row("radar series: IoU(5) and IoU(15) > IoU(1)", "both", values, rising, f"seed {seed}")
        yield over("radar series: IoU(15) less IoU(1)", iou[15] - iou[1], 0.05, "{:+.3f}", f"seed {seed}")


def _season(seed: int) -> SeriesSample:
    world = World(seed, "alps_like", RADAR_SIZE)
    stacks = [radar_stack(world, day) for day in radar_days(RADAR_YEAR)]
    return SeriesSample(stacks, world.ice(RADAR_YEAR + 0.7), f"world {seed}", LATITUDE, RADAR_YEAR)


def _quiet(fraction: float, step: str, **curves: Any) -> None:
    """Nobody watches."""
