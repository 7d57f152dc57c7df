"""Motion on simulated worlds whose velocity is known: `python benchmarks/motion_worlds.py SEED [SEED ...] [--video]`.

Flow of textures that were moved exactly; flow of simulated ice between two late summers, clean, and with noise and
misregistration before and after the correction by stable terrain; search of 21-px chips. With --video the small
SVG-LP is taught on chips of two worlds and compared on a third with persistence, high-pass and the median frame.
Everything here is simulated. A bar that is missed is printed as missed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import torch
from scipy.ndimage import fourier_shift, gaussian_filter, shift

from workers.imagery import bands
from workers.imagery.simulate import World
from workers.learning import video_recipe
from workers.motion import chip_dataset, chip_scores
from workers.motion.chips import find
from workers.motion.farneback import dense_flow, surface_displacement
from workers.motion.velocity import stable_terrain, velocity

FIRST, SECOND = date(2019, 9, 1), date(2020, 9, 1)  # the simulator renews the pattern on the ice every three years
GREEN, NIR, CHIP, NOISE, MISREGISTRATION_PX = 1, 3, 21, 0.008, 0.2
SEQUENCE_START, DAYS_APART = date(2019, 3, 1), 80
CONTAMINATED, CLOUDY = 0.1, 0.25


class Check(NamedTuple):
    """A value beside its bar."""

    name: str
    value: float
    bar: float
    below: bool = True

    @property
    def reached(self) -> bool:
        return self.value <= self.bar if self.below else self.value >= self.bar

    def __str__(self) -> str:
        sign = "<=" if self.below else ">="
        return f"| {self.name} | {self.value:.3f} | {sign} {self.bar} | {'reached' if self.reached else 'MISSED'} |"


def translations(seed: int) -> Iterator[Check]:
    """A textured image moved by half a pixel to six."""
    texture = gaussian_filter(np.random.default_rng(seed).normal(size=(256, 256)), 2.0, mode="wrap")
    spectrum = np.fft.fft2(texture)
    for distance in (0.5, 1.0, 2.0, 4.0, 6.0):
        moved = np.fft.ifft2(fourier_shift(spectrum, (0, distance))).real
        inner = dense_flow(texture, moved)[16:-16, 16:-16]
        error = float(np.nanmean(np.hypot(inner[..., 0] - distance, inner[..., 1])))
        yield Check(f"translation by {distance} px, mean error px", error, 0.08 if distance < 1 else 0.02)


class Pair:
    """Two clear late summers of one world in the near infrared, and what moved in between."""

    def __init__(self, seed: int) -> None:
        world = World(seed, "easy", 256, (2013, 2024), rates=(0.0, 0.0, 0.0))
        self.first, self.second = (world.reflectance(world.one_pass("L8", day, 0.0))[NIR] for day in (FIRST, SECOND))
        self.days = (SECOND - FIRST).days
        east, north = world.velocity_m_per_year * self.days / 365.25 / 30
        self.true = np.stack([east, -north], -1)
        self.ice = world.ice(2019.67) & world.ice(2020.67)
        snow = np.maximum(world.snow(FIRST), world.snow(SECOND)) > 0.02
        slope = np.degrees(np.arctan(np.hypot(*np.gradient(world.dem, 30.0))))
        self.stable = stable_terrain(self.ice, slope, snow)
        self.bare = self.ice & ~snow & (np.hypot(east, north) > 0.2)

    def errors(self, flow: np.ndarray) -> np.ndarray:
        """End-point error on bare moving ice, px."""
        error = np.hypot(*np.moveaxis(flow - self.true, -1, 0))[self.bare]
        return error[np.isfinite(error)]


def ice_flow(seed: int) -> Iterator[Check]:
    """Flow of the ice of one world."""
    pair = Pair(seed)
    clean = pair.errors(surface_displacement(pair.first, pair.second, pair.ice))
    yield Check("ice flow, clean, median error px", float(np.median(clean)), 0.3)
    yield Check("ice flow, clean, share within 0.5 px", float(np.mean(clean <= 0.5)), 0.65, below=False)
    rng = np.random.default_rng(seed)
    moved = shift(pair.second, rng.normal(0, MISREGISTRATION_PX, 2), order=3, mode="nearest")
    first, second = (image + rng.normal(0, NOISE, image.shape) for image in (pair.first, moved))
    flow = surface_displacement(first, second, pair.ice)
    yield Check("ice flow, noisy and shifted, median error px", float(np.median(pair.errors(flow))), 0.7)
    still = np.array(velocity(flow, 30.0, pair.days, pair.stable).shift_px)
    yield Check("the same, corrected by stable terrain", float(np.median(pair.errors(flow - still))), 0.3)
    yield from chip_search(pair)


def chip_search(pair: Pair) -> Iterator[Check]:
    """Chips of 21 px on the ice, the ground blanked out."""
    first, second = (np.where(pair.ice, image, np.nan) for image in (pair.first, pair.second))
    half, errors = CHIP // 2, []
    inside = pair.bare.copy()
    inside[:half], inside[-half:], inside[:, :half], inside[:, -half:] = (False,) * 4
    for row, col in np.argwhere(inside)[::61]:
        top, left = row - half, col - half
        match = find(first[top : top + CHIP, left : left + CHIP], second, top, left, search=1.7)
        errors.append(np.hypot(match.d_col - pair.true[row, col, 0], match.d_row - pair.true[row, col, 1]))
    yield Check("chip search, median error px", float(np.nanmedian(errors)), 0.7)
    yield Check("chip search, share within 1 px", float(np.mean(np.array(errors) <= 1)), 0.55, below=False)


def chips_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Chips (N, 12, 128, 128) in 0..1 of green and near infrared, clouds left in, and whether the last observed frame
    of each is contaminated."""
    world = World(seed, "easy", 256, (2013, 2024))
    days = [SEQUENCE_START + timedelta(days=DAYS_APART * k) for k in range(chip_dataset.FRAMES)]
    scenes = [world.scene(world.one_pass("L8", day)) for day in days]
    frames = np.stack([bands.scale(scene.dn[[GREEN, NIR]], bands.LANDSAT_SR) for scene in scenes])
    cloud = scenes[chip_dataset.CONDITIONING - 1].sky.opacity > 0.2
    chips, cloudy = [], []
    for one in chip_dataset.sequences(frames, ("green", "nir"), step=32, search=1.0):
        chips.append(chip_dataset.unit_range(one.frames)[0])
        cloudy.append(cloud[one.row : one.row + 128, one.col : one.col + 128].mean() > CONTAMINATED)
    return np.stack(chips), np.array(cloudy)


