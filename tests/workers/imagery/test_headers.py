from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from workers.imagery import headers
from workers.imagery.grid import Grid
from workers.imagery.headers import RefusedRaster, inspect, inspect_in_child

AFFINE = Affine(30, 0, 500_000, 0, -30, 5_200_000)


def tiff(path: Path, **changes: object) -> Path:
    profile = {"driver": "GTiff", "width": 8, "height": 6, "count": 2, "dtype": "int16", "crs": "EPSG:32632",
               "transform": AFFINE, "SPARSE_OK": True, **changes}  # fmt: skip
    with rasterio.open(path, "w", **profile):
        pass
    return path


def test_a_plain_scene_is_described_without_reading_a_pixel(tmp_path: Path) -> None:
    header = inspect(tiff(tmp_path / "a.tif", nodata=-9999))
    assert (header.width, header.height, header.bands, header.dtypes) == (8, 6, 2, ("int16", "int16"))
    assert (header.crs, header.nodata, header.unpacked_bytes) == ("EPSG:32632", -9999.0, 8 * 6 * 2 * 2)
    assert header.lonlat == pytest.approx(Grid("EPSG:32632", AFFINE, 8, 6).footprint().bounds)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("size", {"width": 40_001}),
        ("bands", {"count": 21}),
        ("type", {"dtype": "complex64"}),
        ("unpacked", {"width": 40_000, "height": 40_000, "count": 3, "tiled": True}),
        ("block", {"width": 9000, "height": 9000, "tiled": True, "blockxsize": 8192, "blockysize": 8192}),
        ("affine", {"transform": Affine(float("nan"), 0, 0, 0, -30, 0)}),
        ("identity", {"transform": Affine.identity()}),
        ("georeference", {"crs": None}),
        ("footprint", {"crs": "EPSG:4326", "transform": Affine(30, 0, 0, 0, -30, 5000)}),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_every_limit_of_the_header_refuses_by_its_name(tmp_path: Path, rule: str, changes: dict) -> None:
    with pytest.raises(RefusedRaster) as refusal:
        inspect(tiff(tmp_path / "a.tif", **changes))
    assert refusal.value.rule == rule
    assert "a.tif" in str(refusal.value)


def test_what_is_no_tiff_is_refused_by_its_first_bytes_whatever_its_name(tmp_path: Path) -> None:
    disguised = tmp_path / "scene.tif"
    disguised.write_text('<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand/></VRTDataset>')
    with pytest.raises(RefusedRaster) as refusal:
        inspect(disguised)
    assert refusal.value.rule == "magic"
    disguised.write_bytes(b"II*\0" + b"\xff" * 200)
    with pytest.raises(RefusedRaster) as refusal:
        inspect(disguised)
    assert refusal.value.rule == "unreadable"


def test_the_child_answers_as_the_parent_would(tmp_path: Path) -> None:
    good = tiff(tmp_path / "a.tif")
    assert inspect_in_child(good) == inspect(good)
    with pytest.raises(RefusedRaster) as refusal:
        inspect_in_child(tiff(tmp_path / "b.tif", count=21))
    assert refusal.value.rule == "bands"


def test_a_child_that_dies_or_never_ends_refuses_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = tiff(tmp_path / "a.tif")
    with pytest.raises(RefusedRaster) as refusal:
        inspect_in_child(good, timeout_s=0.01)
    assert refusal.value.rule == "time"
    monkeypatch.setattr(headers.sys, "executable", "/bin/false")
    with pytest.raises(RefusedRaster) as refusal:
        inspect_in_child(good)
    assert refusal.value.rule == "crash"


def test_a_loop_of_image_directories_ends(tmp_path: Path) -> None:
    path = tiff(tmp_path / "a.tif")
    data = bytearray(path.read_bytes())
    first = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[first : first + 2], "little")
    data[first + 2 + 12 * entries :][:4] = first.to_bytes(4, "little")
    data[first + 2 + 12 * entries : first + 6 + 12 * entries] = first.to_bytes(4, "little")
    path.write_bytes(bytes(data))
    try:
        assert inspect_in_child(path, timeout_s=30).bands == 2
    except RefusedRaster as refusal:
        assert refusal.rule in {"unreadable", "crash"}


def test_the_limits_are_those_of_the_numbers_not_of_the_pixels() -> None:
    assert np.dtype("int16").itemsize * 40_000 * 40_000 * 2 < headers.MAX_UNPACKED_BYTES
