"""QA_PIXEL of Landsat Collection 2 (USGS LSDS-1619), made from the truth with the errors of a real mask."""

from __future__ import annotations

import numpy as np

from .clouds import Sky, dilated
from .noise import patches, top_share
from .profiles import Profile

FILL, DILATED, CIRRUS, CLOUD, SHADOW, SNOW, CLEAR, WATER = (1 << bit for bit in range(8))
CLOUD_CONFIDENCE, SHADOW_CONFIDENCE, SNOW_CONFIDENCE, CIRRUS_CONFIDENCE = 8, 10, 12, 14
LOW, HIGH = 1, 3


def flagged_cloud(
    rng: np.random.Generator, sky: Sky, snow: np.ndarray, profile: Profile
) -> tuple[np.ndarray, np.ndarray]:
    """What a mask algorithm calls cloud: (clouds without their thinnest parts, snow taken for cloud), (H, W) each."""
    missed = top_share(-sky.opacity, profile.thin_cloud_missed, sky.cloud)
    wrong = top_share(patches(rng, snow.shape, 8.0), profile.snow_called_cloud, snow & ~sky.cloud)
    return sky.cloud & ~missed, wrong


def qa_pixel(
    cloud: np.ndarray, wrong: np.ndarray, shadow: np.ndarray, snow: np.ndarray, water: np.ndarray, oli: bool
) -> np.ndarray:
    """QA_PIXEL (H, W) uint16 of masks (H, W) bool. Sensors without a cirrus band leave bits 2, 14 and 15 at 0.

    Clouds get a dilated rim; snow taken for cloud gets none, so that the stated share of it is what is lost.
    """
    near = dilated(cloud) & ~wrong
    cloud = cloud | wrong
    snow = snow & ~cloud
    shadow = shadow & ~cloud
    value = np.zeros(cloud.shape, np.uint16)
    bits = {DILATED: near, CLOUD: cloud, SHADOW: shadow, SNOW: snow, CLEAR: ~(cloud | near)}
    bits[WATER] = water & ~(cloud | snow)
    for bit, mask in bits.items():
        value |= np.where(mask, bit, 0).astype(np.uint16)
    for place, mask in ((CLOUD_CONFIDENCE, cloud), (SHADOW_CONFIDENCE, shadow), (SNOW_CONFIDENCE, snow)):
        value |= np.where(mask, HIGH << place, LOW << place).astype(np.uint16)
    return value | np.uint16(LOW << CIRRUS_CONFIDENCE if oli else 0)
