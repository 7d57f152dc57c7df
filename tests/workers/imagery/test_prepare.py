from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from workers.imagery import bands
from workers.imagery.datafolder import FolderReading
from workers.imagery.filters import judge
from workers.imagery.found import Asset, FoundScene
from workers.imagery.grid import Grid
from workers.imagery.prepare import PrepareOptions, prepare
from workers.imagery.rasters import MissingBands, UnreadableRaster, opened

GRID = Grid("EPSG:32632", Affine(30, 0, 500_010, 0, -30, 5_200_020), 60, 50)
SCALE, OFFSET = 2.75e-5, -0.2
CLEAR, CLOUD, SNOW = 21824, 22280, 30048


def integers(reflectance: np.ndarray) -> np.ndarray:
    return np.rint((reflectance - OFFSET) / SCALE).astype(np.uint16)


def scene(
    tmp_path: Path, dn: dict[str, np.ndarray], sensor: str = "landsat-8", nodata: float | None = 0, **more
) -> FoundScene:
    """A scene in one file, bands in the order given, delivered like Landsat Collection 2."""
    path = tmp_path / "scene.tif"
    profile = {"driver": "GTiff", "width": GRID.width, "height": GRID.height, "count": len(dn), "dtype": "uint16",
               "crs": GRID.crs, "transform": GRID.transform}  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        for number, layer in enumerate(dn.values(), start=1):
            file.write(layer.astype(np.uint16), number)
    masks = set(bands.MASK_BANDS)
    assets = {
        name: Asset(str(path), n) if name in masks else Asset(str(path), n, SCALE, OFFSET, nodata)
        for n, name in enumerate(dn, start=1)
    }
    when = more.pop("acquired", datetime(2018, 8, 20, tzinfo=UTC))
    return FoundScene("key", "test", sensor, when, shapely.box(0, 0, 1, 1), assets, **more)


@pytest.fixture()
def truth() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.uniform(0.02, 0.9, GRID.shape).astype(np.float32) for name in ("swir1", "green", "red")}


def test_integers_become_reflectance_in_canonical_order(tmp_path: Path, truth: dict) -> None:
    prepared = prepare(scene(tmp_path, {name: integers(t) for name, t in truth.items()}), GRID)
    assert prepared.stack.bands == ("green", "red", "swir1")
    for name, expected in truth.items():
        np.testing.assert_allclose(prepared.stack.band(name), expected, atol=1.5e-5)
    facts = prepared.facts
    assert (facts.n_pixels, facts.n_bands, facts.n_values) == (3000, 3, 9000)
    assert (facts.zero_fraction, facts.nodata_fraction, facts.invalid_fraction, facts.valid_fraction) == (0, 0, 0, 1)
    assert facts.band_mean["red"] == pytest.approx(truth["red"].mean(), abs=1e-4)
    assert facts.cloud_fraction_aoi is None


def test_a_rim_of_zeros_in_every_band_is_missing_but_a_zero_in_one_band_is_not_a_zero_pixel(tmp_path, truth) -> None:
    dn = {name: integers(t) for name, t in truth.items()}
    for layer in dn.values():
        layer[[0, -1], :] = layer[:, [0, -1]] = 0
    dn["red"][20, 20] = 0
    facts = prepare(scene(tmp_path, dn, nodata=None), GRID).facts
    assert facts.zero_fraction == pytest.approx((2 * 60 + 2 * 48) / 3000)
    assert facts.nodata_fraction == 0
    assert facts.invalid_fraction == facts.zero_fraction


def test_slc_off_stripes_become_nan_and_are_neither_zeros_nor_ice(tmp_path: Path) -> None:
    dn = {name: integers(np.full(GRID.shape, v)) for name, v in (("green", 0.6), ("swir1", 0.05))}
    for layer in dn.values():
        layer[::10] = 0
    prepared = prepare(scene(tmp_path, dn, "landsat-7", acquired=datetime(2010, 8, 1, tzinfo=UTC)), GRID)
    index = bands.snow_ice(bands.ndsi(prepared.stack.band("green"), prepared.stack.band("swir1")))
    assert np.isnan(index[::10]).all()
    assert (index[1:10] > 0).all()
    assert prepared.facts.slc_off
    assert prepared.facts.zero_fraction == pytest.approx(0.1)
    assert [r.rule for r in judge("area", {"sensor": "landsat-7"}, prepared.facts, 46) if r.rule == "zeros"] == [
        "zeros"
    ]
    before = scene(tmp_path, dn, "landsat-7", acquired=datetime(2003, 5, 30, tzinfo=UTC))
    assert not prepare(before, GRID).facts.slc_off


def test_clouds_by_the_quality_band_are_nan_and_counted_and_snow_stays(tmp_path: Path, truth: dict) -> None:
    qa = np.full(GRID.shape, CLEAR)
    qa[:10], qa[10:20] = CLOUD, SNOW
    dn = {**{name: integers(t) for name, t in truth.items()}, "qa": qa}
    prepared = prepare(scene(tmp_path, dn), GRID)
    assert prepared.stack.bands == ("green", "red", "swir1")
    assert np.isnan(prepared.stack.pixels[:, :10]).all()
    assert np.isfinite(prepared.stack.pixels[:, 10:]).all()
    assert prepared.facts.cloud_fraction_aoi == pytest.approx(0.2)
    assert prepared.facts.invalid_fraction == pytest.approx(0.2)


