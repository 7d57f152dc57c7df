"""Video prediction on simulated chips: `python benchmarks/video_worlds.py SEED SEED [SEED ...] [--cloud SHARE]`.

The small SVG-LP is taught on chips of all worlds but the last and compared on those of the last with persistence,
high-pass and the median frame. With --cloud the last observed scene of the last world has so much cloud; without it
its own. Bar on the mean correlation at t2: +0.03 ahead of persistence where at least a quarter of the last frames are
contaminated, else -0.02. Everything here is simulated.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import torch

from workers.imagery import bands
from workers.imagery.simulate import World
from workers.learning import video_recipe
from workers.motion import chip_dataset, chip_scores

SEQUENCE_START, DAYS_APART = date(2019, 3, 1), 80
BANDS = (1, 3)  # green and near infrared
STEP_PX = 32
CONTAMINATED, CLOUDY = 0.1, 0.25
"""Share of a chip under cloud that contaminates it; share of such chips from which the bar is higher."""
LAST = chip_dataset.CONDITIONING - 1


class Compared(NamedTuple):
    """The evaluation table of one last world."""

    table: list[dict[str, Any]]
    taught: int
    chips: int
    cloudy: float
    """Share of the last observed frames that are contaminated by cloud."""

    def ahead_of(self, method: str) -> dict[str, float]:
        """Mean correlation at t2 less that of a baseline, with its 95 % interval."""
        return next(row["ahead"] for row in self.table if row["method"] == method and row["headline"])

    @property
    def bar(self) -> float:
        """How far ahead of persistence the network must be."""
        return 0.03 if self.cloudy >= CLOUDY else -0.02

    @property
    def note(self) -> str:
        """What was compared, and the baseline that is hardest to beat."""
        return (f"{self.taught} sequences taught, {self.chips} of another world compared, {self.cloudy:.0%} of last "
                f"frames with cloud; median frame: model ahead by {self.ahead_of('median')['mean']:+.3f}")


def chips_of(seed: int, last_cloud: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Chips (N, 12, 128, 128) in 0..1, clouds left in, and whether the last observed frame of each is contaminated."""
    world = World(seed, "easy", 256, (2013, 2024))
    days = [SEQUENCE_START + timedelta(days=DAYS_APART * k) for k in range(chip_dataset.FRAMES)]
    scenes = [world.scene(world.one_pass("L8", day, last_cloud if k == LAST else None)) for k, day in enumerate(days)]
    frames = np.stack([bands.scale(scene.dn[list(BANDS)], bands.LANDSAT_SR) for scene in scenes])
    cloud = scenes[LAST].sky.opacity > 0.2
    chips, cloudy = [], []
    for one in chip_dataset.sequences(frames, ("green", "nir"), step=STEP_PX, search=1.0):
        chips.append(chip_dataset.unit_range(one.frames)[0])
        cloudy.append(cloud[one.row : one.row + 128, one.col : one.col + 128].mean() > CONTAMINATED)
    return np.stack(chips), np.array(cloudy)


def taught_on(seeds: Sequence[int], steps: int, last_cloud: float | None = None) -> tuple[torch.nn.Module, int]:
    """The small network after so many steps on the chips of these worlds, and how many chips there were.

    With ``last_cloud`` each world is shown twice, under its own sky and with so much cloud over the last observed
    frame: a network that never met one copies the cloud into the future.
    """
    skies = [None] if last_cloud is None else [None, last_cloud]
    chips = np.concatenate([chips_of(seed, sky)[0] for seed in seeds for sky in skies])
    chips = chips[np.random.default_rng(seeds[0]).permutation(len(chips))]  # the last tenth validates
    settings = replace(video_recipe.settings_of("small"), epochs=1, epoch_steps=steps)
    return video_recipe.train_video("small", chips, settings).learned.network.eval(), len(chips)


def compared(network: torch.nn.Module, taught: int, seed: int, last_cloud: float | None = None) -> Compared:
    """Mean of ten futures beside the baselines on the chips of one world."""
    chips, cloudy = chips_of(seed, last_cloud)
    seen, truth = chips[:, : chip_dataset.CONDITIONING], chips[:, chip_dataset.CONDITIONING :]
    torch.manual_seed(seed)
    futures = network.generate(torch.from_numpy(seen), samples=10).numpy()
    methods = chip_scores.baseline_correlations(seen, truth)
    methods["model"] = chip_scores.correlations(futures.mean(1), truth)
    return Compared(chip_scores.evaluation_table(methods, "model"), taught, len(chips), float(cloudy.mean()))


def main() -> None:
    """Teach, compare, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", type=int, nargs="+", help="two or more; the last world is compared")
    parser.add_argument("--steps", type=int, default=300, help="training steps")
    parser.add_argument("--cloud", type=float, help="cloud share of the last observed scene")
    asked = parser.parse_args()
    if len(asked.seeds) < 2:
        parser.error("teaches on all worlds but the last: give at least two seeds")
    found = compared(*taught_on(asked.seeds[:-1], asked.steps, asked.cloud), asked.seeds[-1], asked.cloud)
    print("| method | lead | mean CI | low | medium | high | model ahead by (95 %) |\n|---|---|---|---|---|---|---|")
    for row in found.table:
        ahead = row["ahead"]
        print(f"| {row['method']} | {row['lead']} | {row['mean']:.3f} | {row['low']:.2f} | {row['medium']:.2f} | "
              f"{row['high']:.2f} | {ahead['mean']:+.3f} ({ahead['lo']:+.3f} to {ahead['hi']:+.3f}) |")
    value = found.ahead_of("persistence")["mean"]
    print(f"\n{found.note}\nahead of persistence at t2 {value:+.3f} >= {found.bar}: "
          f"{'reached' if value >= found.bar else 'MISSED'}")


if __name__ == "__main__":
    main()
