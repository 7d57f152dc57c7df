from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from affine import Affine
from scipy.ndimage import fourier_shift, gaussian_filter, median_filter

from workers.imagery import align, bands
from workers.imagery.align import AlignSettings, register, template, warp
from workers.imagery.grid import Grid, WrongGrid
from workers.imagery.rasters import MissingBands, Stack
from workers.imagery.simulate import PROFILES, World

SIZE = 128
GRID = Grid("EPSG:32632", Affine(30, 0, 500_010, 0, -30, 5_200_020), SIZE, SIZE)


def ground(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rough = gaussian_filter(rng.standard_normal((SIZE, SIZE)), 1.5, mode="wrap")
    broad = gaussian_filter(rng.standard_normal((SIZE, SIZE)), 8, mode="wrap")
    return (0.3 + 0.05 * rough / rough.std() + 0.08 * broad / broad.std()).astype(np.float32)


def shifted(image: np.ndarray, dy: float, dx: float) -> np.ndarray:
    """Moved by a fraction of a pixel in the Fourier domain: independent of any resampling of ours."""
    return np.fft.ifft2(fourier_shift(np.fft.fft2(image), (dy, dx))).real.astype(np.float32)


def test_shifts_of_half_a_pixel_are_found_to_a_tenth() -> None:
    rng = np.random.default_rng(1)
    still = ground()
    residuals = []
    for dy, dx in rng.normal(0, 0.5, (12, 2)):
        noisy = shifted(still, dy, dx) + rng.normal(0, 0.004, still.shape).astype(np.float32)
        found = register(still, noisy)
        assert found.status == "translation"
        residuals.append(np.hypot(found.matrix[0, 2] - dx, found.matrix[1, 2] - dy))
    assert np.median(residuals) <= 0.1


@pytest.mark.parametrize(("months", "limit_px"), [((7, 8, 9), 0.1), ((2, 5, 8, 11), 0.2)])
def test_simulated_scenes_are_registered_to_a_tenth_of_a_pixel_within_a_season(months, limit_px) -> None:
    world = World(6, replace(PROFILES["easy"], misregistration_sd_px=0.5), 128, (2014, 2016))
    scenes = [world.scene(world.one_pass("L8", date(y, m, 12), 0.0)) for y in (2014, 2015, 2016) for m in months]
    frames = np.stack([bands.scale(s.dn[s.BANDS.index("swir1")], "landsat-c2-l2-sr") for s in scenes])
    target = template(frames)
    found = np.array([register(target, frame).matrix[[1, 0], 2] for frame in frames])
    apart = found - np.array([s.shift_px for s in scenes])
    residual = np.hypot(*(apart - np.median(apart, axis=0)).T)  # the template lies at the mean of the shifts
    assert np.median(residual) <= limit_px


def test_a_warp_brings_the_frame_back_and_leaves_nan_at_the_border() -> None:
    still = ground()
    found = register(still, shifted(still, 1.3, -0.8))
    back = warp(shifted(still, 1.3, -0.8), found)
    assert np.isnan(back[-1]).all()
    inner = np.s_[4:-4, 4:-4]
    assert np.sqrt(np.mean((back - still)[inner] ** 2)) < 0.2 * np.sqrt(
        np.mean((shifted(still, 1.3, -0.8) - still)[inner] ** 2)
    )


def test_a_move_too_small_to_be_worth_a_resampling_is_left_alone() -> None:
    still = ground()
    for settings, move, status in ((align.SERIES, 0.2, "identity"), (align.SERIES, 0.7, "translation"),
                                   (align.DEFAULT, 0.2, "translation")):  # fmt: skip
        assert register(still, shifted(still, 0.0, move), settings).status == status


def test_a_large_move_is_rejected_and_the_frame_stays_where_it_is() -> None:
    still = ground()
    far = register(still, shifted(still, 4.5, 0.0))
    assert (far.status, far.corner_px) == ("identity", 0.0)
    np.testing.assert_array_equal(far.matrix, np.eye(3))
    allowed = register(still, shifted(still, 4.5, 0.0), AlignSettings(max_corner_px=6))
    assert allowed.status == "translation"


@pytest.mark.parametrize("tiles", [(1, 1), (7, 2)])  # the correlation of a larger image is that of every second row
def test_the_correlation_is_that_of_the_warped_image_or_of_the_image_left_alone(tiles: tuple[int, int]) -> None:
    still, near, far = (np.tile(shifted(ground(), down, -0.6 * down), tiles) for down in (0.0, 0.4, 4.5))
    near[20:30, 20:30] = np.nan
    plain = AlignSettings(high_pass_px=0)
    found = register(still, near, plain)
    back = warp(near, found)
    back[[0, -1]] = back[:, [0, -1]] = np.nan
    seen = np.isfinite(back)
    assert found.status == "translation"
    assert found.correlation == pytest.approx(np.corrcoef(still[seen], back[seen])[0, 1], abs=2e-4)
    left = register(still, far, plain)
    assert left.status == "identity"
    assert left.correlation == pytest.approx(np.corrcoef(still.ravel(), far.ravel())[0, 1], abs=1e-4)


def test_a_frame_that_shows_something_else_is_not_forced_onto_the_template() -> None:
    found = register(ground(0), ground(7))
    assert found.corner_px <= 3
    assert found.status == "identity" or found.correlation > 0
    flat = register(ground(0), np.full((SIZE, SIZE), 0.4, dtype=np.float32))
    assert flat.status == "identity"
    empty = register(ground(0), np.full((SIZE, SIZE), np.nan, dtype=np.float32))
    assert empty.status == "identity"


def test_a_homography_that_folds_falls_back_to_something_simpler() -> None:
    still = ground()
    noisy = shifted(still, 0.4, 0.3)
    noisy[:, :70] = np.nan
    found = register(still, noisy, align.PAPER)
    assert found.status in align.MOTIONS or found.status == "identity"
    assert found.corner_px <= 3


def test_moving_ice_is_left_out_by_the_mask() -> None:
    still = ground()
    ice = np.zeros(still.shape, dtype=bool)
    ice[:, 30:98] = True
    moved = np.where(ice, shifted(still, 0.0, 2.0), still)
    masked = register(still, moved, mask=~ice)
    assert np.hypot(masked.matrix[0, 2], masked.matrix[1, 2]) < 0.05
    unmasked = register(still, moved)
    assert abs(unmasked.matrix[0, 2]) > 0.3


def test_a_whole_series_is_aligned_with_all_bands_and_reports_its_common_ground() -> None:
    still = ground()
    moves = [(0.0, 0.0), (0.6, -0.5), (-0.7, 0.4), (0.3, 0.8), (-0.4, -0.6)]
    stacks = [Stack(np.stack([shifted(still, *m), 2 * shifted(still, *m)]), ("swir1", "red"), GRID) for m in moves]
    aligned, warps, common = align.align(stacks)
    inner = np.s_[4:-4, 4:-4]
    before = np.std([s.band("red")[inner] for s in stacks], axis=0).mean()
    after = np.std([s.band("red")[inner] for s in aligned], axis=0).mean()
    assert after < 0.35 * before
    assert len(warps) == 5
    assert common[inner].all()
    assert not common.all()
    with pytest.raises(MissingBands, match="no band green"):
        align.align(stacks, align.PAPER)


def test_quality_masks_are_moved_with_their_scene_and_never_mixed() -> None:
    still, qa = ground(), np.where(ground(3) > 0.3, 21_824.0, 22_280.0).astype(np.float32)
    moves = [(0.0, 0.0), (1.6, -1.4), (-1.6, 1.4)]
    stacks = [Stack(np.stack([shifted(still, *move), qa]), ("swir1", "qa"), GRID) for move in moves]
    moved, warps, _ = align.align(stacks)
    assert warps[1].status == "translation"
    for one in moved:
        assert set(np.unique(one.band("qa")[4:-4, 4:-4])) == {21_824.0, 22_280.0}
    assert (moved[1].band("qa") != qa).any()


def test_a_series_is_aligned_scene_by_scene_and_read_twice() -> None:
    still, read = ground(), []

    def stacks():
        for n, move in enumerate([(0.5, 0.0), (-0.5, 0.4), (0.0, -0.4)]):
            read.append(n)
            yield Stack(shifted(still, *move)[None], ("swir1",), GRID)

    moved = align.aligned(stacks)
    assert read == []
    next(moved)
    assert read == [0, 1, 2, 0]
    assert [found.status for _, found in moved] == ["translation"] * 2


def test_scenes_on_different_grids_and_none_at_all_are_refused() -> None:
    other = Grid(GRID.crs, GRID.transform @ Affine.translation(0.5, 0), SIZE, SIZE)
    pair = [Stack(ground()[None], ("swir1",), grid) for grid in (GRID, other)]
    with pytest.raises(WrongGrid, match="different grids"):
        align.align(pair)
    with pytest.raises(ValueError, match="at least one frame"):
        align.align([])


def test_the_template_is_the_median_filtered_mean_of_what_was_seen() -> None:
    frames = np.stack([ground(0), ground(0)])
    frames[0, 5:9, 5:9] = np.nan
    frames[0, 60, 60] = frames[1, 60, 60] = 50.0
    expected = median_filter(np.nanmean(frames, axis=0), size=3, mode="nearest")
    expected -= expected.min()
    made = template(frames)
    np.testing.assert_allclose(made, expected / expected.max(), atol=1e-6)
    assert np.unravel_index(made.argmax(), made.shape) != (60, 60)  # the single bright pixel is gone


def test_an_image_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"does not lie on a template of \(128, 128\)"):
        register(ground(), ground()[:-1])


def test_an_unknown_motion_is_refused() -> None:
    with pytest.raises(ValueError, match="use one of translation, euclidean"):
        register(ground(), ground(), AlignSettings(motion="spline"))