def video(seeds: list[int], steps: int) -> Iterator[str]:
    """Teach on the chips of all worlds but the last, compare on those of the last."""
    taught = np.concatenate([chips_of(seed)[0] for seed in seeds[:-1]])
    chips, cloudy = chips_of(seeds[-1])
    settings = replace(video_recipe.settings_of("small"), epochs=1, epoch_steps=steps)
    network = video_recipe.train_video("small", taught, settings).learned.network
    seen, truth = chips[:, : chip_dataset.CONDITIONING], chips[:, chip_dataset.CONDITIONING :]
    torch.manual_seed(seeds[-1])
    futures = network.eval().generate(torch.from_numpy(seen), samples=10).numpy()
    methods = chip_scores.baseline_correlations(seen, truth)
    methods["model"] = chip_scores.correlations(futures.mean(1), truth)
    yield f"\n{len(taught)} sequences taught, {len(chips)} compared, {cloudy.mean():.0%} of last frames with cloud\n"
    yield "| method | lead | mean CI | low | medium | high | model ahead by (95 %) |\n|---|---|---|---|---|---|---|"
    for row in chip_scores.evaluation_table(methods, "model"):
        ahead = row["ahead"]
        yield (f"| {row['method']} | {row['lead']} | {row['mean']:.3f} | {row['low']:.2f} | {row['medium']:.2f} | "
               f"{row['high']:.2f} | {ahead['mean']:+.3f} ({ahead['lo']:+.3f} to {ahead['hi']:+.3f}) |")
        if row["method"] == "persistence" and row["headline"]:
            bar = 0.03 if cloudy.mean() >= CLOUDY else -0.02
            headline = Check("SVG-LP (small), mean CI ahead of persistence at t2", ahead["mean"], bar, below=False)
    yield f"\n{headline}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seeds", type=int, nargs="+", help="seeds of the worlds; --video needs at least two")
    parser.add_argument("--video", action="store_true", help="also teach and compare the small SVG-LP")
    parser.add_argument("--steps", type=int, default=300, help="training steps of the SVG-LP")
    asked = parser.parse_args()
    for seed in asked.seeds:
        print(f"\nworld {seed} (simulated)\n\n| check | value | bar | |\n| --- | --- | --- | --- |")
        for part in (translations, ice_flow):
            for line in part(seed):
                print(line, flush=True)
    if asked.video:
        if len(asked.seeds) < 2:
            parser.error("--video teaches on all worlds but the last: give at least two seeds")
        for line in video(asked.seeds, asked.steps):
            print(line, flush=True)


if __name__ == "__main__":
    main()
