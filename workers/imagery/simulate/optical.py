"""The light that leaves the ground: mixed spectra, illumination, snow, air, clouds, and the ground's temperature."""

from __future__ import annotations

import numpy as np

from . import terrain
from .clouds import SHADOW_LEFT, SPECTRUM, Sky
from .cover import SPECTRA, Cover, Ground
from .profiles import Profile

SUN_AZIMUTH_DEG = 150.0
DIFFUSE = 0.25
BRIGHTEST = 2.2  # of cos i / sin(elevation): a low sun on a steep face, before the sensor saturates
LOWEST_SUN_DEG = 8.0
TEXTURE = 0.12
HAZE_SHAPE = np.array([1.3, 1.1, 1.0, 0.7, 0.3, 0.2], np.float32)
MELTING_K, LAPSE_K_PER_M = 273.15, 0.0065
CLOUD_TOP_K = 258.0


def sun_elevation_deg(year_fraction: float, profile: Profile, southern: bool) -> float:
    """Elevation of the sun at the passes: 22 degrees in winter, 66 in summer, lower where the profile says so."""
    season = year_fraction + (0.5 if southern else 0.0)
    return float(max(44 - 22 * np.cos(2 * np.pi * season) - profile.sun_lower_deg, LOWEST_SUN_DEG))


class Light:
    """Illumination of a terrain by a sun at a fixed azimuth and any elevation."""

    def __init__(self, dem: np.ndarray, pixel_m: float, azimuth_deg: float) -> None:
        east, north = terrain.gradient(dem, pixel_m)
        self._upright = (1 / np.sqrt(1 + east**2 + north**2)).astype(np.float32)
        azimuth = np.radians(azimuth_deg)
        # horizontal part of the normal along the sun's azimuth; the normal is (-east, -north, 1)
        self._towards = (-(east * np.sin(azimuth) + north * np.cos(azimuth)) * self._upright).astype(np.float32)
        self._horizon_deg = terrain.horizon_deg(dem, azimuth_deg, pixel_m)

    def shadow(self, elevation_deg: float) -> np.ndarray:
        """Cast shadow (H, W) bool."""
        return self._horizon_deg > elevation_deg

    def factor(self, elevation_deg: float, flat: np.ndarray) -> np.ndarray:
        """Brightness (H, W) relative to level ground in full sun; pixels of `flat` (water) are level."""
        elevation = np.radians(elevation_deg)
        incidence = self._upright * np.sin(elevation) + self._towards * np.cos(elevation)
        relative = np.clip(np.where(flat, np.sin(elevation), incidence) / np.sin(elevation), 0, BRIGHTEST)
        lit = DIFFUSE + (1 - DIFFUSE) * relative
        return np.where(self.shadow(elevation_deg), DIFFUSE, lit).astype(np.float32)


def surface(ground: Ground, ice: np.ndarray, texture: np.ndarray, snow: np.ndarray, summer: float) -> np.ndarray:
    """Reflectance (6, H, W) of level ground; `summer` in 0..1 dries the vegetation when it is low and ages the snow."""
    off_ice = ground.off_ice
    if summer < 0.5:
        brown = SPECTRA[Cover.ROCK] * 0.8 - SPECTRA[Cover.VEGETATION]
        off_ice = off_ice + (0.5 - summer) * brown[:, None, None] * ground.vegetation
    bare = np.where(ice, ground.on_ice * (1 + TEXTURE * texture), off_ice)
    white = SPECTRA[Cover.SNOW] * (1 - 0.1 * summer * np.array([0.3, 0.4, 0.5, 0.8, 1.5, 1.5], np.float32))
    return bare * (1 - snow) + white[:, None, None] * snow


def through_air(reflectance: np.ndarray, sky: Sky, haze: float) -> np.ndarray:
    """Cloud shadow, haze and cloud over reflectance (6, H, W)."""
    shaded = reflectance * (1 - (1 - SHADOW_LEFT) * sky.shade) + haze * HAZE_SHAPE[:, None, None]
    return shaded * (1 - sky.opacity) + SPECTRUM[:, None, None] * sky.opacity


def temperature_k(dem: np.ndarray, frozen: np.ndarray, factor: np.ndarray, sky: Sky, summer: float) -> np.ndarray:
    """Surface temperature (H, W) in K: lapse rate, sunny side warmer, ice and snow never above melting."""
    air = 278.0 + 20.0 * summer - LAPSE_K_PER_M * (dem - 1500.0)
    ground = air + 6.0 * (factor - 1) * (0.4 + 0.6 * summer) - 4.0 * sky.shade
    bare = ground + frozen * (np.minimum(ground, MELTING_K) - ground)
    return bare * (1 - sky.opacity) + CLOUD_TOP_K * sky.opacity
