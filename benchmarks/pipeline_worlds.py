"""Scenes of simulated worlds as the pipeline sees them: scaled, masked, with elevation and radar on the same grid."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from workers.imagery import bands
from workers.imagery.rasters import Stack
from workers.imagery.simulate import Scene, World
from workers.imagery.simulate.calendar import radar_days
from workers.learning.samples import SegmentSample

OPTICAL = bands.CANONICAL
WITH_DEM = (*OPTICAL, "elevation", "slope")
EVERYTHING = (*WITH_DEM, "co_pol_db", "coherence")
CLOUD_SHARE = 0.05
SENSORS = (("L5", range(1986, 2011)), ("L8", range(2014, 2024)))


def optical_stack(world: World, scene: Scene, dem: bool = True) -> Stack:
    """Six bands of reflectance, NaN under clouds, shadows and stripes, with elevation in metres."""
    pixels = bands.scale(scene.dn[:6], bands.LANDSAT_SR)
    pixels[:, bands.qa_pixel_invalid(scene.dn[7])] = np.nan
    if not dem:
        return Stack(pixels, OPTICAL, world.grid, noon(scene.of.day))
    return Stack(np.concatenate([pixels, world.dem[None]]), (*OPTICAL, "elevation"), world.grid, noon(scene.of.day))


def full_stack(world: World, scene: Scene) -> Stack:
    """`optical_stack` with the nearest radar acquisition of the year."""
    echo = world.echo(min(radar_days(scene.of.day.year), key=lambda day: abs(day - scene.of.day)))
    plain = optical_stack(world, scene)
    pixels = np.concatenate([plain.pixels, echo.co_pol[None], echo.coherence[None]])
    return Stack(pixels, (*plain.bands, "co_pol", "coherence"), world.grid, plain.acquired)


def radar_stack(world: World, day: date) -> Stack:
    """One radar acquisition in linear power, with coherence."""
    echo = world.echo(day)
    return Stack(np.stack([echo.co_pol, echo.coherence]), ("co_pol", "coherence"), world.grid, noon(day))


def late_summer_scene(world: World, rng: np.random.Generator) -> Scene:
    """One nearly clear scene between year fraction 0.60 and 0.72 of a year drawn at random."""
    code, years = SENSORS[int(rng.integers(2))]
    day = date(int(rng.choice(years)), 1, 1) + timedelta(days=int(365 * rng.uniform(0.60, 0.72)))
    return world.scene(world.one_pass(code, day, CLOUD_SHARE))


def sample(seed: int, profile: str = "alps_like", size: int = 256) -> SegmentSample:
    """One late-summer scene of one world with everything that a mapper may read, and the exact mask."""
    world = World(seed, profile, size)
    scene = late_summer_scene(world, np.random.default_rng(seed))
    return SegmentSample(full_stack(world, scene), scene.ice, f"world {seed}")


def noon(day: date) -> datetime:
    """12:00 UTC of a day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
