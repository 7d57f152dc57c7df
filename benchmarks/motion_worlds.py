"""Motion on simulated worlds whose velocity is known: `python benchmarks/motion_worlds.py SEED [SEED ...]`.

Flow of textures that were moved exactly; flow of simulated ice between two late summers, clean, and with noise and
misregistration before and after the correction by stable terrain; search of 21-px chips. Everything here is simulated.
A bar that is missed is printed as missed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
from scipy.ndimage import fourier_shift, gaussian_filter, shift

from workers.imagery.simulate import World
from workers.motion.chips import find
from workers.motion.farneback import dense_flow, surface_displacement
from workers.motion.velocity import stable_terrain, velocity

FIRST, SECOND = date(2019, 9, 1), date(2020, 9, 1)  # the simulator renews the pattern on the ice every three years
NIR, CHIP, NOISE, MISREGISTRATION_PX = 3, 21, 0.008, 0.2


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seeds", type=int, nargs="+", help="seeds of the worlds")
    asked = parser.parse_args()
    for seed in asked.seeds:
        print(f"\nworld {seed} (simulated)\n\n| check | value | bar | |\n| --- | --- | --- | --- |")
        for part in (translations, ice_flow):
            for line in part(seed):
                print(line, flush=True)


if __name__ == "__main__":
    main()
