"""The data folder that a world becomes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Geod
from shapely.geometry import shape

from workers.imagery.simulate import FolderInTheWay, write_world

SETTINGS = {"seed": 9, "profile": "alps_like", "years": (2005, 2006), "size": 192, "scenes_per_year": 6}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("worlds") / "one"
    write_world(path, **SETTINGS, radar_years=(2006,))
    return path


def loaded(path: Path) -> dict:
    return json.loads(path.read_text())


def test_each_scene_lies_beside_its_item(folder):
    scenes = sorted(path.stem for path in (folder / "scenes").glob("SIM_L*.tif"))
    assert len(scenes) == 12
    for name in scenes:
        item = loaded(folder / "scenes" / f"{name}.json")
        assert item["id"] == name and item["stac_version"] == "1.1.0" and item["properties"]["simulated"] is True


def test_the_items_assets_describe_the_bands_of_the_file(folder):
    item = loaded(next((folder / "scenes").glob("SIM_L*.json")))
    assert list(item["assets"]) == ["blue", "green", "red", "nir", "swir1", "swir2", "thermal", "qa"]
    for name, asset in item["assets"].items():
        with rasterio.open(folder / "scenes" / asset["href"]) as file:
            number = asset["glacierweb:band"]
            assert file.descriptions[number - 1] == {"qa": "qa_pixel"}.get(name, name)
            raster = asset["raster:bands"][0]
            assert (file.scales[number - 1], file.offsets[number - 1]) == (raster["scale"], raster["offset"])
            assert file.dtypes[number - 1] == "uint16" and file.crs.to_epsg() == 32626
            assert item["properties"]["proj:transform"] == list(file.transform)[:6]


def test_the_footprint_is_where_the_file_lies(folder):
    item = loaded(next((folder / "scenes").glob("SIM_L*.json")))
    area_m2 = abs(Geod(ellps="WGS84").geometry_area_perimeter(shape(item["geometry"]))[0])
    assert area_m2 == pytest.approx((192 * 30) ** 2, rel=3e-3)
    assert item["bbox"] == list(shape(item["geometry"]).bounds)


def test_outlines_are_close_to_the_truth_but_not_equal(folder):
    truth = {scene["id"]: scene for scene in loaded(folder / "truth" / "scenes.json")["scenes"]}
    features = loaded(folder / "outlines.geojson")["features"]
    assert len(features) == 3
    ratios = []
    for feature in features:
        properties, geometry = feature["properties"], shape(feature["geometry"])
        assert geometry.is_valid and properties["simulated"] is True and "Simulated" in properties["glac_name"]
        area_km2 = abs(Geod(ellps="WGS84").geometry_area_perimeter(geometry)[0]) / 1e6
        assert area_km2 == pytest.approx(properties["area_km2"], abs=1e-4)
        ratios.append(area_km2 / truth[properties["scene_ids"]]["area_km2"][properties["local_id"]])
    assert all(0.95 < ratio < 1.05 for ratio in ratios) and not np.allclose(ratios, 1.0, atol=1e-6)


def test_the_truth_holds_areas_that_the_label_rasters_have(folder):
    areas = loaded(folder / "truth" / "areas.json")["glaciers"]
    for glacier in areas:
        for year, pixels in zip(glacier["years"], glacier["pixels"], strict=True):
            with rasterio.open(folder / "truth" / f"labels_{year}.tif") as file:
                assert int((file.read(1) == glacier["label"]).sum()) == pixels


def test_elevation_has_its_item_beside_it(folder):
    item = loaded(folder / "dem.json")
    assert item["id"] == "SIM_DEM_0009" and item["assets"]["elevation"]["raster:bands"][0]["nodata"] == -32768
    with rasterio.open(folder / "dem.tif") as file:
        assert file.dtypes == ("float32",) and 1500 < file.read(1).mean() < 4500


def test_radar_acquisitions_come_with_items_of_their_own(folder):
    items = sorted((folder / "scenes").glob("SIM_S1_*.json"))
    assert len(items) == 15
    item = loaded(items[0])
    assert list(item["assets"]) == ["co_pol", "coherence"] and item["properties"]["sar:instrument_mode"] == "IW"
    with rasterio.open(items[0].with_suffix(".tif")) as file:
        assert file.descriptions == ("co_pol", "coherence") and file.dtypes == ("float32", "float32")


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    settings = SETTINGS | {"years": (2006, 2006), "size": 96}
    contents = []
    for path in (tmp_path / "a", tmp_path / "b"):
        write_world(path, **settings)
        contents.append({p.relative_to(path): p.read_bytes() for p in path.rglob("*") if p.is_file()})
    assert contents[0] == contents[1] and len(contents[0]) > 15


def test_a_folder_with_content_is_not_touched(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(FolderInTheWay, match="exists"):
        write_world(tmp_path, **SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_interrupted_run_leaves_nothing(tmp_path):
    def stop(fraction: float, step: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_world(tmp_path / "world", **SETTINGS, report=stop)
    assert list(tmp_path.iterdir()) == []


def test_progress_rises_to_one(tmp_path):
    seen: list[float] = []
    settings = SETTINGS | {"years": (2006, 2006)}
    write_world(tmp_path / "world", **settings, report=lambda fraction, step: seen.append(fraction))
    assert seen == sorted(seen) and seen[-1] == 1.0 and all(0 < value <= 1 for value in seen)
