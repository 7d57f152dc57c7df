"""How hard a world is: every setting that the two profiles differ in, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """Settings of a world's surface, light and sensors. Shares are fractions of 1; lengths say their unit."""

    name: str
    relief_sd_m: float = 45.0  # of the rough ground off the ice
    debris_share: float = 0.0  # of the first ice, below the equilibrium line
    debris_patch_m: float = 100.0
    dirty_ice_share: float = 0.0
    lake_share: float = 0.0  # of the ground without ice
    bright_rock_share: float = 0.0
    vegetation: bool = True
    nunataks: int = 0  # a glacier
    tributaries: int = 0  # a glacier
    haze: float = 0.0  # reflectance that the air adds in the visible
    sun_lower_deg: float = 0.0
    snow_sd_m: float = 120.0  # of the snow line from year to year
    snow_memory: float = 0.0  # correlation of one year's snow line with the next
    clear_share: float = 0.4  # of the passes with hardly a cloud
    snow_called_cloud: float = 0.05
    thin_cloud_missed: float = 0.10
    misregistration_sd_px: float = 0.2


EASY = Profile("easy")
ALPS_LIKE = Profile(
    "alps_like",
    relief_sd_m=150.0,
    debris_share=0.17,
    dirty_ice_share=0.10,
    lake_share=0.06,
    bright_rock_share=0.20,
    nunataks=2,
    haze=0.03,
    sun_lower_deg=10.0,
)
PROFILES: dict[str, Profile] = {profile.name: profile for profile in (EASY, ALPS_LIKE)}
