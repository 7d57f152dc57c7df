"""Landsat-like instruments: when they pass, and what they do to the light that reaches them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy.ndimage import correlate1d
from scipy.special import ndtr

from .profiles import Profile

REFLECTANCE_SCALE, REFLECTANCE_OFFSET = 2.75e-5, -0.2  # Landsat Collection 2 Level 2
THERMAL_SCALE, THERMAL_OFFSET = 0.00341802, 149.0
REVISIT_DAYS = 16
SLC_FAILED = date(2003, 5, 31)
STRIPE_PERIOD_PX, STRIPE_FROM_PX, STRIPE_TO_PX = 33, 2.0, 14.0
CALIBRATION_SD = 0.015
PSF_SIGMA_PX = 0.45
STEPS_8_BIT = 255


@dataclass(frozen=True)
class Sensor:
    """One satellite: `first` is the date of a pass, later ones follow every 16 days until `last`."""

    code: str
    platform: str
    instruments: tuple[str, ...]
    first: date
    last: date
    noise_sd: float
    eight_bit: bool
    saturates: bool  # in the visible, over snow
    cirrus: bool  # has a band that sees it

    def passes(self, years: tuple[int, int]) -> list[date]:
        """Every pass from the first to the last of these years."""
        start = max(0, -((self.first - date(years[0], 1, 1)).days // REVISIT_DAYS))
        day, found = self.first + timedelta(days=REVISIT_DAYS * start), []
        while day <= min(self.last, date(years[1], 12, 31)):
            found.append(day)
            day += timedelta(days=REVISIT_DAYS)
        return found

    def slc_off(self, day: date) -> bool:
        """Whether the scan-line corrector is off: wedge-shaped gaps."""
        return self.code == "L7" and day >= SLC_FAILED


# Dates of the missions (USGS); the three satellites share a path, eight days apart.
LANDSAT_5 = Sensor("L5", "landsat-5", ("tm",), date(1984, 4, 6), date(2011, 11, 15), 0.012, True, True, False)
LANDSAT_7 = Sensor("L7", "landsat-7", ("etm+",), date(1999, 7, 1), date(2024, 12, 31), 0.008, True, False, False)
LANDSAT_8 = Sensor("L8", "landsat-8", ("oli", "tirs"), date(2013, 4, 12), date(2024, 12, 31), 0.008, False, False, True)
SENSORS = (LANDSAT_5, LANDSAT_7, LANDSAT_8)
BY_CODE = {sensor.code: sensor for sensor in SENSORS}


def _kernel(offset_px: float, radius: int = 3) -> np.ndarray:
    """Point spread of a Gaussian that is centred `offset_px` away, integrated over each pixel."""
    tap = np.arange(-radius, radius + 1)
    weight = ndtr((tap + 0.5 - offset_px) / PSF_SIGMA_PX) - ndtr((tap - 0.5 - offset_px) / PSF_SIGMA_PX)
    return weight / weight.sum()


def seen(image: np.ndarray, shift_px: tuple[float, float]) -> np.ndarray:
    """Blur by the point spread and move the content by `shift_px` = (towards higher rows, higher columns)."""
    rows = correlate1d(image, _kernel(-shift_px[0]), axis=-2, mode="nearest")
    return correlate1d(rows, _kernel(-shift_px[1]), axis=-1, mode="nearest")


def measured(rng: np.random.Generator, reflectance: np.ndarray, sensor: Sensor) -> np.ndarray:
    """Calibration error, noise, saturation of the visible and 8-bit steps on reflectance (6, H, W)."""
    gain = rng.normal(1.0, CALIBRATION_SD, size=(len(reflectance), 1, 1)).astype(np.float32)
    value = reflectance * gain + sensor.noise_sd * rng.standard_normal(reflectance.shape, dtype=np.float32)
    if sensor.saturates:
        value[:3] = np.minimum(value[:3], 1.0)
    return np.round(value * STEPS_8_BIT) / STEPS_8_BIT if sensor.eight_bit else value


def stripes(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Gaps (H, W) bool of the failed scan-line corrector: 2 px wide on the middle column, 14 px at the edges."""
    row, col = np.indices(shape)
    from_middle = np.abs(2 * col / (shape[1] - 1) - 1)
    width = STRIPE_FROM_PX + (STRIPE_TO_PX - STRIPE_FROM_PX) * from_middle
    phase, tilt = rng.uniform(0, STRIPE_PERIOD_PX), rng.choice([-1, 1]) * 0.16
    return (row + tilt * col + phase - width / 2) % STRIPE_PERIOD_PX > STRIPE_PERIOD_PX - width


def encode(values: np.ndarray, scale: float, offset: float) -> np.ndarray:
    """Integers as the archive delivers them: uint16, 1..65535, 0 kept for fill."""
    return np.clip(np.rint((values - offset) / scale), 1, 65535).astype(np.uint16)


def misregistration(rng: np.random.Generator, profile: Profile) -> tuple[float, float]:
    """Error of a scene's place in pixels: (towards higher rows, towards higher columns)."""
    row, col = rng.normal(0, profile.misregistration_sd_px, 2)
    return float(row), float(col)
