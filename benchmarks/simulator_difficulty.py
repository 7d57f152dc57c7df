"""How hard the simulated profiles are: a random forest per pixel on worlds that it never saw.

    python benchmarks/simulator_difficulty.py [--train 6] [--test 6]

A simulator on which everything scores 0.99 proves nothing. The optical forest is to score IoU 0.75 to 0.85 in
`alps_like`, more with elevation, still more with radar, and more than 0.9 in `easy`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from workers.imagery.simulate import PROFILES, World
from workers.imagery.simulate.calendar import radar_days
from workers.imagery.simulate.sensors import REFLECTANCE_OFFSET, REFLECTANCE_SCALE
from workers.imagery.simulate.terrain import slope_deg
from workers.imagery.simulate.worlds import PIXEL_M

INPUTS = {"optical": 6, "+DEM": 8, "+DEM+SAR": 10}
SENSORS = (("L5", range(1986, 2011)), ("L8", range(2014, 2024)))
CLOUD_SHARE = 0.05
FIRST_TEST_SEED = 1000
INVALID = 0b11111  # fill, dilated cloud, cirrus, cloud, shadow
TRAINING_PIXELS = 60_000


def late_summer_day(rng: np.random.Generator, year: int) -> date:
    """A day between year fraction 0.60 and 0.72."""
    return date(year, 1, 1) + timedelta(days=int(365 * rng.uniform(0.60, 0.72)))


def samples(profile: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (pixels, 10) of the clear pixels of one late-summer scene, and whether each is glacier."""
    rng = np.random.default_rng(seed)
    sensor, years = SENSORS[seed % 2]
    world = World(seed, profile)
    of = world.one_pass(sensor, late_summer_day(rng, int(rng.choice(years))), CLOUD_SHARE)
    scene = world.scene(of)
    reflectance = scene.dn[:6] * REFLECTANCE_SCALE + REFLECTANCE_OFFSET
    nearest = min(radar_days(of.day.year), key=lambda day: abs(day - of.day))
    echo = world.echo(nearest)
    layers = [*reflectance, world.dem, slope_deg(world.dem, PIXEL_M), echo.co_pol_db, echo.coherence]
    clear = (scene.dn[7] & INVALID) == 0
    return np.stack(layers, axis=-1)[clear].astype(np.float32), scene.ice[clear]


def pooled(profile: str, seeds: Iterable[int], share: float) -> tuple[np.ndarray, np.ndarray]:
    """A random share of the pixels of several worlds."""
    rng = np.random.default_rng(0)
    parts = []
    for seed in seeds:
        features, truth = samples(profile, seed)
        kept = rng.random(truth.size) < share
        parts.append((features[kept], truth[kept]))
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def iou(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two boolean arrays."""
    return float((predicted & truth).sum() / (predicted | truth).sum())


def scores(profile: str, train: int, test: int) -> dict[str, list[float]]:
    """IoU a test world for each set of inputs."""
    features, truth = pooled(profile, range(1, train + 1), min(1.0, TRAINING_PIXELS / (train * 256**2)))
    held_out = [samples(profile, FIRST_TEST_SEED + number) for number in range(test)]
    found = {}
    for name, count in INPUTS.items():
        forest = RandomForestClassifier(200, min_samples_leaf=5, n_jobs=2, random_state=0, max_features="sqrt")
        forest.fit(features[:, :count], truth)
        found[name] = [iou(forest.predict(x[:, :count]), y) for x, y in held_out]
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=6, help="worlds to learn from (default 6)")
    parser.add_argument("--test", type=int, default=6, help="worlds to be scored on (default 6)")
    parser.add_argument("--profile", choices=[*PROFILES], action="append", help="only this profile")
    asked = parser.parse_args()
    print(f"| profile | inputs | IoU, mean of {asked.test} worlds | lowest | highest |\n|---|---|---|---|---|")
    for profile in asked.profile or PROFILES:
        for name, values in scores(profile, asked.train, asked.test).items():
            print(f"| {profile} | {name} | {np.mean(values):.3f} | {min(values):.3f} | {max(values):.3f} |", flush=True)


if __name__ == "__main__":
    main()
