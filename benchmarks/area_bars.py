"""Bars of areas in time: a mapper's trend beside the true rate, and whether intervals hold what they promise.

Ten worlds of three glaciers (-1, -0.2 and 0 % a year), 34 years, four late-summer scenes a year with their own clouds.
A forest learns on other worlds. Intervals are judged crosswise: one half of the worlds says how wrong the mapper is,
the other half is asked whether that held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import science_pictures
from pipeline_worlds import OPTICAL, WITH_DEM, optical_stack
from science_page import Row, over, told, under

from predictions import standard_errors, trends
from workers.imagery import bands
from workers.imagery.rasters import Stack
from workers.imagery.simulate import World
from workers.learning.forest_recipe import train_forest
from workers.learning.samples import SegmentSample
from workers.segmentation import areas as measuring
from workers.segmentation import outlines
from workers.segmentation.intervals import ErrorModel
from workers.segmentation.segment import segment_stack

WORLDS, SIZE, PROFILE = 10, 192, "alps_like"
YEARS = (*range(1989, 2012), *range(2013, 2024))
SCENES_A_YEAR, FIRST_DAY, DAYS_APART, CANDIDATES = 4, (8, 1), 6, 9
TAUGHT_WORLDS, TAUGHT_YEARS = 6, (1990, 1996, 2003, 2010, 2014, 2022)
DRAWN = 40


@dataclass(frozen=True)
class Series:
    """One glacier as one mapper saw it."""

    world: int
    title: str
    rate: float
    years: tuple[float, ...]
    mapped: tuple[float, ...]
    true: tuple[float, ...]
    interval: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())

    @property
    def line(self) -> trends.LogLinear:
        """The trend as the product fits it, outliers left out."""
        kept = ~trends.outliers(self.years, self.mapped)
        return trends.fit(np.array(self.years)[kept], np.array(self.mapped)[kept])

    @property
    def slope_error(self) -> float:
        """Of ln area, per year."""
        return self.line.slope - self.rate

    @property
    def errors(self) -> np.ndarray:
        """Relative area error of each date."""
        return np.array(self.mapped) / np.array(self.true) - 1


def areas(seeds: Sequence[int]) -> Iterator[Row]:
    """Trends by forests with and without elevation and by an NDSI threshold; intervals of areas and of trends."""
    for seed in seeds:
        forests = taught(seed)
        found: dict[str, list[Series]] = {}
        for number in range(WORLDS):
            for mapper, series in mapped(World(1000 * seed + 600 + number, PROFILE, SIZE), number, forests).items():
                found.setdefault(mapper, []).extend(series)
            print(f"areas: world {number + 1} of {WORLDS}", flush=True)
        yield from _trend_rows(found, f"seed {seed}: {WORLDS} worlds, `{PROFILE}`, {SIZE} px, forest of 50 trees")
        yield from _interval_rows(found["DEM"], seed)


def taught(seed: int) -> dict[str, object]:
    """Two forests, with and without elevation, from worlds that are not among those compared."""
    samples = []
    for number in range(TAUGHT_WORLDS):
        world = World(1000 * seed + 700 + number, PROFILE, SIZE)
        for year in TAUGHT_YEARS:
            scene = world.scene(_clearest(world, year)[0])
            samples.append(SegmentSample(optical_stack(world, scene), scene.ice, f"world {number}"))
    return {name: train_forest("small", samples, seed, _quiet, names, held_out=False).learned
            for name, names in (("DEM", WITH_DEM), ("optical", OPTICAL))}  # fmt: skip


def mapped(world: World, number: int, forests: Mapping[str, object]) -> dict[str, list[Series]]:
    """Every glacier of a world through all its scenes, by every mapper."""
    domains = outlines.domains_of({one.local_id: _outline(one.ice(YEARS[0]), world) for one in world.glaciers})
    share = outlines.inside(np.ones(world.grid.shape, bool), world.grid, domains)
    places = [share == k for k in range(1, len(world.glaciers) + 1)]
    table: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    for one in (one for year in YEARS for one in _clearest(world, year)):
        stack = optical_stack(world, world.scene(one))
        stack.pixels[: len(OPTICAL), ~np.any(places, axis=0)] = np.nan  # nobody counts there; slopes need all heights
        for mapper, probability in _maps(stack, forests).items():
            for k, place in enumerate(places):
                seen = measuring.measure(probability, world.grid, place)
                if seen and seen.hard_km2 > 0 and "partial_coverage" not in seen.flags:
                    row = (one.decimal_year, seen.hard_km2, world.area_km2(k, one.decimal_year))
                    table.setdefault((mapper, k), []).append(row)
    found: dict[str, list[Series]] = {}
    for (mapper, k), rows in table.items():
        glacier = world.glaciers[k]
        found.setdefault(mapper, []).append(Series(number, f"{glacier.name}, {100 * glacier.rate:+.1f} % a year",
                                                   glacier.rate, *zip(*rows, strict=True)))  # fmt: skip
    return found


def _maps(stack: Stack, forests: Mapping[str, object]) -> dict[str, np.ndarray]:
    index = bands.ndsi(stack.band("green"), stack.band("swir1"))
    ndsi = np.where(np.isnan(index), np.nan, index >= 0.4)
    return {**{name: segment_stack(stack, learned) for name, learned in forests.items()}, "NDSI": ndsi}


def _clearest(world: World, year: int) -> list:
    """The four passes of a late summer with the least cloud, in order of time."""
    days = [date(year, *FIRST_DAY) + timedelta(days=DAYS_APART * k) for k in range(CANDIDATES)]
    passes = [world.one_pass("L5" if year < 2012 else "L8", day) for day in days]
    return sorted(sorted(passes, key=lambda one: one.cloud_share)[:SCENES_A_YEAR], key=lambda one: one.day)


def _outline(mask: np.ndarray, world: World):
    return outlines.to_glaciers(mask, world.grid, {}, smooth=False)[None]


def _trend_rows(found: Mapping[str, list[Series]], note: str) -> Iterator[Row]:
    dem = np.array([(one.rate, one.slope_error) for one in found["DEM"]])
    slow = np.abs(dem[dem[:, 0] > -0.005, 1])
    fast = np.abs(dem[dem[:, 0] <= -0.005, 1])
    bias = max(abs(dem[dem[:, 0] == rate, 1].mean()) for rate in np.unique(dem[:, 0]))
    yield under("area trend, forest with DEM, 0 and -0.2 %: worst error per year", slow.max(), 0.0015, "{:.4f}",
                f"{note}; {np.mean(slow <= 0.0015):.0%} of {len(slow)} glaciers within the bar")  # fmt: skip
    yield under("area trend, forest with DEM, -1 %: worst error per year", fast.max(), 0.003, "{:.4f}",
                f"{np.mean(fast <= 0.003):.0%} of {len(fast)} glaciers within the bar")  # fmt: skip
    yield under("area trend, forest with DEM: mean bias, worst of the three rates", bias, 0.0015, "{:.4f}")
    optical = np.abs([one.slope_error for one in found["optical"]])
    yield under("area trend, optical only: median error per year", float(np.median(optical)), 0.002, "{:.4f}")
    yield under("area trend, optical only: worst error per year", optical.max(), 0.006, "{:.4f}")
    ndsi = [one for one in found["NDSI"] if one.rate == -0.01]
    error, size = np.mean([one.slope_error for one in ndsi]), np.mean([1 + one.errors.mean() for one in ndsi])
    yield told("area trend, NDSI threshold at -1 % (snow is not ice: biased)", f"{error:+.4f} per year",
               f"area x {size:.2f} of the truth")  # fmt: skip


def _interval_rows(series: list[Series], seed: int) -> Iterator[Row]:
    halves = [[one for one in series if one.world % 2 == side] for side in (0, 1)]
    slopes, dates, shown = [], [], []
    for judged, judge in (halves, halves[::-1]):
        spread = float(np.std([one.slope_error for one in judge], ddof=1))
        known = [np.concatenate([getattr(one, name) for one in judge]) for name in ("errors", "mapped")]
        errors = ErrorModel.of(*known)
        for one in judged:
            interval = standard_errors.slope_errors(one.line, mapper_sd=spread)[0]
            plain = standard_errors.ols(one.line) * standard_errors.quantile(one.line)
            slopes.append((interval.lo <= one.rate <= interval.hi, (interval.hi - interval.lo) / 2,
                           abs(one.slope_error) <= plain))  # fmt: skip
            ends = np.array([errors.interval_km2(area) for area in one.mapped]).T
            holds = (ends[0] <= one.true) & (one.true <= ends[1])
            dates.append(np.stack([holds, (ends[1] - ends[0]) / 2 / one.mapped]))
            shown.append(replace(one, interval=(tuple(ends[0]), tuple(ends[1]))))
    science_pictures.area_series(shown[:3], f"areas_seed_{seed}")
    covered, half, ordinary = np.array(slopes, float).T
    per_date = np.concatenate(dates, axis=1)
    note = f"seed {seed}: {len(slopes)} glaciers of {WORLDS} worlds, crosswise; ordinary OLS {ordinary.mean():.0%}"
    yield over("95 % trend interval (default error): covers the true rate", covered.mean(), 0.85, "{:.2f}", note)
    drawn = drawn_coverage(series, np.random.default_rng(seed))
    yield over(f"the same over {DRAWN} worlds drawn from truth and the mapper's error", drawn, 0.85, "{:.2f}")
    spread = float(np.std([one.slope_error for one in series], ddof=1))
    wide = float(np.median(half)) / spread
    yield under("trend interval: median half-width over the spread of the estimates", wide, 3, "{:.2f}")
    yield Row("95 % area interval: coverage", "0.85 to 1", f"{per_date[0].mean():.3f}",
              bool(per_date[0].mean() >= 0.85), f"{per_date.shape[1]} glacier-dates, crosswise")  # fmt: skip
    yield under("95 % area interval: median half-width over the area", float(np.median(per_date[1])), 0.15)


def drawn_coverage(series: list[Series], rng: np.random.Generator) -> float:
    """Coverage over drawn worlds: true line, a slope error of the mapper, and its scatter from date to date."""
    errors = np.array([one.slope_error for one in series])
    scatter = float(np.mean([np.sqrt(one.line.variance or 0) for one in series]))
    spread = float(np.std(errors, ddof=1))
    years = np.array(series[0].years)
    held = 0
    for rate in rng.choice([0.0, -0.002, -0.01], DRAWN):
        slope = rate + rng.normal(errors.mean(), spread)
        logs = slope * (years - years[0]) + rng.normal(0, scatter, len(years))
        interval = standard_errors.slope_errors(trends.fit(years, np.exp(logs)), mapper_sd=spread)[0]
        held += interval.lo <= rate <= interval.hi
    return held / DRAWN


def _quiet(fraction: float, step: str, **curves: object) -> None:
    """Nobody watches."""
