"""C-band radar: backscatter with speckle, and 12-day interferometric coherence, in 15 acquisitions a year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import terrain
from .cover import Ground
from .noise import fractal, patches, top_share

LOOKS = 4.4
INCIDENCE_DEG = 39.0
LOOK_AZIMUTH_DEG = 80.0  # an ascending pass that looks to the right
DRIFT_DB = 0.3
ICE_DB, WET_ICE_DB, DEBRIS_DB, ROCK_DB, WATER_DB, WET_SNOW_DB = -9.0, -14.0, -10.0, -11.0, -20.0, -4.0
ROCK_SD_DB = 3.0
ICE_COHERENCE, DEBRIS_COHERENCE, GROUND_COHERENCE, WATER_COHERENCE = 0.22, 0.42, 0.72, 0.10
SNOW_LOSS, PATCH_LOSS, PATCH_PX = 0.25, 0.35, 9.0
PASSING_SHARE, LASTING_SHARE = 0.10, 0.05  # of the image: patches that lose coherence once, and always
SLOW_SD, FAST_SD = 0.10, 0.13


@dataclass(frozen=True)
class Echo:
    """One acquisition: gamma nought in linear power and coherence, (H, W) float32; masks (H, W) bool."""

    co_pol: np.ndarray
    coherence: np.ndarray
    layover: np.ndarray
    shadow: np.ndarray

    @property
    def co_pol_db(self) -> np.ndarray:
        """10 log10 of the power, floored at -60 dB."""
        return 10 * np.log10(np.maximum(self.co_pol, 1e-6))


def backscatter_db(ground: Ground, ice: np.ndarray, snow: np.ndarray, melt: float, rough: np.ndarray) -> np.ndarray:
    """Mean gamma nought (H, W) in dB; `melt` in 0..1 wets ice and snow, `rough` of sd 1 varies rock and soil."""
    bare = np.where(ground.lakes, WATER_DB, ROCK_DB + ROCK_SD_DB * rough)
    clean = ICE_DB + melt * (WET_ICE_DB - ICE_DB)
    level = np.where(ice, np.where(ground.debris, DEBRIS_DB, clean), bare)
    return level + WET_SNOW_DB * melt * snow


def observed_power(rng: np.random.Generator, level_db: np.ndarray) -> np.ndarray:
    """Linear power with gamma speckle of 4.4 looks and the instrument's drift."""
    drift = rng.uniform(-DRIFT_DB, DRIFT_DB)
    speckle = rng.gamma(LOOKS, 1 / LOOKS, level_db.shape)
    return (10 ** ((level_db + drift) / 10) * speckle).astype(np.float32)


@dataclass(frozen=True)
class Patterns:
    """What stays the same from one acquisition to the next, so that averaging does not remove it; (H, W) each."""

    rough: np.ndarray  # sd 1, varies the backscatter of rock and soil
    uneven: np.ndarray  # sd 1, varies coherence slowly
    lost: np.ndarray  # where coherence is always low: scree that creeps, plants that move


def patterns(rng: np.random.Generator, shape: tuple[int, int]) -> Patterns:
    """Draw the lasting patterns of a world."""
    everywhere = np.ones(shape, bool)
    lost = top_share(patches(rng, shape, PATCH_PX), LASTING_SHARE, everywhere)
    return Patterns(fractal(rng, shape, 1.6), fractal(rng, shape, 2.0), lost)


def observed_coherence(
    rng: np.random.Generator, ground: Ground, ice: np.ndarray, snow: np.ndarray, lasting: Patterns
) -> np.ndarray:
    """Coherence (H, W) in 0..1: low where ice moved, high on bare ground, lost under snow and in patches."""
    shape = ice.shape
    bare = np.where(ground.lakes, WATER_COHERENCE, GROUND_COHERENCE)
    mean = np.where(ice, np.where(ground.debris, DEBRIS_COHERENCE, ICE_COHERENCE), bare)
    lost = lasting.lost | top_share(patches(rng, shape, PATCH_PX), PASSING_SHARE, np.ones(shape, bool))
    uneven = (lasting.uneven + fractal(rng, shape, 2.0)) / np.sqrt(2)
    noise = SLOW_SD * uneven + FAST_SD * rng.standard_normal(shape, dtype=np.float32)
    return np.clip(mean - SNOW_LOSS * snow - PATCH_LOSS * lost + noise, 0, 1).astype(np.float32)


def geometry(dem: np.ndarray, pixel_m: float) -> tuple[np.ndarray, np.ndarray]:
    """(layover, shadow) masks (H, W): slopes that face the radar too steeply, or turn away from it."""
    east, north = terrain.gradient(dem, pixel_m)
    look = np.radians(LOOK_AZIMUTH_DEG)
    rise = east * np.sin(look) + north * np.cos(look)  # along the beam, away from the radar
    facing_deg = np.degrees(np.arctan(rise))
    return facing_deg >= INCIDENCE_DEG, facing_deg <= INCIDENCE_DEG - 90
