"""Which band is followed, what counts as still, and what a field may be called."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine
from scipy.ndimage import gaussian_filter, shift

from workers.imagery.grid import Grid
from workers.imagery.rasters import MissingBands, Stack
from workers.motion import displacement

SIDE = 96
GRID = Grid("EPSG:32632", Affine(30, 0, 500_000, 0, -30, 5_100_000), SIDE, SIDE)
ICE = np.zeros((SIDE, SIDE), bool)
ICE[:, 32:64] = True
FLAT = np.zeros((SIDE, SIDE), np.float32)


def texture(seed=0) -> np.ndarray:
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(SIDE, SIDE)), 1.5)
    return 0.4 + 0.1 * noise / noise.std()


def pair(ice_px: float, ground_px: float = 0.0, snow: float = 0.1) -> tuple[Stack, Stack]:
    """Ice moves south by ice_px rows, everything is shifted by ground_px columns; NDSI is that of green 0.3."""
    ice, ground = texture(1), texture(2)
    images = []
    for moved in (0, 1):
        nir = np.where(ICE, shift(ice, (moved * ice_px, 0), mode="grid-wrap"), ground)
        nir = shift(nir, (0, moved * ground_px), mode="nearest")
        green = np.full_like(nir, 0.3)
        swir1 = green * (1 - snow) / (1 + snow)
        images.append(Stack(np.stack([green, nir, swir1]), ("green", "nir", "swir1"), GRID))
    return images[0], images[1]


def test_ice_that_goes_two_pixels_south_in_a_year_goes_sixty_metres():
    found = displacement.between(*pair(2.0), 365.25, ICE, FLAT)
    inner = ICE.copy()
    inner[:, :37], inner[:, 59:], inner[:12], inner[-12:] = (False,) * 4
    assert np.nanmedian(found.north[inner]) == pytest.approx(-60, abs=3)
    assert np.nanmedian(np.abs(found.east[inner])) < 3
    assert (found.label, found.flags) == ("surface displacement", ())
    assert displacement.remarks(found, 365.25) == []


def test_a_shift_of_the_whole_image_is_taken_off_by_what_holds_still():
    found = displacement.between(*pair(0.0, ground_px=1.0), 365.25, ICE, FLAT)
    assert found.shift_px[0] == pytest.approx(1.0, abs=0.1)
    assert np.nanmedian(np.abs(found.east)) < 3


@pytest.mark.parametrize(
    ("ice", "slope", "snow", "flags"),
    [
        (ICE, None, 0.1, {"slope_unknown"}),
        (ICE, np.full((SIDE, SIDE), 40.0), 0.1, {"no_stable_terrain"}),
        (ICE, FLAT, 0.6, {"no_stable_terrain"}),
        (np.zeros_like(ICE), FLAT, 0.1, {"no_stable_terrain", "no_glacier_known"}),
    ],
    ids=["no elevation", "steep", "snow", "no glacier"],
)
def test_what_is_not_known_is_flagged_and_said(ice, slope, snow, flags):
    found = displacement.between(*pair(1.0, snow=snow), 365.25, ice, slope)
    assert set(found.flags) == flags
    assert len(displacement.remarks(found, 365.25)) == len(flags)
    assert np.isnan(found.uncertainty) == ("no_stable_terrain" in flags)


def test_the_raster_holds_speed_east_and_north():
    found = displacement.between(*pair(2.0), 365.25, ICE, FLAT)
    kept = displacement.as_stack(found, GRID)
    assert kept.bands == ("v", "vx", "vy")
    np.testing.assert_allclose(kept.band("v"), np.hypot(kept.band("vx"), kept.band("vy")), rtol=1e-5)


def test_frames_without_contrast_are_refused():
    flat = Stack(np.full((1, SIDE, SIDE), 0.5), ("nir",), GRID)
    with pytest.raises(ValueError, match="nothing could be followed"):
        displacement.between(flat, flat, 365.25, ICE, FLAT)


def test_images_without_a_common_band_are_refused_by_name():
    first, second = (Stack(texture()[None], (name,), GRID) for name in ("nir", "red"))
    with pytest.raises(MissingBands, match="nir and red"):
        displacement.followed_band(first, second)


def test_days_run_forwards_or_are_refused_by_name():
    moments = [(f"scene {k}", datetime(2020, 1, day, tzinfo=UTC)) for k, day in enumerate((1, 17, 17))]
    assert displacement.days_between(moments[:2]) == [16.0]
    with pytest.raises(ValueError, match=r"scene 2 \(2020-01-17\) is not later than scene 1"):
        displacement.days_between(moments)


def test_off_the_ice_nothing_is_followed_unless_no_glacier_is_known():
    image = pair(0.0)[0]
    assert np.array_equal(np.isfinite(displacement.on_ice(image, ICE)), ICE)
    assert np.isfinite(displacement.on_ice(image, np.zeros_like(ICE))).all()