def test_bright_snow_called_cloud_is_kept_only_on_demand(tmp_path: Path) -> None:
    dn = {"green": integers(np.full(GRID.shape, 0.8)), "swir1": integers(np.full(GRID.shape, 0.05))}
    dn["qa"] = np.full(GRID.shape, CLOUD)
    assert prepare(scene(tmp_path, dn), GRID).facts.valid_fraction == 0
    kept = prepare(scene(tmp_path, dn), GRID, PrepareOptions(cloud_requires_low_ndsi=True))
    assert kept.facts.valid_fraction == 1


def test_an_empty_scene_is_all_nan_with_a_reason_and_no_exception(tmp_path: Path) -> None:
    empty = scene(tmp_path, {name: np.zeros(GRID.shape) for name in ("green", "swir1")})
    prepared = prepare(empty, GRID, PrepareOptions(gap_passes=5))
    assert np.isnan(prepared.stack.pixels).all()
    assert [r.rule for r in judge("area", empty.meta(), prepared.facts, 46)] == ["no_valid_pixels"]
    assert prepared.facts.band_mean == {"green": None, "swir1": None}


def test_a_window_that_sticks_out_of_the_file_is_nodata_there(tmp_path: Path, truth: dict) -> None:
    moved = Grid("EPSG:32632", GRID.transform @ Affine.translation(30, 0), 60, 50)
    facts = prepare(scene(tmp_path, {name: integers(t) for name, t in truth.items()}), moved).facts
    assert facts.nodata_fraction == pytest.approx(0.5)
    assert facts.zero_fraction == 0
    assert facts.valid_fraction == pytest.approx(0.5)


def test_gaps_are_filled_on_demand_and_counted(tmp_path: Path) -> None:
    dn = {name: integers(np.full(GRID.shape, 0.4)) for name in ("green", "swir1")}
    for layer in dn.values():
        layer[::10] = 0
    prepared = prepare(scene(tmp_path, dn), GRID, PrepareOptions(gap_passes=5))
    np.testing.assert_allclose(prepared.stack.pixels, 0.4, atol=2e-5)
    assert prepared.facts.filled_fraction == pytest.approx(0.1)


def test_harmonisation_is_off_by_default_and_touches_tm_and_etm_only(tmp_path: Path) -> None:
    dn = {"nir": integers(np.full(GRID.shape, 0.5))}
    older = scene(tmp_path, dn, "landsat-5")
    assert prepare(older, GRID).stack.band("nir").mean() == pytest.approx(0.5, abs=1e-4)
    roy = PrepareOptions(harmonise="roy2016")
    assert prepare(older, GRID, roy).stack.band("nir").mean() == pytest.approx(0.0412 + 0.8462 * 0.5, abs=1e-4)
    assert prepare(scene(tmp_path, dn, "landsat-8"), GRID, roy).stack.band("nir").mean() == pytest.approx(0.5, abs=1e-4)


def test_saturation_over_fresh_snow_is_flagged_and_not_masked(tmp_path: Path, truth: dict) -> None:
    radsat = np.zeros(GRID.shape)
    radsat[:5] = 1
    prepared = prepare(scene(tmp_path, {**{n: integers(t) for n, t in truth.items()}, "radsat": radsat}), GRID)
    assert prepared.facts.saturated_fraction == pytest.approx(0.1)
    assert prepared.facts.valid_fraction == 1


def test_a_missing_file_says_so(truth: dict) -> None:
    gone = FoundScene("k", "c", "landsat-8", None, shapely.box(0, 0, 1, 1), {"green": Asset("/nowhere/a.tif")})
    with pytest.raises(UnreadableRaster, match=r"a\.tif is no readable GeoTIFF"):
        prepare(gone, GRID)


def test_a_scene_of_masks_alone_and_options_that_are_not_known_are_refused(tmp_path: Path) -> None:
    only_mask = scene(tmp_path, {"qa": np.full(GRID.shape, CLEAR)})
    with pytest.raises(MissingBands, match="key brings qa; at least one band is needed"):
        prepare(only_mask, GRID)
    with pytest.raises(ValueError, match=r"harmonise is 'roy'.*use one of none, roy2016"):
        PrepareOptions(harmonise="roy")
    with pytest.raises(ValueError, match="passes from 0"):
        PrepareOptions(gap_passes=-1)


@pytest.mark.real
def test_vinciguerra_loses_its_rim_and_shows_no_step_in_2022(real_folder: FolderReading) -> None:
    found = [s for s in real_folder.found if s.collection == "vinciguerra_sentinel2"]
    areas = {}
    for one in (s for s in found if s.kind == "reflectance"):
        with opened(one.assets["green"].href) as file:
            grid = Grid.of(file)
        prepared = prepare(one, grid)
        assert round(prepared.facts.zero_fraction * prepared.facts.n_pixels) == 355
        index = bands.ndsi(prepared.stack.band("green"), prepared.stack.band("swir1"))
        areas[one.acquired.year] = float(((index > 0.4) * grid.pixel_area_km2()).sum())
    assert areas[2022] == pytest.approx(0.91, abs=0.005)
    labels = {}
    for one in (s for s in found if s.kind == "label"):
        label = prepare(one, grid).stack.band("label")
        labels[one.acquired.year] = float((np.nan_to_num(label) * grid.pixel_area_km2()).sum())
    assert labels == pytest.approx({2019: 0.425, 2020: 0.448, 2021: 0.312, 2022: 0.407}, abs=1e-3)
