"""Forecasts on simulated worlds beside what costs nothing: `python benchmarks/forecast_worlds.py SEED [SEED ...]`.

For each seed two worlds: a stationary one (no glacier changes, no year remembers the one before) and one with a trend
and anomaly memory. The quarters of 2013-2024 are made of the world's scenes as the pipeline makes them (scaled, masked,
filtered, averaged, interpolated), the network is taught on the first four fifths and scored on the last. Bars: mean
square error at most 0.5 of persistence and 0.9 of seasonal persistence; at most 1.1 of climatology on the stationary
world, below 1 on the other. Everything here is simulated. A bar that is missed is printed as missed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from workers.imagery import bands, cubes
from workers.imagery.rasters import Stack
from workers.imagery.simulate import World
from workers.imagery.simulate.profiles import PROFILES, Profile
from workers.learning import forecast_recipes, recipes

YEARS = (2013, 2024)
MOST_CLOUD, MOST_MISSING = 0.20, 0.50
BARS = {"persistence": 0.5, "seasonal persistence": 0.9}
CLIMATOLOGY_BAR = {"stationary": 1.1, "trend and memory": 1.0}
RATES = {"stationary": (0.0, 0.0, 0.0), "trend and memory": (-0.01, -0.01, -0.01)}


def worlds(profile: Profile) -> dict[str, Profile]:
    """The two kinds of world."""
    return {"stationary": profile, "trend and memory": replace(profile, snow_memory=0.8)}


def stacks(world: World, scenes_per_year: int | str) -> Iterator[Stack]:
    """Green and swir1 reflectance of the scenes that the forecasting filter lets pass, one at a time."""
    for one in tqdm(world.passes(scenes_per_year), desc=f"world {world.seed}", unit="scene", leave=False):
        scene = world.scene(one)
        dn = dict(zip(scene.BANDS, scene.dn, strict=True))
        cloudy = bands.qa_pixel_invalid(dn["qa_pixel"])
        values = np.stack([bands.scale(dn[name], bands.LANDSAT_SR) for name in ("green", "swir1")])
        values[:, cloudy] = np.nan
        if scene.cloud_cover_percent <= 100 * MOST_CLOUD and np.isnan(values[0]).mean() <= MOST_MISSING:
            noon = datetime(one.day.year, one.day.month, one.day.day, 12, tzinfo=UTC)
            yield Stack(values.astype(np.float32), ("green", "swir1"), world.grid, noon)


def cube_of(seed: int, kind: str, profile: Profile, size: int, scenes_per_year: int | str) -> cubes.Cube:
    """The quarterly cube of one world."""
    world = World(seed, profile, size, YEARS, rates=RATES[kind][: size // 64])
    return cubes.stack(stacks(world, scenes_per_year))


def ratios(metrics: dict[str, Any]) -> dict[str, float]:
    """MSE of the network over MSE of each baseline."""
    mine = metrics["scores"]["pooled_mse"]
    return {name: mine / found["pooled_mse"] for name, found in metrics["baselines"].items()}


class Found(NamedTuple):
    """One world: MSE of the network over that of each baseline, beside the bars."""

    seed: int
    kind: str
    ratios: dict[str, float]
    bars: dict[str, float]
    skill_lo: float
    skill_hi: float
    seconds: float

    def __str__(self) -> str:
        cells = [f"{self.ratios[name]:.3f} <= {bar} {'reached' if self.ratios[name] <= bar else 'MISSED'}"
                 for name, bar in self.bars.items()]
        return (f"| {self.seed} | {self.kind} | {' | '.join(cells)} | {self.skill_lo:.3f} to {self.skill_hi:.3f} | "
                f"{self.seconds:.0f} |")


def found(seed: int, architecture: str, preset: str, size: int, scenes: int | str, profile: str) -> Iterator[Found]:
    """Both worlds of a seed, taught and scored."""
    for kind, settings in worlds(PROFILES[profile]).items():
        cube = cube_of(seed, kind, settings, size, scenes)
        started = time.process_time()
        trained = forecast_recipes.train(architecture, preset, [cube], recipes.defaults(architecture, preset),
                                         lambda *a, **k: None, None)
        against = trained.metrics["skills"]["climatology"]
        yield Found(seed, kind, ratios(trained.metrics), {**BARS, "climatology": CLIMATOLOGY_BAR[kind]},
                    against["lo"], against["hi"], time.process_time() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seeds", type=int, nargs="+", help="seeds of the worlds")
    parser.add_argument("--architecture", default="default-forecaster")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--profile", default="easy", choices=sorted(PROFILES))
    parser.add_argument("--size", type=int, default=256, help="pixels on a side")
    parser.add_argument("--scenes-per-year", default="full", help="a number from 5, or full: the whole calendar")
    asked = parser.parse_args()
    scenes = asked.scenes_per_year if asked.scenes_per_year == "full" else int(asked.scenes_per_year)
    print("| seed | simulated world | vs persistence | vs seasonal persistence | vs climatology | 95 % of skill "
          "against climatology | CPU s |\n| --- | --- | --- | --- | --- | --- | --- |")
    for seed in asked.seeds:
        for row in found(seed, asked.architecture, asked.preset, asked.size, scenes, asked.profile):
            print(row, flush=True)


if __name__ == "__main__":
    main()
