"""Two stored images become one velocity field: which band is followed, what holds still, and what it may be called.

Between reflectance images it is displacement of the surface; between snow-and-ice frames only the *mask* moves, which
is no velocity of ice. The two never share a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import numpy as np

from workers.imagery import bands
from workers.imagery.grid import Grid
from workers.imagery.rasters import MissingBands, Stack
from workers.motion.farneback import dense_flow, surface_displacement
from workers.motion.velocity import SHORT_DAYS, Velocity, ground_pixel_m, stable_terrain, velocity

SURFACE, MASK = "surface displacement", "mask motion"
FOLLOWED = ("nir", "red", "green")
"""The first of these that both images have is followed: texture of bare ice shows best in the near infrared."""
HIGH_PASS_PX = 5.0
SNOW_NDSI = 0.4
LAYERS = ("v", "vx", "vy")


def days_between(images: Sequence[tuple[str, datetime]]) -> list[float]:
    """Days from each (name, moment) to the next. Raises ValueError naming one that is not later than the one before."""
    gaps = []
    for (before, then), (after, now) in pairwise(images):
        gaps.append((now - then).total_seconds() / 86_400)
        if gaps[-1] <= 0:
            raise ValueError(f"{after} ({now:%Y-%m-%d}) is not later than {before} ({then:%Y-%m-%d}); name the earlier "
                             "one first")  # fmt: skip
    return gaps


def between(first: Stack, second: Stack, days: float, ice: np.ndarray, slope_deg: np.ndarray | None) -> Velocity:
    """Mask motion between two NDSI frames, else displacement of the surface (see `of_surface`); both on one grid."""
    if "ndsi" in first.bands and "ndsi" in second.bands:
        return of_masks(first, second, days)
    return of_surface(first, second, days, ice, slope_deg)


def of_surface(first: Stack, second: Stack, days: float, ice: np.ndarray, slope_deg: np.ndarray | None) -> Velocity:
    """Velocity of the surface between two reflectance images on one grid, corrected by what holds still around the ice.

    ice (H, W) bool: where glaciers are; without any nothing is known to hold still. slope_deg (H, W), None where no
    elevation is stored: then every slope counts as stable and the flag "slope_unknown" says so. Raises ValueError
    where nothing could be followed or the second image is not the later one, MissingBands by name.
    """
    name = followed_band(first, second)
    one, other = first.band(name), second.band(name)
    if not ice.any():
        flow, stable, flags = dense_flow(one, other, high_pass_px=HIGH_PASS_PX), None, ["no_glacier_known"]
    else:
        flow = surface_displacement(one, other, ice, high_pass_px=HIGH_PASS_PX)
        slope = np.zeros(ice.shape) if slope_deg is None else slope_deg
        stable = stable_terrain(ice, slope, perhaps_snow(first) | perhaps_snow(second))
        flags = ["slope_unknown"] if slope_deg is None else []
    return _finished(flow, first.grid, days, stable, SURFACE, flags)


def of_masks(first: Stack, second: Stack, days: float) -> Velocity:
    """Apparent motion of the snow-and-ice pattern between two NDSI frames on one grid; nothing in it holds still."""
    one, other = (bands.snow_ice(frame.band("ndsi")) for frame in (first, second))
    return _finished(dense_flow(one, other), first.grid, days, None, MASK, ["apparent"])


def followed_band(first: Stack, second: Stack) -> str:
    """The band in which both images are compared. Raises MissingBands."""
    for name in FOLLOWED:
        if name in first.bands and name in second.bands:
            return name
    raise MissingBands(f"Motion needs one of {', '.join(FOLLOWED)} in both images; they have "
                       f"{', '.join(first.bands)} and {', '.join(second.bands)}.")  # fmt: skip


def on_ice(image: Stack, ice: np.ndarray) -> np.ndarray:
    """The band that is followed (H, W), NaN off the ice; the whole of it where no glacier is known."""
    band = image.band(followed_band(image, image))
    return np.where(ice, band, np.nan) if ice.any() else band


def perhaps_snow(image: Stack) -> np.ndarray:
    """(H, W) bool: snow, or unknown. An image without the bands to tell is taken to be snow-free."""
    if not {"green", "swir1"} <= set(image.bands):
        return np.zeros(image.grid.shape, bool)
    return ~(bands.ndsi(image.band("green"), image.band("swir1")) < SNOW_NDSI)


def as_stack(found: Velocity, grid: Grid) -> Stack:
    """Speed, east and north components in m a year as the layers v, vx and vy of a raster."""
    return Stack(np.stack([found.speed, found.east, found.north]), LAYERS, grid)


def remarks(found: Velocity, days: float) -> list[str]:
    """What a reader must be told, in sentences."""
    told = {
        "short_interval": f"only {days:.1f} days lie between the images (fewer than {SHORT_DAYS}): noise may outgrow "
                          "the motion",
        "no_stable_terrain": "no stable terrain was seen: no correction, and the uncertainty is not known",
        "no_glacier_known": "no glacier is known here: ice and ground were measured together, without correction",
        "slope_unknown": "no elevation is stored here: steep ground counts as stable too",
        "apparent": "this is the apparent motion of the snow pattern, not a velocity of ice",
    }  # fmt: skip
    return [told[flag] for flag in found.flags]


def _finished(flow: np.ndarray, grid: Grid, days: float, stable: np.ndarray | None, label: str,
              flags: list[str]) -> Velocity:
    found = velocity(flow, ground_pixel_m(grid), days, stable, label=label)
    if not np.isfinite(found.east).any():
        raise ValueError("nothing could be followed: the images share no pixel, have no contrast, or changed too much; "
                         "choose two clear ones of the same season")  # fmt: skip
    if label == MASK:
        flags = [*flags, *(flag for flag in found.flags if flag != "no_stable_terrain")]
        return replace(found, flags=tuple(flags))
    return replace(found, flags=(*found.flags, *flags))
