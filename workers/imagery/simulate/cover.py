"""What the ground is made of: classes, their spectra, and the fixed patches of a world."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from scipy.ndimage import binary_dilation, gaussian_filter
from scipy.special import expit

from .noise import fractal, generator, patches, top_share
from .profiles import Profile
from .terrain import Terrain, rough_ground, slope_deg

BANDS = ("blue", "green", "red", "nir", "swir1", "swir2")
TREE_LINE_M = 2900.0
ABLATION_SHARE = 0.65  # of the ice lies below the equilibrium line


class Cover(IntEnum):
    """Classes of the class map."""

    ROCK = 0
    BRIGHT_ROCK = 1
    VEGETATION = 2
    WATER = 3
    ICE = 4
    DIRTY_ICE = 5
    DEBRIS = 6  # debris-covered ice
    SNOW = 7


# Surface reflectance of pure classes, blue to swir2.
SPECTRA: dict[Cover, np.ndarray] = {
    Cover.ROCK: np.array([0.10, 0.12, 0.14, 0.17, 0.22, 0.20], np.float32),
    Cover.BRIGHT_ROCK: np.array([0.24, 0.28, 0.31, 0.34, 0.36, 0.32], np.float32),
    Cover.VEGETATION: np.array([0.04, 0.07, 0.05, 0.32, 0.18, 0.09], np.float32),
    Cover.WATER: np.array([0.06, 0.06, 0.04, 0.02, 0.01, 0.01], np.float32),
    Cover.ICE: np.array([0.52, 0.50, 0.45, 0.36, 0.05, 0.035], np.float32),
    Cover.DIRTY_ICE: np.array([0.29, 0.30, 0.29, 0.26, 0.13, 0.11], np.float32),
    Cover.DEBRIS: np.array([0.13, 0.14, 0.16, 0.18, 0.21, 0.19], np.float32),
    Cover.SNOW: np.array([0.88, 0.86, 0.83, 0.76, 0.11, 0.08], np.float32),
}


@dataclass(frozen=True)
class Ground:
    """Fixed patches of a world; masks are (H, W) bool, `off_ice` and `on_ice` reflectances (6, H, W) float32."""

    bright: np.ndarray
    lakes: np.ndarray
    vegetation: np.ndarray  # covered share, (H, W) float32
    debris: np.ndarray
    dirty: np.ndarray
    off_ice: np.ndarray
    on_ice: np.ndarray

    def classes(self, ice: np.ndarray, snow: np.ndarray) -> np.ndarray:
        """Class map (H, W) uint8 for an ice mask and a snow-covered share (H, W)."""
        off = np.select(
            [self.lakes, self.vegetation > 0.5, self.bright],
            [Cover.WATER, Cover.VEGETATION, Cover.BRIGHT_ROCK],
            Cover.ROCK,
        )
        on = np.select([self.debris, self.dirty], [Cover.DEBRIS, Cover.DIRTY_ICE], Cover.ICE)
        return np.where(snow > 0.5, Cover.SNOW, np.where(ice, on, off)).astype(np.uint8)


def lay_out(seed: int, terrain: Terrain, profile: Profile, pixel_m: float) -> Ground:
    """Draw the patches of a world and mix their spectra."""
    rng = generator(seed, "cover")
    shape, ice = terrain.dem.shape, terrain.pool
    slope = slope_deg(terrain.dem, pixel_m)
    lakes = _lakes(rng, terrain, slope, profile)
    bright = top_share(fractal(rng, shape, 2.4), profile.bright_rock_share, np.ones(shape, bool))
    vegetation = _vegetation(rng, terrain.dem, slope) * profile.vegetation * ~lakes
    debris = _debris(rng, terrain, profile, pixel_m)
    dirty = top_share(patches(rng, shape, 6.0), profile.dirty_ice_share, ice) & ~debris
    off_ice = _off_ice(rng, bright, lakes, vegetation)
    on_ice = _mixed(rng, {Cover.ICE: ~(debris | dirty), Cover.DIRTY_ICE: dirty, Cover.DEBRIS: debris})
    return Ground(bright, lakes, vegetation.astype(np.float32), debris, dirty, off_ice, on_ice)


def _lakes(rng: np.random.Generator, terrain: Terrain, slope: np.ndarray, profile: Profile) -> np.ndarray:
    away = ~binary_dilation(terrain.pool, iterations=2)
    height = terrain.dem - terrain.dem.min()
    lowness = patches(rng, slope.shape, 14.0) - 0.05 * gaussian_filter(slope, 3) - height / 2000
    return top_share(lowness, profile.lake_share, away)


def _vegetation(rng: np.random.Generator, dem: np.ndarray, slope: np.ndarray) -> np.ndarray:
    warm = expit((TREE_LINE_M - dem + 90 * fractal(rng, dem.shape, 2.0)) / 60)
    return warm * np.clip((48 - slope) / 15, 0, 1) * np.clip(0.75 + 0.35 * fractal(rng, dem.shape, 1.6), 0, 1)


def _debris(rng: np.random.Generator, terrain: Terrain, profile: Profile, pixel_m: float) -> np.ndarray:
    """Patches below each glacier's equilibrium line, which retreat has left high on the ice."""
    pattern = patches(rng, terrain.dem.shape, profile.debris_patch_m / pixel_m) + fractal(rng, terrain.dem.shape, 2.2)
    debris = np.zeros(terrain.dem.shape, bool)
    for valley in terrain.valleys:
        line_m = np.quantile(terrain.dem[valley.pool], ABLATION_SHARE)
        below = valley.pool & (terrain.dem < line_m)
        debris |= top_share(pattern, min(1.0, profile.debris_share / ABLATION_SHARE), below)
    return debris


def _off_ice(rng: np.random.Generator, bright: np.ndarray, lakes: np.ndarray, vegetation: np.ndarray) -> np.ndarray:
    rock = _mixed(rng, {Cover.ROCK: ~bright, Cover.BRIGHT_ROCK: bright})
    green = SPECTRA[Cover.VEGETATION][:, None, None]
    return np.where(lakes, SPECTRA[Cover.WATER][:, None, None], rock * (1 - vegetation) + green * vegetation)


def _mixed(rng: np.random.Generator, members: dict[Cover, np.ndarray]) -> np.ndarray:
    """Spectra where each mask is set, softened over a pixel; stony classes vary in brightness."""
    shape = next(iter(members.values())).shape
    shares = {kind: gaussian_filter(mask.astype(np.float32), 0.5) for kind, mask in members.items()}
    stones = np.clip(1 + 0.16 * rough_ground(rng, shape, 5.0), 0.5, 1.6)
    total = np.zeros((len(BANDS), *shape), np.float32)
    for kind, share in shares.items():
        brightness = 1.0 if kind is Cover.ICE else stones
        total += SPECTRA[kind][:, None, None] * (share * brightness)
    return total.astype(np.float32)
