"""Bars that need no training: exact areas, gap fill, registration, motion, and one glacier through its break-up."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import motion_worlds
import numpy as np
import science_pictures
from science_page import Row, over, under
from scipy.ndimage import gaussian_filter, label
from shapely import MultiPolygon

from predictions import trends
from workers.imagery import bands
from workers.imagery.align import register, template
from workers.imagery.gaps import gap_fill
from workers.imagery.grid import Grid, rasterize
from workers.imagery.simulate import PROFILES, World
from workers.motion.farneback import surface_displacement
from workers.segmentation import outlines

SWIR1 = 4
SUMMERS = [date(year, month, 12) for year in (2014, 2015, 2016) for month in (7, 8, 9)]
LEAST_PIECE_KM2 = 0.05
FAST = (-0.05, -0.07, -0.03)  # a year: rates at which tributaries are cut off


def truth_slopes(seeds: Sequence[int]) -> Iterator[Row]:
    """Least-squares slope of ln area of the exact masks beside the rate that the world was built with."""
    apart = []
    for seed in seeds:
        world = World(seed)
        years = np.arange(1985.7, 2025)
        for number, glacier in enumerate(world.glaciers):
            if glacier.n_start >= 5000 and glacier.rate <= 0:
                line = trends.fit(years, [world.area_km2(number, year) for year in years])
                apart.append(abs(line.slope - glacier.rate))
    yield under("truth masks: OLS ln-slope less the rate, per year, worst glacier", max(apart), 2e-5, "{:.1e}",
                f"{len(apart)} glaciers of at least 5,000 px, rates 0, -0.2 and -1 % a year")  # fmt: skip


def simulator_time(seeds: Sequence[int]) -> Iterator[Row]:
    """Forty years of 256 px at six scenes a year, all made and dropped."""
    began = time.process_time()
    world = World(seeds[0], "alps_like", 256, (1985, 2024))
    made = sum(1 for one in world.passes(6) if world.scene(one))
    spent = time.process_time() - began
    yield under("simulator: processor seconds for 40 years of 256 px at six scenes a year", spent, 60, "{:.0f}",
                f"{made} scenes on one core, seed {seeds[0]}")  # fmt: skip


def gap_filling(seeds: Sequence[int]) -> Iterator[Row]:
    """Two-pixel stripes, every 17 px, in a smooth field."""
    image, inside = [], []
    for seed in seeds:
        field = gaussian_filter(np.random.default_rng(seed).standard_normal((256, 256)), 2)
        field *= 0.1 / field.std()
        striped = field.copy()
        striped[:, np.arange(256) % 17 < 2] = np.nan
        filled, was, _ = gap_fill(striped)
        image.append(float(np.sqrt(np.mean((filled - field) ** 2))))
        inside.append(float(np.sqrt(np.mean((filled - field)[was] ** 2))))
    note = f"worst seed; over the filled pixels alone {max(inside):.3f}: half a hill of sigma 2 px lies in the gap"
    name = "gap fill of 2-px stripes, field of sigma 2 px and sd 0.1: RMSE of the image"
    yield under(name, max(image), 0.02, note=note)


def registration(seeds: Sequence[int]) -> Iterator[Row]:
    """Cloud-free summer frames moved by N(0, 0.5 px), brought back by the default alignment."""
    left: dict[str, list[float]] = {"whole": [], "ground": []}
    for seed in seeds:
        world = World(seed, replace(PROFILES["easy"], misregistration_sd_px=0.5), 256, (2014, 2016))
        scenes = [world.scene(world.one_pass("L8", day, 0.0)) for day in SUMMERS]
        frames = np.stack([bands.scale(scene.dn[SWIR1], bands.LANDSAT_SR) for scene in scenes])
        true = np.array([scene.shift_px for scene in scenes])
        left["whole"] += residuals(frames, true, None)
        left["ground"] += residuals(frames, true, ~world.ice(2014.0))
    note = f"{len(left['whole'])} cloud-free summer frames; with the ice masked out {np.median(left['ground']):.3f}"
    yield under("ECC (default) on shifts of N(0, 0.5 px): median residual, px", float(np.median(left["whole"])), 0.1,
                note=note)  # fmt: skip


def residuals(frames: np.ndarray, true: np.ndarray, mask: np.ndarray | None) -> list[float]:
    """Distance (px) of each found shift from the true one; the template lies at the mean of the shifts."""
    goal = template(frames)
    apart = np.array([register(goal, frame, mask=mask).matrix[[1, 0], 2] for frame in frames]) - true
    return [float(one) for one in np.hypot(*(apart - np.median(apart, axis=0)).T)]


def motion(seeds: Sequence[int]) -> Iterator[Row]:
    """The checks of motion_worlds.py."""
    for seed in seeds:
        for part in (motion_worlds.translations, motion_worlds.ice_flow):
            for check in part(seed):
                row = under if check.below else over
                yield row(check.name, check.value, check.bar, note=f"world {seed}")
    pair = motion_worlds.Pair(seeds[0])
    found = surface_displacement(pair.first, pair.second, pair.ice)
    science_pictures.flow_beside_truth(pair.first, pair.true, found, pair.ice, f"flow_seed_{seeds[0]}")


def identity(seeds: Sequence[int]) -> Iterator[Row]:
    """A glacier that loses its tributaries and shrinks to a rest keeps its identifier through forty years."""
    kept: list[bool] = []
    broken = 0
    for seed in seeds:
        world = World(seed, replace(PROFILES["easy"], tributaries=3), 256, (1985, 2024), rates=FAST)
        domains = outlines.domains_of({one.local_id: _shape(one.ice(1985.7), world.grid) for one in world.glaciers})
        for year in range(1986, 2025):
            cut = outlines.to_glaciers(world.ice(year + 0.7), world.grid, domains)
            for glacier in world.glaciers:
                ice = glacier.ice(year + 0.7)
                sizes = np.sort(np.bincount(label(ice)[0].ravel())[1:] * 0.0009)
                if len(sizes) and sizes[-1] >= LEAST_PIECE_KM2:
                    broken += len(sizes) > 1 and sizes[-2] >= LEAST_PIECE_KM2
                    kept.append(glacier.local_id in cut and _mostly(cut[glacier.local_id], ice, world.grid))
    note = f"{len(kept)} glacier-years of 39 years, {broken} of them in two or more pieces of at least 0.05 km2"
    share = float(np.mean(kept))
    yield over("identity: share of glacier-years under the glacier's own identifier", share, 1.0, note=note)
    if not broken:
        yield Row("identity: a glacier fell apart", "at least once", "never", False, "choose another seed")


def _shape(mask: np.ndarray, grid: Grid) -> MultiPolygon:
    """All pieces of a mask as one shape in longitude and latitude."""
    pieces = outlines.trace(mask, grid)
    return MultiPolygon([part for piece in pieces for part in piece.geometry.geoms])


def _mostly(shape: MultiPolygon, ice: np.ndarray, grid: Grid) -> bool:
    """Whether the shape covers the true ice: intersection over union of at least 0.9."""
    drawn = rasterize([shape], grid) > 0
    return bool((drawn & ice).sum() >= 0.9 * (drawn | ice).sum())
