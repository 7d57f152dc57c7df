from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from workers.imagery import rasters
from workers.imagery.grid import Grid
from workers.imagery.rasters import MissingBands, NoCRS, Stack, UnreadableRaster, WrongGrid

ROOT = Path(__file__).resolve().parents[3]
FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from affine import Affine
from workers.imagery.grid import Grid
from workers.imagery.rasters import CannotWrite, Stack, write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
grid = Grid("EPSG:32632", Affine(30, 0, 500010, 0, -30, 5200020), 700, 700)
stack = Stack(np.random.default_rng(0).random((1, 700, 700)), ("elevation",), grid)
folder = Path(sys.argv[1])
write(stack, folder / "a.tif")
whole = (folder / "a.tif").read_bytes()
for limit in (50_000, 900_000, len(whole) - 100):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write(stack, folder / "a.tif")
    except CannotWrite as error:
        print(type(error).__name__)
assert (folder / "a.tif").read_bytes() == whole
print(len(list(folder.iterdir())))
"""
GRID = Grid("EPSG:32632", Affine(30, 0, 500_010, 0, -30, 5_200_020), 40, 30)
WHEN = datetime(2020, 8, 16, 10, 30, tzinfo=UTC)


def reflectances(seed: int = 0) -> Stack:
    pixels = np.random.default_rng(seed).uniform(-0.1, 1.2, (3, *GRID.shape)).astype(np.float32)
    pixels[:, 4:6, 7] = np.nan
    return Stack(pixels, ("green", "swir1", "thermal"), GRID, WHEN)


def test_reflectance_and_thermal_come_back_to_half_a_step_with_nan_names_date_and_grid(tmp_path: Path) -> None:
    stack = reflectances()
    stack.pixels[2] = np.where(np.isnan(stack.pixels[2]), np.nan, 271.3 + stack.pixels[2])
    rasters.write(stack, tmp_path / "a.tif")
    back = rasters.read(tmp_path / "a.tif")
    assert (back.bands, back.grid, back.acquired) == (stack.bands, GRID, WHEN)
    np.testing.assert_allclose(back.pixels[:2], stack.pixels[:2], atol=0.51e-4)
    np.testing.assert_allclose(back.pixels[2], stack.pixels[2], atol=0.0051)
    assert np.isnan(back.pixels[:, 4:6, 7]).all()
    with rasterio.open(tmp_path / "a.tif") as file:
        assert set(file.dtypes) == {"int16"}
        assert file.nodata == -32768
        assert (file.scales[0], file.scales[2], file.offsets[2]) == (1e-4, 0.01, 150.0)


def test_a_written_file_is_a_tiled_cog_with_overviews(tmp_path: Path) -> None:
    grid = Grid("EPSG:32632", GRID.transform, 1300, 1100)
    rasters.write(Stack(np.zeros((1, 1100, 1300)), ("elevation",), grid), tmp_path / "a.tif", statistics=True)
    with rasterio.open(tmp_path / "a.tif") as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.tags(ns="IMAGE_STRUCTURE")["COMPRESSION"] == "DEFLATE"
        assert file.block_shapes[0] == (512, 512)
        assert file.overviews(1)
        assert file.dtypes[0] == "float32"
        assert float(file.tags(1)["STATISTICS_MAXIMUM"]) == 0


def test_a_probability_of_one_half_stays_glacier_and_less_never_becomes_it(tmp_path: Path) -> None:
    values = np.array([0.5, np.nextafter(np.float32(0.5), np.float32(0)), 0.49999, 1.0, 0.0, np.nan], dtype=np.float32)
    grid = Grid("EPSG:32632", GRID.transform, 6, 1)
    rasters.write(Stack(values[None, None], ("probability",), grid), tmp_path / "p.tif", encode="probability")
    back = rasters.read_layer(tmp_path / "p.tif")[0]
    assert (back >= 0.5).tolist() == (values >= 0.5).tolist()
    assert np.isnan(back[5])
    np.testing.assert_allclose(back[:5], values[:5], atol=1.01e-4)


def test_masks_and_ndsi_have_their_own_encoding(tmp_path: Path) -> None:
    mask = np.where(np.isnan(reflectances().pixels[0]), np.nan, reflectances().pixels[0] > 0.5)[None]
    rasters.write(Stack(mask, ("mask",), GRID), tmp_path / "m.tif", encode="uint8")
    np.testing.assert_array_equal(rasters.read_layer(tmp_path / "m.tif"), mask[0])
    index = np.linspace(-1, 1, 1200, dtype=np.float32).reshape(1, 30, 40)
    rasters.write(Stack(index, ("ndsi",), GRID), tmp_path / "n.tif", encode="ndsi")
    np.testing.assert_allclose(rasters.read_layer(tmp_path / "n.tif"), index[0], atol=0.51e-4)
    with pytest.raises(ValueError, match="is not known"):
        rasters.write(Stack(index, ("ndsi",), GRID), tmp_path / "x.tif", encode="jpeg")
    assert not (tmp_path / "x.tif").exists()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.tif"
    rasters.write(reflectances(0), target)
    before = target.read_bytes()

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rasters.rasterio.shutil, "copy", fail)
    with pytest.raises(OSError, match="No space left"):
        rasters.write(reflectances(1), target)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_said_and_the_old_file_stays(tmp_path: Path) -> None:
    """In a process of its own whose files may not grow: the operating system refuses as a full disk does."""
    child = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert child.stdout.split() == ["CannotWrite", "CannotWrite", "CannotWrite", "1"], child.stderr


def test_threads_write_at_once_without_harm(tmp_path: Path) -> None:
    stacks = [reflectances(seed) for seed in range(8)]
    threads = [
        threading.Thread(target=rasters.write, args=(stack, tmp_path / f"{n}.tif")) for n, stack in enumerate(stacks)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, stack in enumerate(stacks):
        np.testing.assert_allclose(rasters.read(tmp_path / f"{n}.tif", ["green"]).pixels[0], stack.pixels[0], atol=1e-4)


def test_bands_go_by_name_and_never_by_position(tmp_path: Path) -> None:
    stack = reflectances()
    rasters.write(stack, tmp_path / "a.tif")
    turned = rasters.read(tmp_path / "a.tif", ["swir1", "green"])
    assert turned.bands == ("swir1", "green")
    np.testing.assert_allclose(turned.band("green"), stack.band("green"), atol=1e-4)
    np.testing.assert_array_equal(stack.select(["swir1", "green"]).pixels, stack.pixels[[1, 0]])
    with pytest.raises(MissingBands, match="no band nir; it has green, swir1, thermal"):
        rasters.read(tmp_path / "a.tif", ["nir"])
    with pytest.raises(MissingBands, match="no band nir"):
        stack.select(["green", "nir"])
    with pytest.raises(MissingBands, match="no band nir"):
        stack.band("nir")


def plane_over(grid: Grid) -> np.ndarray:
    rows, cols = np.mgrid[0 : grid.height, 0 : grid.width] + 0.5
    x, y = grid.transform.a * cols + grid.transform.c, grid.transform.e * rows + grid.transform.f
    return ((x - 500_000) / 1e4 + (5_200_000 - y) / 2e4).astype(np.float32)


def test_a_plane_stays_the_plane_on_a_shifted_grid_and_is_nan_outside(tmp_path: Path) -> None:
    rasters.write(Stack(plane_over(GRID)[None], ("height",), GRID), tmp_path / "a.tif", encode="float32")
    shifted = Grid("EPSG:32632", Affine(30, 0, 500_010 + 305, 0, -30, 5_200_020 - 95), 40, 30)
    moved = rasters.read(tmp_path / "a.tif", grid=shifted).pixels[0]
    inside = np.zeros(shifted.shape, dtype=bool)
    inside[1:26, 1:28] = True
    np.testing.assert_allclose(moved[inside], plane_over(shifted)[inside], atol=1e-4)
    assert np.isnan(moved[:, 31:]).all()
    assert np.isnan(moved[28:]).all()


def test_ten_metre_pixels_become_thirty_by_their_mean(tmp_path: Path) -> None:
    fine = Grid("EPSG:32632", Affine(10, 0, 500_010, 0, -10, 5_200_020), 90, 60)
    values = np.random.default_rng(1).random((1, 60, 90)).astype(np.float32)
    rasters.write(Stack(values, ("height",), fine), tmp_path / "a.tif", encode="float32")
    coarse = Grid("EPSG:32632", Affine(30, 0, 500_010, 0, -30, 5_200_020), 30, 20)
    means = values[0].reshape(20, 3, 30, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(rasters.read_layer(tmp_path / "a.tif", coarse), means, atol=1e-5)


def test_twenty_metre_pixels_become_thirty_by_the_area_they_share(tmp_path: Path) -> None:
    fine = Grid("EPSG:32632", Affine(20, 0, 500_010, 0, -20, 5_200_020), 60, 30)
    values = np.random.default_rng(3).random((1, 30, 60)).astype(np.float32)
    rasters.write(Stack(values, ("height",), fine), tmp_path / "a.tif", encode="float32")
    edges = [(np.arange(n)[:, None] * 30, np.arange(m) * 20) for n, m in ((20, 30), (40, 60))]
    down, across = (np.clip(np.minimum(t + 30, s + 20) - np.maximum(t, s), 0, None) / 30 for t, s in edges)
    coarse = Grid("EPSG:32632", Affine(30, 0, 500_010, 0, -30, 5_200_020), 40, 20)
    np.testing.assert_allclose(rasters.read_layer(tmp_path / "a.tif", coarse), down @ values[0] @ across.T, atol=1e-5)


def test_labels_are_moved_by_nearest_neighbour_and_never_mixed(tmp_path: Path) -> None:
    classes = np.random.default_rng(2).integers(0, 5, (1, 30, 40)).astype(np.float32)
    rasters.write(Stack(classes, ("class",), GRID), tmp_path / "a.tif", encode="uint8")
    other = Grid("EPSG:32632", Affine(20, 0, 500_100, 0, -20, 5_199_900), 30, 20)
    moved = rasters.read_layer(tmp_path / "a.tif", other, nearest=True)
    assert set(np.unique(moved)) <= set(range(5))


def test_another_projection_finds_the_same_ground(tmp_path: Path) -> None:
    wide = Grid("EPSG:32632", Affine(30, 0, 500_010, 0, -30, 5_200_020), 200, 200)
    rasters.write(Stack(plane_over(wide)[None], ("height",), wide), tmp_path / "a.tif", encode="float32")
    lon, lat = wide.centre
    degrees = Grid("EPSG:4326", Affine(0.0003, 0, lon - 0.01, 0, -0.0003, lat + 0.01), 60, 60)
    moved = rasters.read_layer(tmp_path / "a.tif", degrees)
    from workers.imagery.grid import transformer

    cols, rows = np.meshgrid(np.arange(60) + 0.5, np.arange(60) + 0.5)
    x, y = transformer("OGC:CRS84", "EPSG:32632").transform(lon - 0.01 + 0.0003 * cols, lat + 0.01 - 0.0003 * rows)
    np.testing.assert_allclose(moved, (x - 500_000) / 1e4 + (5_200_000 - y) / 2e4, atol=2e-4)


def test_only_the_window_under_the_grid_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = Grid("EPSG:32632", Affine(30, 0, 500_010, 0, -30, 5_200_020), 600, 600)
    rasters.write(Stack(plane_over(wide)[None], ("height",), wide), tmp_path / "a.tif", encode="float32")
    part = Grid("EPSG:32632", Affine(30, 0, 505_000, 0, -30, 5_195_000), 20, 20)
    window, shape = rasters._needed(wide, part)
    assert max(shape) < 40
    assert window.height == shape[0]
    coarse = Grid("EPSG:32632", Affine(600, 0, 500_010, 0, -600, 5_200_020), 30, 30)
    assert max(rasters._needed(wide, coarse)[1]) <= 125


def test_foreign_damaged_and_placeless_files_are_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("not a raster")
    with pytest.raises(UnreadableRaster, match="no readable GeoTIFF"):
        rasters.read(tmp_path / "text.tif")
    (tmp_path / "vrt.tif").write_text("<VRTDataset rasterXSize='1' rasterYSize='1'></VRTDataset>")
    with pytest.raises(UnreadableRaster, match="no readable GeoTIFF"):
        rasters.read(tmp_path / "vrt.tif")
    rasters.write(reflectances(), tmp_path / "cut.tif")
    whole = (tmp_path / "cut.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) - 2000])
    with pytest.raises(UnreadableRaster):
        rasters.read(tmp_path / "cut.tif")
    with rasterio.open(
        tmp_path / "nowhere.tif", "w", driver="GTiff", width=2, height=2, count=1, dtype="uint8"
    ) as file:
        file.write(np.zeros((1, 2, 2), dtype=np.uint8))
    with pytest.raises(NoCRS, match="has no CRS; assign one"):
        rasters.read(tmp_path / "nowhere.tif")


def test_pixels_that_do_not_fit_the_grid_are_refused() -> None:
    with pytest.raises(WrongGrid, match="bring both onto one grid"):
        Stack(np.zeros((2, 5, 5)), ("green", "swir1"), GRID)
    with pytest.raises(WrongGrid, match="bring both onto one grid"):
        Stack(np.zeros((1, *GRID.shape)), ("green", "swir1"), GRID)
