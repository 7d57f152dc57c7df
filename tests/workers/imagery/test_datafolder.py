from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from workers.imagery.datafolder import FolderReading, folder, native_grid
from workers.imagery.found import FoundScene, safe_key
from workers.imagery.grid import Grid
from workers.imagery.prepare import prepare

AFFINE = Affine(30, 0, 500_010, 0, -30, 5_200_020)
HEADER = (
    "path,dataset,date,sensor,product,green_band,red_band,nir_band,swir1_band,scale,offset,nodata,epsg,width,height\n"
)


def tiff(path: Path, *names: str | None, dtype: str = "uint16", value: int = 10_000, **changes: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    count = max(1, len(names))
    profile = {"driver": "GTiff", "width": 6, "height": 5, "count": count, "dtype": dtype, "crs": "EPSG:32632",
               "transform": AFFINE, **changes}  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        file.write(np.full((count, 5, 6), value, dtype=dtype))
        for number, name in enumerate(names, start=1):
            if name:
                file.set_band_description(number, name)
    return path


def item(path: Path, assets: dict, **properties: object) -> None:
    corners = [[9.0, 46.9], [9.1, 46.9], [9.1, 47.0], [9.0, 47.0], [9.0, 46.9]]
    document = {
        "type": "Feature", "stac_version": "1.0.0", "id": path.stem, "collection": "test", "links": [],
        "assets": assets,
        "geometry": {"type": "Polygon", "coordinates": [corners]},
        "properties": {"datetime": "2018-08-20T10:00:00Z", "platform": "landsat-8", **properties},
    }  # fmt: skip
    path.write_text(json.dumps(document))


def one(path: Path) -> FoundScene:
    reading = folder(path)
    assert len(reading.found) == 1, reading
    return reading.found[0]


def reasons(path: Path) -> dict[str, str]:
    return dict(folder(path).skipped)


def test_an_item_beside_its_raster_is_a_scene(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", "green", "swir1", "qa_pixel")
    raster = [{"scale": 2.75e-5, "offset": -0.2, "nodata": 0}] * 2 + [{}]
    named = [{"name": n} for n in ("green", "swir1", "qa_pixel")]
    item(tmp_path / "a.json", {"data": {"href": "a.tif", "eo:bands": named, "raster:bands": raster}},
         **{"eo:cloud_cover": 4.5, "landsat:image_quality": 9, "simulated": True})  # fmt: skip
    scene = one(tmp_path)
    assert (scene.key, scene.sensor, scene.kind) == ("a", "landsat-8", "reflectance")
    assert (scene.cloud_percent, scene.image_quality, scene.simulated) == (4.5, 9, True)
    assert scene.assets["swir1"][1:] == (2, 2.75e-5, -0.2, 0.0)
    assert scene.assets["qa"][1:] == (3, 1.0, 0.0, None)
    assert scene.acquired == datetime(2018, 8, 20, 10, tzinfo=UTC)
    assert prepare(scene, native_grid([scene])).stack.bands == ("green", "swir1")


def test_bands_that_share_one_file_keep_their_own_numbers(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", "blue", "green", "swir1")
    described = {"raster:bands": [{"scale": 1e-4, "offset": 0}]}
    item(tmp_path / "a.json", {name: {"href": "a.tif", **described} for name in ("swir1", "green")})
    assert {name: asset.band_index for name, asset in one(tmp_path).assets.items()} == {"green": 2, "swir1": 3}


def test_what_an_item_does_not_say_of_its_bands_the_file_does(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif", "green", "swir1", nodata=0)
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = (1e-4, 1e-4), (-0.1, -0.1)
    item(tmp_path / "a.json", {"image": {"href": "./a.tif"}})
    assert one(tmp_path).assets["swir1"][1:] == (2, 1e-4, -0.1, 0.0)


def test_the_products_scale_stands_in_where_neither_says_it(tmp_path: Path) -> None:
    tiff(tmp_path / "g.tif")
    item(tmp_path / "old.json", {"B03": {"href": "g.tif"}}, platform="sentinel-2a", datetime="2021-08-01T00:00:00Z")
    item(tmp_path / "new.json", {"B03": {"href": "g.tif"}}, platform="sentinel-2a", datetime="2023-08-01T00:00:00Z")
    item(
        tmp_path / "taken_out.json", {"B03": {"href": "g.tif", "raster:bands": [{"scale": 1e-4, "offset": -0.1}]}},
        platform="sentinel-2a", datetime="2023-08-01T00:00:00Z", **{"earthsearch:boa_offset_applied": True},
    )  # fmt: skip
    item(tmp_path / "tm.json", {"thermal": {"href": "g.tif"}, "red": {"href": "g.tif"}}, platform="LANDSAT_5")
    offsets = {s.key: {n: a.offset for n, a in s.assets.items()} for s in folder(tmp_path).found}
    assert offsets["old"] == {"green": 0.0}
    assert offsets["new"] == {"green": -0.1}
    assert offsets["taken_out"] == {"green": 0.0}
    assert offsets["tm"] == {"red": -0.2, "thermal": 149.0}


@pytest.mark.parametrize(("scale", "offset"), [(2.75e-5, -0.2), (1e-4, 0.0)])
def test_an_item_that_only_repeats_the_products_scale_has_not_taken_its_offset_out(tmp_path, scale, offset) -> None:
    tiff(tmp_path / "g.tif")
    item(tmp_path / "tm.json", {"SR_B2": {"href": "g.tif", "raster:bands": [{"scale": scale}]}}, platform="landsat-5")
    assert one(tmp_path).assets["green"][2:4] == (scale, offset)


@pytest.mark.parametrize(
    "href", ["../secret.tif", "/etc/passwd", "https://example.org/a.tif", "gone.tif", "file:///etc/passwd"]
)
def test_an_href_that_leaves_the_folder_is_never_followed(tmp_path: Path, href: str) -> None:
    tiff(tmp_path / "secret.tif", "green")
    inside = tmp_path / "folder"
    tiff(inside / "a.tif", "green")
    item(inside / "a.json", {"green": {"href": href}})
    reading = folder(inside)
    assert reading.found == []
    assert [skip.path for skip in reading.skipped] == ["a.tif"]
    assert "href" in reading.skipped[0].reason


def test_a_link_out_of_the_folder_is_not_looked_at(tmp_path: Path) -> None:
    secret = tiff(tmp_path / "LC08_L2SP_147038_20131230_20200912_02_T1_SR_B3.tif")
    inside = tmp_path / "folder"
    inside.mkdir()
    (inside / secret.name).symlink_to(secret)
    assert folder(inside) == ([], [])


def test_a_row_of_scenes_csv_is_a_scene_with_the_files_own_band_names_first(tmp_path: Path) -> None:
    tiff(tmp_path / "scenes" / "v" / "2022" / "T.tif", "B1", "B2", "B3", "B4", "B8", "B8A", "B11", "B12", "QA60")
    (tmp_path / "scenes" / "scenes.csv").write_text(
        HEADER + "scenes/v/2022/T.tif,v,2022,Sentinel-2 MSI,reflectance,3,4,5,7,0.0001,-0.1,,32632,6,5\n"
    )
    scene = one(tmp_path)
    assert scene.key == "v-2022-T"
    assert {n: a.band_index for n, a in scene.assets.items()} == {
        "coastal": 1, "blue": 2, "green": 3, "red": 4, "nir": 6, "swir1": 7, "swir2": 8,
    }  # fmt: skip
    assert scene.assets["nir"][2:] == (1e-4, -0.1, None)
    assert (scene.date_precision, scene.interval[0].year, scene.interval[1].month) == ("year", 2022, 12)


def test_unnamed_bands_go_by_the_columns_of_the_list(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", None, None, None)
    (tmp_path / "scenes.csv").write_text(HEADER + "a.tif,v,2020-07-01,Landsat 8 OLI,reflectance,3,2,,1,1e-4,0,0,,6,5\n")
    assert {n: a.band_index for n, a in one(tmp_path).assets.items()} == {"green": 3, "red": 2, "swir1": 1}


def test_one_band_a_row_makes_one_scene(tmp_path: Path) -> None:
    rows = []
    for band in ("B03", "B06"):
        tiff(tmp_path / f"x_2020229_{band}_L30.tif", dtype="int16", nodata=-9999)
        row = f'x_2020229_{band}_L30.tif,x,2020-08-16,Landsat 8 OLI (HLS L30),"reflectance, band {band}"'
        rows.append(row + ",,,,,1e-4,0,-9999,,6,5")
    (tmp_path / "scenes.csv").write_text(HEADER + "\n".join(rows) + "\n")
    scene = one(tmp_path)
    assert scene.key == "x_2020229_L30"
    assert set(scene.assets) == {"green", "swir1"}


def test_ndsi_labels_and_elevation_are_their_own_kinds(tmp_path: Path) -> None:
    for name in ("n", "l", "d", "s"):
        tiff(tmp_path / f"{name}.tif", dtype="float32", value=1)
    (tmp_path / "scenes.csv").write_text(
        HEADER
        + 'n.tif,x,2019Q1,Landsat 8 OLI,"NDSI, 3-month mean, 0 below 0.3",,,,,1,0,,,6,5\n'
        + "l.tif,x,2020,Sentinel-2 MSI,mask,,,,,,,0.0,,6,5\n"
        + "d.tif,x,,,elevation,,,,,,,-32768.0,,6,5\n"
        + "s.tif,x,,,shadow mask,,,,,,,nan,,6,5\n"
    )
    reading = folder(tmp_path)
    kinds = {scene.kind: scene for scene in reading.found}
    assert set(kinds) == {"ndsi", "label", "dem"}
    assert (kinds["ndsi"].date_precision, kinds["ndsi"].acquired.month) == ("quarter", 2)
    assert (kinds["label"].date_precision, kinds["label"].interval[1].month) == ("year", 12)
    assert kinds["dem"].acquired is None
    assert "shadow mask" in dict(reading.skipped)["s.tif"]
    for kind, value in (("ndsi", 1.0), ("label", 1.0), ("dem", 1.0)):
        prepared = prepare(kinds[kind], native_grid([kinds[kind]]))
        assert np.all(prepared.stack.pixels == value)


def test_a_label_whose_nodata_is_its_background_keeps_the_background(tmp_path: Path) -> None:
    tiff(tmp_path / "l.tif", dtype="float32", value=0, nodata=0)
    (tmp_path / "scenes.csv").write_text(HEADER + "l.tif,x,2020,Sentinel-2 MSI,mask,,,,,,,0.0,,6,5\n")
    label = one(tmp_path)
    assert np.all(prepare(label, native_grid([label])).stack.pixels == 0)


def test_products_are_known_by_their_file_names(tmp_path: Path) -> None:
    landsat = "LC08_L2SP_147038_20131230_20200912_02_T1"
    for band in ("SR_B3", "SR_B6", "QA_PIXEL", "ST_B10"):
        tiff(tmp_path / f"{landsat}_{band}.TIF")
    for band in ("B03", "B11", "Fmask"):
        tiff(tmp_path / f"HLS.S30.T11UNS.2020229T183843.v2.0.{band}.tif", dtype="uint16")
    for band in ("B03_20m", "B8A_20m", "SCL_20m"):
        tiff(tmp_path / f"T19FEJ_20230105T140051_{band}.tif")
    tiff(tmp_path / "dem.tif", dtype="int16")
    scenes = {scene.collection: scene for scene in folder(tmp_path).found}
    one_landsat, hls, sentinel = scenes["landsat-c2-l2"], scenes["hls"], scenes["sentinel-2-l2a"]
    assert (one_landsat.key, one_landsat.sensor) == (landsat, "landsat-8")
    assert set(one_landsat.assets) == {"green", "swir1", "qa", "thermal"}
    assert one_landsat.properties["landsat:wrs_path"] == "147"
    assert one_landsat.acquired == datetime(2013, 12, 30, tzinfo=UTC)
    assert set(hls.assets) == {"green", "swir1", "fmask"}
    assert hls.acquired == datetime(2020, 8, 16, 18, 38, 43, tzinfo=UTC)
    assert set(sentinel.assets) == {"green", "nir", "scl"}
    assert sentinel.assets["green"].offset == -0.1
    assert scenes["elevation"].kind == "dem"


def test_of_two_deliveries_of_one_acquisition_the_newest_processing_is_kept(tmp_path: Path) -> None:
    for made in ("20200912", "20230101"):
        tiff(tmp_path / f"LC08_L2SP_147038_20131230_{made}_02_T1_SR_B3.TIF")
    for name, cloud in (("a", 9.0), ("b", 3.0)):
        tiff(tmp_path / f"{name}.tif", "green")
        item(tmp_path / f"{name}.json", {"green": {"href": f"{name}.tif"}},
             **{"eo:cloud_cover": cloud, "landsat:wrs_path": "1", "landsat:wrs_row": "2"})  # fmt: skip
    kept = {scene.key for scene in folder(tmp_path).found if scene.kind == "reflectance"}
    assert "b" in kept
    assert "a" not in kept
    assert {key for key in kept if key.startswith("LC08")} == {"LC08_L2SP_147038_20131230_20230101_02_T1"}


def test_processing_versions_are_compared_as_numbers(tmp_path: Path) -> None:
    for name, version in (("nine", "9.12"), ("ten", "10.02")):
        tiff(tmp_path / f"{name}.tif", "green")
        item(tmp_path / f"{name}.json", {"green": {"href": f"{name}.tif"}},
             **{"processing:version": version, "landsat:wrs_path": "1", "landsat:wrs_row": "2"})  # fmt: skip
    assert one(tmp_path).key == "ten"


def test_hls_temperature_is_stored_in_hundredths_of_a_degree_celsius(tmp_path: Path) -> None:
    tiff(tmp_path / "HLS.L30.T11UNS.2020229T183843.v2.0.B03.tif", dtype="int16", value=4000)
    tiff(tmp_path / "HLS.L30.T11UNS.2020229T183843.v2.0.B10.tif", dtype="int16", value=-1000)
    scene = one(tmp_path)
    stack = prepare(scene, native_grid([scene])).stack
    np.testing.assert_allclose(stack.band("thermal"), 263.15, rtol=1e-6)
    np.testing.assert_allclose(stack.band("green"), 0.4, rtol=1e-6)


def test_everything_else_is_skipped_with_its_reason_and_hurts_nothing(tmp_path: Path) -> None:
    tiff(tmp_path / "unknown.tif")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    tiff(tmp_path / "truth" / "mask.tif")
    tiff(tmp_path / "dn.tif")
    tiff(tmp_path / "undated.tif")
    (tmp_path / "broken.tif").write_text("no raster")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "scenes.csv").write_text(
        HEADER
        + "dn.tif,x,2000-10-30,Landsat 7 ETM+,digital numbers,,,,,,,,,6,5\n"
        + "undated.tif,x,,Landsat 5/7,reflectance,2,3,4,5,2.75e-05,-0.2,,,6,5\n"
        + "broken.tif,x,2000-10-30,Landsat 7 ETM+,reflectance,2,3,4,5,2.75e-05,-0.2,,,6,5\n"
        + "../outside.tif,x,2000-10-30,Landsat 7 ETM+,reflectance,2,3,4,5,2.75e-05,-0.2,,,6,5\n"
    )
    found, skipped = folder(tmp_path)
    assert found == []
    said = dict(skipped)
    assert set(said) == {"unknown.tif", "picture.png", "truth/mask.tif", "dn.tif", "undated.tif", "broken.tif"}
    assert "no STAC Item, no row" in said["unknown.tif"]
    assert "digital numbers" in said["dn.tif"]
    assert "no date" in said["undated.tif"]
    assert "no readable GeoTIFF" in said["broken.tif"]
    assert "truth" in said["truth/mask.tif"]


@pytest.mark.parametrize(
    "broken",
    [
        {"assets": {"green": {}}},
        {"assets": {"green": "a.tif"}},
        {"assets": {"green": {"href": "a.tif", "raster:bands": [3]}}},
        {"assets": {"green": {"href": "a.tif", "raster:bands": [{"scale": "wide"}]}}},
        {"assets": []},
        {"geometry": None},
        {"geometry": {"type": "Polygon", "coordinates": [[[0, 0]]]}},
        {"properties": {"datetime": "someday", "platform": "landsat-8"}},
        {"properties": {"datetime": None}},
        {"properties": 7},
        {"id": ""},
    ],
)
def test_an_item_that_is_not_well_formed_skips_its_raster_with_a_reason(tmp_path: Path, broken: dict) -> None:
    tiff(tmp_path / "a.tif", "green")
    item(tmp_path / "a.json", {"green": {"href": "a.tif"}})
    document = json.loads((tmp_path / "a.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps({**document, **broken}))
    found, skipped = folder(tmp_path)
    assert found == []
    assert [skip.path for skip in skipped] == ["a.tif"]


def test_an_identifier_becomes_a_name_that_stays_in_its_folder() -> None:
    texts = ("S2A_11TQM_2020.1-a", "../../etc/passwd", "a/b", "a-b", "x" * 500, "x" * 501, "..")
    keys = [safe_key(text) for text in texts]
    assert keys[0] == "S2A_11TQM_2020.1-a"
    assert len(set(keys)) == len(keys)
    assert all(key and "/" not in key and not key.startswith(".") and len(key) <= 120 for key in keys)


def test_a_list_that_cannot_be_read_is_said_and_nested_json_hurts_nothing(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", "green")
    (tmp_path / "scenes.csv").write_bytes(HEADER.encode() + b"\xff\xfe\n")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    found, skipped = folder(tmp_path)
    assert found == []
    assert [skip.path for skip in skipped] == ["a.tif", "scenes.csv"]
    (tmp_path / "scenes.csv").write_text(HEADER + "a.tif,x,2020-07-01,Landsat 8,reflectance,x,,,,wide,0,,,6,5\na.tif\n")
    assert [skip.path for skip in folder(tmp_path).skipped] == ["a.tif"]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="give the folder"):
        folder(tmp_path / "nothing")


def test_a_metric_file_keeps_its_grid_and_one_in_degrees_gets_a_work_grid(tmp_path: Path) -> None:
    metric = tiff(tmp_path / "dem" / "metric.tif", dtype="int16")
    degrees = Affine(0.00027, 0, 11.8, 0, -0.00027, 46.45)
    tiff(tmp_path / "dem" / "degrees.tif", dtype="int16", crs="EPSG:4326", transform=degrees, width=60, height=50)
    grids = {scene.key: native_grid([scene]) for scene in folder(tmp_path).found}
    with rasterio.open(metric) as file:
        assert grids["metric"] == Grid.of(file)
    assert grids["degrees"].crs == "EPSG:32632"
    assert grids["degrees"].pixel_m == pytest.approx(25, abs=0.1)  # sqrt(0.00027 deg east * 0.00027 deg north)


def test_a_found_scene_survives_json(tmp_path: Path) -> None:
    tiff(tmp_path / "a.tif", "green")
    item(tmp_path / "a.json", {"green": {"href": "a.tif"}})
    scene = one(tmp_path)
    assert FoundScene.from_dict(json.loads(json.dumps(scene.to_dict()))) == scene


def test_a_simulated_world_is_read_like_a_real_one_and_its_truth_is_not(tmp_path: Path) -> None:
    from workers.imagery.simulate import write_world

    write_world(tmp_path / "world", 3, "easy", (2001, 2001), 192, 6)
    reading = folder(tmp_path / "world")
    scenes = [scene for scene in reading.found if scene.kind == "reflectance"]
    assert len(scenes) >= 5
    assert all(scene.simulated for scene in scenes)
    assert {skip.path.split("/")[0] for skip in reading.skipped} == {"truth"}
    prepared = prepare(scenes[-1], native_grid([scenes[-1]]))
    assert prepared.stack.bands == ("blue", "green", "red", "nir", "swir1", "swir2", "thermal")
    assert prepared.facts.cloud_fraction_aoi is not None


@pytest.mark.real
def test_the_real_collection_is_read_and_what_is_skipped_is_said(real_data: Path, real_folder: FolderReading) -> None:
    found, skipped = real_folder
    kinds = Counter((scene.kind, scene.collection) for scene in found)
    assert kinds["reflectance", "vinciguerra_sentinel2"] == 4
    assert kinds["label", "vinciguerra_sentinel2"] == 4
    assert kinds["ndsi", "parvati_ndsi"] == 8
    assert kinds["ndsi", "marmolada_ndsi"] == 32
    assert kinds["reflectance", "athabasca_hls"] == 1
    assert kinds["reflectance", "brunswick_modis"] == 153
    vinciguerra = [s for s in found if s.kind == "reflectance" and s.collection == "vinciguerra_sentinel2"]
    assert all(scene.assets["nir"].band_index == 9 for scene in vinciguerra), "B8A, not B8"
    assert {scene.acquired.year: scene.assets["green"].offset for scene in vinciguerra}[2022] == -0.1
    assert {scene.date_precision for scene in found if scene.collection == "parvati_ndsi"} == {"quarter"}
    rasters = {str(p.relative_to(real_data)) for p in real_data.rglob("*") if p.suffix in {".tif", ".png"}}
    used = {str(Path(a.href).relative_to(real_data.resolve())) for scene in found for a in scene.assets.values()}
    assert used | {skip.path for skip in skipped} == rasters
    assert not used & {skip.path for skip in skipped}
