"""Radar scenes of a folder: gamma nought in linear power and coherence, whatever unit and layout they came in."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from workers.imagery import bands, stacitem
from workers.imagery.datafolder import folder, native_grid
from workers.imagery.found import FoundScene
from workers.imagery.grid import Grid
from workers.imagery.prepare import Prepared, prepare
from workers.imagery.simulate import World, write_world
from workers.imagery.simulate.calendar import radar_days
from workers.imagery.simulate.items import radar_item

AFFINE = Affine(10, 0, 500_010, 0, -10, 8_700_020)
LIST = "path,dataset,date,sensor,product,scale,offset,nodata\n"


def tiff(path: Path, values: np.ndarray, *names: str, nodata: float | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    layers = np.asarray(values, np.float32)
    layers = layers if layers.ndim == 3 else layers[None]
    with rasterio.open(
        path, "w", driver="GTiff", width=layers.shape[2], height=layers.shape[1], count=len(layers), dtype="float32",
        crs="EPSG:32633", transform=AFFINE, nodata=nodata,
    ) as file:  # fmt: skip
        file.write(layers)
        for number, name in enumerate(names, start=1):
            file.set_band_description(number, name)
    return path


def item(path: Path, assets: dict, **properties: object) -> None:
    corners = [[15.0, 78.3], [15.1, 78.3], [15.1, 78.4], [15.0, 78.4], [15.0, 78.3]]
    document = {
        "type": "Feature", "stac_version": "1.0.0", "id": path.stem, "collection": "sentinel-1-rtc", "links": [],
        "geometry": {"type": "Polygon", "coordinates": [corners]}, "assets": assets,
        "properties": {"datetime": "2016-08-13T16:30:00Z", "platform": "SENTINEL-1A", **properties},
    }  # fmt: skip
    path.write_text(json.dumps(document))


def only(path: Path) -> tuple[FoundScene, Prepared]:
    (scene,) = folder(path).found
    return scene, prepare(scene, native_grid([scene]))


def test_simulated_radar_is_found_stored_in_linear_power_and_called_simulated(tmp_path: Path) -> None:
    write_world(tmp_path / "w", 5, "easy", (2016, 2016), 96, radar_years=(2016,))
    scenes = [scene for scene in folder(tmp_path / "w").found if scene.kind == "sar"]
    assert len(scenes) == 15
    first = scenes[0]
    assert (first.sensor, first.simulated, first.properties["sat:orbit_state"]) == ("sentinel-1", True, "ascending")
    prepared = prepare(first, native_grid([first]))
    echo = World(5, "easy", 96, (2016, 2016)).echo(radar_days(2016)[0])
    assert prepared.stack.bands == ("co_pol", "coherence")
    np.testing.assert_allclose(prepared.stack.band("co_pol"), echo.co_pol, rtol=1e-6)
    np.testing.assert_allclose(prepared.stack.band("coherence"), echo.coherence, rtol=1e-6)


def test_radar_years_outside_the_world_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="radar years 2030 to 2030 lie outside"):
        write_world(tmp_path / "w", 5, "easy", (2016, 2016), 96, radar_years=(2030,))
    assert not (tmp_path / "w").exists()


def test_a_catalogue_item_gives_both_polarisations_by_their_names_and_no_power_of_zero(tmp_path: Path) -> None:
    power = np.array([[0.1, 0.0, -32768.0], [np.nan, 11.0, 1e-9]])
    tiff(tmp_path / "vv.tif", power)
    tiff(tmp_path / "vh.tif", power / 10)
    item(tmp_path / "a.json", {"vh": {"href": "vh.tif"}, "vv": {"href": "vv.tif"}},
         **{"sar:polarizations": ["VV", "VH"], "sar:product_type": "RTC"})  # fmt: skip
    scene, prepared = only(tmp_path)
    assert (scene.kind, scene.sensor, set(scene.assets)) == ("sar", "sentinel-1", {"co_pol", "cross_pol"})
    assert prepared.stack.bands == ("co_pol", "cross_pol")
    seen = np.isfinite(prepared.stack.band("co_pol"))
    np.testing.assert_array_equal(seen, [[True, False, False], [False, False, True]])
    assert prepared.stack.band("cross_pol")[0, 0] == pytest.approx(0.01)


def test_of_two_co_polarisations_the_vertical_one_is_read(tmp_path: Path) -> None:
    tiff(tmp_path / "vv.tif", np.full((2, 2), 0.2))
    tiff(tmp_path / "hh.tif", np.full((2, 2), 0.3))
    item(tmp_path / "a.json", {"hh": {"href": "hh.tif"}, "vv": {"href": "vv.tif"}})
    assert np.all(only(tmp_path)[1].stack.band("co_pol") == np.float32(0.2))


@pytest.mark.parametrize("product", ["GRD", "slc"])
def test_radar_that_is_not_terrain_corrected_is_skipped_by_its_product_type(tmp_path: Path, product: str) -> None:
    tiff(tmp_path / "a.tif", np.ones((2, 2)))
    item(tmp_path / "a.json", {"vv": {"href": "a.tif"}}, **{"sar:product_type": product})
    reading = folder(tmp_path)
    assert reading.found == []
    assert f"product type {product.upper()} is not terrain-corrected" in reading.skipped[0].reason


def test_decibels_become_linear_power_and_are_averaged_as_such(tmp_path: Path) -> None:
    decibels = np.array([[-20.0, -5.0], [-10.0, -99.0]])
    tiff(tmp_path / "s" / "x_VV_db.tif", decibels, nodata=-99)
    (tmp_path / "scenes.csv").write_text(LIST + "s/x_VV_db.tif,x,2015-03-09,Sentinel-1,backscatter VV dB,,,-99\n")
    scene, prepared = only(tmp_path)
    assert (scene.kind, list(scene.assets), scene.properties["sar:polarizations"]) == ("sar", ["co_pol_db"], ["VV"])
    np.testing.assert_allclose(prepared.stack.band("co_pol"), [[0.01, 10**-0.5], [0.1, np.nan]], rtol=1e-6)
    coarse = Grid("EPSG:32633", AFFINE @ Affine.scale(2), 1, 1)
    mean = np.mean([0.01, 10**-0.5, 0.1])
    assert prepare(scene, coarse).stack.band("co_pol")[0, 0] == pytest.approx(mean, rel=1e-5)


def test_an_item_that_says_db_is_read_as_db(tmp_path: Path) -> None:
    tiff(tmp_path / "vv.tif", np.full((2, 2), -10.0))
    item(tmp_path / "a.json", {"vv": {"href": "vv.tif", "raster:bands": [{"unit": "dB", "nodata": -99}]}})
    assert only(tmp_path)[1].stack.band("co_pol")[0, 0] == pytest.approx(0.1)


def test_two_polarisations_of_one_date_in_a_list_make_one_scene(tmp_path: Path) -> None:
    for pol, value in (("VV", 0.1), ("VH", 0.02)):
        tiff(tmp_path / f"x_{pol}.tif", np.full((2, 2), value))
    rows = [f"x_{pol}.tif,x,2016-08-13,Sentinel-1,backscatter {pol},,,\n" for pol in ("VV", "VH")]
    (tmp_path / "scenes.csv").write_text(LIST + "".join(rows))
    scene, prepared = only(tmp_path)
    assert scene.properties["sar:polarizations"] == ["VH", "VV"]
    assert prepared.stack.bands == ("co_pol", "cross_pol")


def test_coherence_is_cut_to_what_can_be(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", [[[0.1, 0.1, 0.1]], [[1.02, -0.01, -9999.0]]], "co_pol", "coherence")
    item(tmp_path / "a.json", {"data": {"href": "a.tif"}})
    _, prepared = only(tmp_path)
    np.testing.assert_array_equal(prepared.stack.band("coherence"), [[1, 0, np.nan]])


@pytest.mark.parametrize(
    ("name", "asset", "orbit"),
    [
        ("S1A_IW_20160813T163000_DVP_RTC30_G_gpuned_5F5E_VV.tif", "co_pol", None),
        ("S1B_EW_20160813T163000_DHP_RTC10_G_gdufem_0A1B_HV.tif", "cross_pol_db", None),
        ("S1A__IW___D_20160813T163000_VV_grd_mli_geo_norm_db.tif", "co_pol_db", "descending"),
        ("S1A__IW___A_20160813T163000_VH_grd_mli_geo_norm.tif", "cross_pol", "ascending"),
    ],
)
def test_gamma_nought_is_known_by_the_file_names_of_its_processors(
    tmp_path: Path, name: str, asset: str, orbit: str | None
) -> None:
    tiff(tmp_path / name, np.full((2, 2), 0.1))
    (scene,) = folder(tmp_path).found
    assert (scene.kind, scene.sensor, list(scene.assets)) == ("sar", "sentinel-1", [asset])
    assert scene.acquired == datetime(2016, 8, 13, 16, 30, tzinfo=UTC)
    assert scene.properties.get("sat:orbit_state") == orbit


def test_sigma_nought_and_stretched_pictures_are_no_gamma_nought(tmp_path: Path) -> None:
    tiff(tmp_path / "S1A_IW_20160813T163000_DVP_RTC30_G_spuned_5F5E_VV.tif", np.ones((2, 2)))
    tiff(tmp_path / "p_VV.tif", np.ones((2, 2)))
    (tmp_path / "scenes.csv").write_text(LIST + "p_VV.tif,x,2016-08-13,Sentinel-1,stretched backscatter VV,,,\n")
    found, skipped = folder(tmp_path)
    assert found == []
    assert "nor calibrated backscatter" in dict(skipped)["p_VV.tif"]


def test_the_real_calibrated_sample_is_read_at_its_own_level(real_data: Path) -> None:
    (scene,) = folder(real_data / "scenes" / "sentinel1_sample").found
    (file,) = (real_data / "scenes" / "sentinel1_sample").glob("*.tif")
    with rasterio.open(file) as dataset:
        decibels = dataset.read(1, masked=True).filled(np.nan)
    stored = prepare(scene, native_grid([scene])).stack.band("co_pol")
    np.testing.assert_allclose(bands.decibel(stored), decibels, atol=2e-5)
    assert scene.acquired.date() == date(2015, 3, 9)


def test_a_pair_of_scenes_says_its_platform_and_orbit_in_the_items_own_words() -> None:
    world = World(5, "easy", 96, (2016, 2016))
    scene = stacitem.read(radar_item(world, radar_days(2016)[3]), lambda href: href)
    assert (scene.properties["platform"], scene.properties["sar:polarizations"]) == ("sentinel-1a", ["VV"])
