"""Which views of a place make a sequence of chips, which of them may teach, and what a network is shown of clouds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from affine import Affine
from scipy.ndimage import gaussian_filter

from workers.imagery.grid import Grid
from workers.imagery.rasters import Stack
from workers.motion import chip_futures, chip_windows, video
from workers.motion.chip_windows import Window

GRID = Grid("EPSG:32626", Affine(30, 0, 500_000, 0, -30, 5_100_000), 60, 40)
FIRST = datetime(2015, 1, 1, tzinfo=UTC)
TEXTURE = gaussian_filter(np.random.default_rng(3).normal(size=(40, 90)), 1.5).astype(np.float32)


def scene(day: int, shift: int = 0, hidden: tuple[slice, slice] | None = None) -> Stack:
    nir = TEXTURE[:, 20 - shift : 80 - shift].copy()
    if hidden:
        nir[hidden] = np.nan
    return Stack(np.stack([nir, 2 * nir + 1]), ("nir", "red"), GRID, FIRST + timedelta(days=day))


def test_views_lie_two_weeks_to_nine_months_apart_and_a_longer_gap_begins_anew():
    days = [0, 5, 20, 40, 400, 410, 430]
    assert chip_windows.views([scene(day) for day in days], "nir", 0, 0, 20) == [[0, 2, 3], [4, 6]]


def test_a_cloud_over_one_place_spoils_no_other():
    cloudy = scene(30, hidden=np.s_[:20, :15])                       # three quarters of the chip at (0, 0)
    stacks = [scene(0), cloudy, scene(60)]
    assert chip_windows.views(stacks, "nir", 0, 0, 20) == [[0, 2]]
    assert chip_windows.views(stacks, "nir", 20, 20, 20) == [[0, 1, 2]]
    half = [scene(0), scene(30, hidden=np.s_[:20, :10]), scene(60)]
    assert chip_windows.views(half, "nir", 0, 0, 20) == [[0, 1, 2]], "half of it hidden is still compared"


def test_no_window_that_teaches_reaches_into_the_last_fifth_and_every_target_that_judges_lies_there():
    stacks = [scene(30 * k) for k in range(20)]
    every = chip_windows.windows(stacks, "nir", 20, 6)
    teach, judge = chip_windows.divided(every, 20, conditioning=4)
    assert len(every) == 15 * len({(w.row, w.col) for w in every}) == 15 * 3 * 5
    assert max(w.scenes[-1] for w in teach) == 15
    assert min(w.scenes[4] for w in judge) == 16
    assert {w.scenes[0] for w in every} - {w.scenes[0] for w in (*teach, *judge)} == {11}


def test_thinning_takes_evenly_from_all():
    some = [Window(0, 0, (k,)) for k in range(10)]
    assert [w.scenes[0] for w in chip_windows.thinned(some, 4)] == [0, 2, 5, 7]
    assert chip_windows.thinned(some, 10) == some


def test_chips_follow_the_surface_in_every_band_and_are_scaled_by_what_was_seen():
    stacks = [scene(30 * k, shift=2 * k) for k in range(4)]
    found = chip_windows.cut(stacks, [Window(10, 10, (0, 1, 2, 3))], ("nir", "red"), "nir", 20, 2)
    assert found.bands == ("nir", "red") and found.frames.shape == (2, 4, 20, 20)
    assert [col for _, col in found.corners[0]] == [10, 12, 14, 16]
    np.testing.assert_allclose(found.frames[0, 3], found.frames[0, 0], atol=1e-6)
    np.testing.assert_allclose(found.frames[1], found.frames[0], atol=1e-5)
    low, high = found.limits[0]
    cut = stacks[0].band("nir")[10:30, 10:30]
    assert (low, high) == pytest.approx((cut.min(), cut.max()))


def test_a_band_without_contrast_gives_no_chip():
    flat = [Stack(np.stack([one.band("nir"), np.ones(GRID.shape)]), ("nir", "red"), GRID, one.acquired)
            for one in (scene(0), scene(30))]  # fmt: skip
    assert chip_windows.cut(flat, [Window(0, 0, (0, 1))], ("nir", "red"), "nir", 20, 1).bands == ("nir",)
    assert chip_windows.cut(flat, [], ("nir",), "nir", 20, 1).frames.shape == (0, 12, 20, 20)


def test_hidden_pixels_take_what_the_conditioning_frames_usually_show_there():
    chips = np.random.default_rng(0).random((2, 5, 4, 4)).astype(np.float32)
    chips[0, 1, 0, 0] = chips[0, 4, 0, 0] = np.nan
    chips[1, :3, 2, 2] = np.nan
    shown = chip_windows.filled(chips, conditioning=3)
    assert np.isfinite(shown).all()
    usual = np.median([chips[0, 0, 0, 0], chips[0, 2, 0, 0]])
    assert shown[0, 1, 0, 0] == shown[0, 4, 0, 0] == pytest.approx(usual), "never what came later"
    assert shown[1, 0, 2, 2] == pytest.approx(np.nanmean(chips[1, :3]))
    assert shown[1, 3, 2, 2] == chips[1, 3, 2, 2]


# Futures


class Repeats:
    """Says the last frame, moved by nothing: a network whose answer is known."""

    config = SimpleNamespace(size=20, conditioning=3, frames=5)

    def parameters(self):
        return iter([torch.zeros(1)])

    def generate(self, seen, leads, samples):
        return seen[:, None, -1:].expand(-1, samples, leads, -1, -1)


def test_futures_lie_where_the_chips_were_last_seen_in_the_bands_own_units():
    stacks = [scene(30 * k, shift=2 * k) for k in range(4)]
    record, frames = chip_futures.futures(stacks, "nir", Repeats())
    assert frames.bands == ("lead_1", "lead_2") and frames.pixels.shape == (2, 40, 60)
    last = stacks[2].band("nir")
    known = np.isfinite(frames.pixels[0])
    assert 0.3 < known.mean() < 1
    np.testing.assert_allclose(frames.pixels[0][known], last[known], atol=1e-4)
    assert record["leads"] == 2 and len(record["chips"][0]["ci"]) == 1, "one later scene was there to compare with"
    lead = {row["method"]: row["mean"] for row in record["table"] if row["lead"] == 1 and row["terrain"] == "all"}
    assert lead["svg-lp"] == pytest.approx(lead["persistence"], abs=1e-3) and lead["persistence"] > 0.9


def test_without_a_later_scene_nothing_is_compared():
    record, _ = chip_futures.futures([scene(30 * k) for k in range(3)], "nir", Repeats())
    assert "table" not in record and set(record["chips"][0]) == {"lon", "lat"}


def test_too_few_scenes_for_a_version_are_refused_with_how_many_it_reads():
    with pytest.raises(ValueError, match=r"reads 3 scenes .* 2 are named: name 3, and up to 2 later ones"):
        chip_futures.futures([scene(0), scene(30)], "nir", Repeats())


def test_scenes_that_hide_every_place_are_refused():
    dark = [scene(30 * k, hidden=np.s_[:, :]) for k in range(3)]
    with pytest.raises(ValueError, match="no chip of 20 px is seen"):
        chip_futures.futures(dark, "nir", Repeats())


def test_the_prediction_is_the_mean_of_the_draws_and_the_same_for_the_same_seed():
    tiny = video.Config(widths=(8, 16, 16), size=32, code=16, latent=4, conditioning=3, frames=5, peak_px=8)
    torch.manual_seed(0)
    network = video.SVGLP(tiny).eval()
    seen = np.random.default_rng(0).random((2, 3, 32, 32)).astype(np.float32)
    first = chip_futures.predicted(network, seen, 2, seed=4, samples=3)
    torch.manual_seed(4)
    np.testing.assert_allclose(first, network.generate(torch.from_numpy(seen), 2, 3).mean(1).numpy(), atol=1e-6)
    np.testing.assert_array_equal(first, chip_futures.predicted(network, seen, 2, seed=4, samples=3))
