"""A simulated world: glaciers whose truth is known to the pixel, and what a satellite would deliver of them."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal

import numpy as np
from affine import Affine

from workers.imagery.grid import Grid

from . import calendar, clouds, cover, flow, optical, quality, radar, retreat, sensors, snow, terrain
from .calendar import Pass
from .noise import fractal, generator
from .profiles import PROFILES, Profile

PIXEL_M = 30.0
DEFAULT_RATES = (-0.01, -0.002, 0.0)
# Open ocean near 46 N 30 W, so that nobody takes a simulated glacier for a real one; worlds of other seeds lie beside.
NORTH_CRS, SOUTH_CRS = "EPSG:32626", "EPSG:32726"
WEST_M, NORTH_M, SOUTH_M = 271_200.0, 5_099_100.0, 4_905_000.0
APART_M, PLACES = 12_000.0, 8


@dataclass(frozen=True)
class Scene:
    """One delivered acquisition with its truth. Rows of `dn`: blue to swir2, thermal, qa_pixel (8, H, W) uint16."""

    id: str
    of: Pass
    dn: np.ndarray
    sun_azimuth_deg: float
    sun_elevation_deg: float
    cloud_cover_percent: float  # as the mask says, over the image
    image_quality: int
    ice: np.ndarray
    snow: np.ndarray
    sky: clouds.Sky
    shift_px: tuple[float, float]  # truth lies here, the image this much further (rows, columns)

    BANDS = (*cover.BANDS, "thermal", "qa_pixel")


class World:
    """Deterministic in (seed, settings); each scene in (seed, sensor, day), whatever was made before it.

    `years` are the first and the last calendar year. There are three glaciers, or as many as fit; glacier k changes by
    `rates[k]` a year (natural logarithm) or as a `retreat.Step` says, from 1 January of the first year, and flows at
    a speed drawn from `v_max_m_per_year`. ValueError for settings that cannot be.
    """

    def __init__(
        self,
        seed: int,
        profile: str | Profile = "easy",
        size: int = 256,
        years: tuple[int, int] = (1985, 2024),
        glaciers: int | None = None,
        rates: Sequence[float | retreat.Step] | None = None,
        southern: bool = False,
        v_max_m_per_year: tuple[float, float] = (60.0, 160.0),
    ) -> None:
        self.seed, self.size, self.years, self.southern = seed, size, years, southern
        self.profile = _profile(profile)
        changes = _changes(min(3, max(1, size // 64)) if glaciers is None and rates is None else glaciers, rates)
        _check(seed, size, years, len(changes))
        self.grid = _grid(seed, size, southern)
        self.terrain = terrain.build(generator(seed, "terrain"), size, len(changes), self.profile)
        self.dem = self.terrain.dem
        self.glaciers = tuple(self._glacier(k, change, v_max_m_per_year) for k, change in enumerate(changes))
        self.ground = cover.lay_out(seed, self.terrain, self.profile, PIXEL_M)
        self._texture = flow.Texture(seed, self.velocity_m_per_year, PIXEL_M)
        self._snow_pattern = fractal(generator(seed, "snow pattern"), self.dem.shape, 1.8)

    def _glacier(self, number: int, change: retreat.Step, v_max: tuple[float, float]) -> retreat.Glacier:
        letter = string.ascii_uppercase[number]
        valley = self.terrain.valleys[number]
        rng = generator(self.seed, "glacier", number)
        return retreat.Glacier(
            letter=letter,
            name=f"Simulated glacier {letter} (world {self.seed})",
            local_id=f"SIM-{self.seed:04d}-{letter}",
            change=change,
            start=float(self.years[0]),
            n_start=retreat.first_pixels(int(valley.pool.sum()), change, self.years),
            rank=retreat.ranking(rng, valley, self.dem),
            v_max_m_per_year=float(rng.uniform(*v_max)),
        )

    # truth

    @cached_property
    def velocity_m_per_year(self) -> np.ndarray:
        """East and north velocity (2, H, W) of the largest extent."""
        return flow.velocity_m_per_year(self.terrain.valleys, list(self.glaciers))

    def labels(self, decimal_year: float) -> np.ndarray:
        """Number of the glacier from 1, 0 = none, (H, W) uint8."""
        numbers = np.zeros(self.dem.shape, np.uint8)
        for number, glacier in enumerate(self.glaciers, 1):
            numbers[glacier.ice(decimal_year)] = number
        return numbers

    def ice(self, decimal_year: float) -> np.ndarray:
        """Mask (H, W) bool of all ice."""
        return self.labels(decimal_year) > 0

    def area_km2(self, number: int, decimal_year: float) -> float:
        """True area of glacier `number` (from 0), the projection's scale included."""
        area = np.broadcast_to(self.grid.pixel_area_km2(), self.dem.shape)
        return float(area[self.glaciers[number].ice(decimal_year)].sum())

    def snow(self, day: date) -> np.ndarray:
        """Snow-covered share of each pixel (H, W)."""
        settings = self.profile
        anomaly = snow.yearly_anomaly_m(self.seed, day.year, settings.snow_sd_m, settings.snow_memory, self.years[0])
        line = snow.line_m(calendar.decimal_year(day) % 1, self.southern) + anomaly
        return snow.cover(self.dem, self._snow_held, self._snow_pattern, line)

    @cached_property
    def _snow_held(self) -> np.ndarray:
        return snow.held(terrain.slope_deg(self.dem, PIXEL_M))

    @cached_property
    def _light(self) -> optical.Light:
        return optical.Light(self.dem, PIXEL_M, self.sun_azimuth_deg)

    @property
    def sun_azimuth_deg(self) -> float:
        """Clockwise from north; in the south the sun stands in the north-east."""
        return 180.0 - optical.SUN_AZIMUTH_DEG if self.southern else optical.SUN_AZIMUTH_DEG

    # what is delivered

    def passes(self, scenes_per_year: int | Literal["full"] = 6) -> list[Pass]:
        """The acquisitions of the world in time order: so many a year, or the whole calendar."""
        everything = calendar.full(self.seed, self.profile, self.years, self.southern)
        if scenes_per_year == "full":
            return everything
        return calendar.chosen(self.seed, everything, scenes_per_year, self.southern)

    def one_pass(self, sensor: str, day: date, cloud_share: float | None = None) -> Pass:
        """A pass of "L5", "L7" or "L8" on any day, with its own cloud or the share that is asked for."""
        found = calendar.one_pass(self.seed, self.profile, sensor, day)
        return found if cloud_share is None else Pass(found.sensor, day, cloud_share)

    def reflectance(self, of: Pass) -> np.ndarray:
        """Reflectance (6, H, W) of the ground on a day, lit, without air, clouds and sensor."""
        return self._lit(of, self.ice(of.decimal_year), self.snow(of.day))[0]

    def _lit(self, of: Pass, ice: np.ndarray, snowy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        water = self.ground.lakes & (snowy < 0.5)
        factor = self._light.factor(self.sun_elevation_deg(of), water)
        level = optical.surface(self.ground, ice, self._texture.at(of.decimal_year), snowy, self._summer(of))
        return level * factor, factor

    def sun_elevation_deg(self, of: Pass) -> float:
        """Elevation of the sun at a pass."""
        return optical.sun_elevation_deg(of.decimal_year % 1, self.profile, self.southern)

    def _summer(self, of: Pass) -> float:
        line = snow.line_m(of.decimal_year % 1, self.southern)
        return (line - snow.MEAN_LINE_M + snow.AMPLITUDE_M) / (2 * snow.AMPLITUDE_M)

    def scene(self, of: Pass) -> Scene:
        """What the sensor delivers of a pass, with the truth of that moment."""
        rng = generator(self.seed, "scene", of.sensor.code, of.day.toordinal())
        ice, snowy = self.ice(of.decimal_year), self.snow(of.day)
        sun = (self.sun_azimuth_deg, self.sun_elevation_deg(of))
        sky = clouds.sky(rng, self.dem.shape, of.cloud_share, sun, PIXEL_M)
        lit, factor = self._lit(of, ice, snowy)
        shift_px = sensors.misregistration(rng, self.profile)
        image = sensors.seen(optical.through_air(lit, sky, self.profile.haze), shift_px)
        kelvin = optical.temperature_k(self.dem, np.maximum(ice, snowy), factor, sky, self._summer(of))
        kelvin = sensors.seen(kelvin, shift_px) + rng.normal(0, 0.4, kelvin.shape)
        mask = self._mask(rng, of, ice, snowy, sky)
        dn = self._delivered(rng, of, sensors.measured(rng, image, of.sensor), kelvin, mask)
        percent = 100 * float((mask & quality.CLOUD > 0).mean())
        rated = 9 if rng.random() < 0.93 else 7
        return Scene(self.scene_id(of), of, dn, *sun, percent, rated, ice, snowy, sky, shift_px)

    def _mask(
        self, rng: np.random.Generator, of: Pass, ice: np.ndarray, snowy: np.ndarray, sky: clouds.Sky
    ) -> np.ndarray:
        snow_covered = snowy > 0.4
        white = snow_covered | (ice & ~self.ground.debris)
        cloud, wrong = quality.flagged_cloud(rng, sky, snow_covered, self.profile)
        return quality.qa_pixel(cloud, wrong, sky.shadow, white, self.ground.lakes, of.sensor.cirrus)

    def _delivered(
        self, rng: np.random.Generator, of: Pass, image: np.ndarray, kelvin: np.ndarray, mask: np.ndarray
    ) -> np.ndarray:
        dn = np.empty((8, *self.dem.shape), np.uint16)
        dn[:6] = sensors.encode(np.minimum(image, 1.6), sensors.REFLECTANCE_SCALE, sensors.REFLECTANCE_OFFSET)
        dn[6] = sensors.encode(kelvin, sensors.THERMAL_SCALE, sensors.THERMAL_OFFSET)
        dn[7] = mask
        if of.sensor.slc_off(of.day):
            gap = sensors.stripes(rng, self.dem.shape)
            dn[:7, gap] = 0
            dn[7, gap] = quality.FILL
        return dn

    def echo(self, day: date) -> radar.Echo:
        """A radar acquisition of a day (`calendar.radar_days` has the usual ones)."""
        rng = generator(self.seed, "radar", day.toordinal())
        when = calendar.decimal_year(day)
        ice, snowy = self.ice(when), self.snow(day)
        lasting = self._radar_patterns
        level_db = radar.backscatter_db(self.ground, ice, snowy, self._melt(when), lasting.rough)
        power = radar.observed_power(rng, level_db)
        coherence = radar.observed_coherence(rng, self.ground, ice, snowy, lasting)
        return radar.Echo(power, coherence, *radar.geometry(self.dem, PIXEL_M))

    def _melt(self, decimal_year: float) -> float:
        line = snow.line_m(decimal_year % 1, self.southern)
        return float(np.clip((line - snow.MEAN_LINE_M) / (0.6 * snow.AMPLITUDE_M), 0, 1))

    @cached_property
    def _radar_patterns(self) -> radar.Patterns:
        return radar.patterns(generator(self.seed, "radar patterns"), self.dem.shape)

    def scene_id(self, of: Pass) -> str:
        """SIM_L5_19850817_0001: simulated, sensor, day, seed."""
        return f"SIM_{of.sensor.code}_{of.day:%Y%m%d}_{self.seed:04d}"

    def echo_id(self, day: date) -> str:
        """SIM_S1_20160106_0001: simulated, radar, day, seed."""
        return f"SIM_S1_{day:%Y%m%d}_{self.seed:04d}"


def _profile(profile: str | Profile) -> Profile:
    if isinstance(profile, Profile):
        return profile
    if profile not in PROFILES:
        raise ValueError(f"profile {profile!r} is unknown: choose one of {', '.join(PROFILES)}")
    return PROFILES[profile]


def _changes(glaciers: int | None, rates: Sequence[float | retreat.Step] | None) -> list[retreat.Step]:
    if rates is None:
        rates = [DEFAULT_RATES[number % 3] for number in range(glaciers or 0)]
    if glaciers is not None and glaciers != len(rates):
        raise ValueError(f"{glaciers} glaciers but {len(rates)} rates: give one rate a glacier")
    return [rate if isinstance(rate, retreat.Step) else retreat.Step(float(rate), np.inf, 0.0) for rate in rates]


def _check(seed: int, size: int, years: tuple[int, int], glaciers: int) -> None:
    if seed < 0:
        raise ValueError(f"seed is {seed}: take a whole number from 0 up")
    if not 1 <= glaciers <= max(1, size // 64):
        raise ValueError(f"{glaciers} glaciers do not fit {size} px: take 1 to {max(1, size // 64)}, 64 px each")
    if not 96 <= size <= 2048:
        raise ValueError(f"size is {size} px: take 96 to 2048")
    if not 1985 <= years[0] <= years[1] <= 2024:
        raise ValueError(f"years are {years}: the calendar runs from 1985 to 2024, the first not after the last")


def _grid(seed: int, size: int, southern: bool) -> Grid:
    east = WEST_M + APART_M * (seed % PLACES)
    top = (SOUTH_M if southern else NORTH_M) - APART_M * (seed // PLACES % PLACES)
    return Grid(SOUTH_CRS if southern else NORTH_CRS, Affine(PIXEL_M, 0, east, 0, -PIXEL_M, top), size, size)
