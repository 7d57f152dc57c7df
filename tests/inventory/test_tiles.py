"""Vector tiles decoded with GDAL's own reader, raster tiles against the values in the file."""

from __future__ import annotations

import math

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
import vector_tiles
from png_tiles import rgba
from rasterio.transform import from_origin

from inventory import outlines, raster_tiles, scenes
from inventory.colour_maps import CLEAR, palette, style_hash
from inventory.models import Scene
from inventory.tiles import Tile

pytestmark = pytest.mark.django_db


def tile_at(lon, lat, z):
    x = int((lon + 180) / 360 * 2**z)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)
    return z, x, y


def decoded(client, tmp_path, z, x, y):
    response = client.get(f"/tiles/outlines/{z}/{x}/{y}.mvt")
    assert response.status_code == 200
    return vector_tiles.decoded(response.content, tmp_path, (z, x, y), "outlines")


def test_a_tile_holds_every_year_with_the_days_it_is_shown_for(client, glacier, tmp_path):
    frame = decoded(client, tmp_path, *tile_at(10.01, 46.01, 12)).sort_values("from")
    assert list(frame["from"]) == [7517, 11170, 14822]  # days since 1970-01-01 of 1 August 1990, 2000 and 2010
    assert list(frame["to"]) == [11169, 14821, 2_932_896]
    assert set(frame["glac_id"]) == {glacier.glac_id}
    assert list(frame["simulated"]) == [0, 0, 0]
    assert list(frame["area"]) == pytest.approx([round(o.area_km2, 4) for o in glacier.outlines.order_by("src_date")])


@pytest.mark.parametrize("z", [0, 2, 5, 8])
def test_no_glacier_is_lost_at_a_low_zoom(client, glacier, source, tmp_path, z):
    outlines.record(shapely.box(10.03, 46.03, 10.031, 46.031), "2000-08-01", source=source)
    frame = decoded(client, tmp_path, *tile_at(10.01, 46.01, z))
    assert len(frame) == 4
    assert (frame.geometry.area > 0).all()


def test_a_glacier_at_the_pole_does_not_break_the_tile(client, source, tmp_path):
    outlines.record(shapely.box(10, -89.99, 12, -84), "2000-08-01", source=source)
    assert len(decoded(client, tmp_path, 0, 0, 0)) == 1


def test_an_unchanged_tile_is_not_sent_again(client, glacier):
    z, x, y = tile_at(10.01, 46.01, 10)
    first = client.get(f"/tiles/outlines/{z}/{x}/{y}.mvt")
    again = client.get(f"/tiles/outlines/{z}/{x}/{y}.mvt", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("address", ["3/8/0", "3/0/9", "30/0/0"])
def test_tiles_outside_the_world_are_not_found(client, db, address):
    assert client.get(f"/tiles/outlines/{address}.mvt").status_code == 404


@pytest.fixture
def stored(settings, tmp_path):
    """A stored scene, 64 x 64 px of 30 m near 10 E 46 N: green .8, swir1 .1 (NDSI .778), a corner without data."""
    settings.DATA_ROOT = tmp_path
    west, north = 577_000.0, 5_095_000.0
    box = geopandas.GeoSeries([shapely.box(west, north - 1920, west + 1920, north)], crs=32632).to_crs(4326).iloc[0]
    scene, _ = scenes.record(
        "TEST/scene-1".replace("/", "-"), footprint=box, acquired="2020-08-01T10:00:00Z", collection="test", fetch=False
    )
    bands = {"blue": 0.7, "green": 0.8, "red": 0.75, "swir1": 0.1}
    path = tmp_path / scene.raster
    path.parent.mkdir()
    with rasterio.open(
        path, "w", driver="GTiff", width=64, height=64, count=4, dtype="int16", crs="EPSG:32632", nodata=-32768,
        transform=from_origin(west, north, 30, 30),
    ) as file:  # fmt: skip
        for number, (name, value) in enumerate(bands.items(), start=1):
            layer = np.full((64, 64), round(value * 1e4), dtype=np.int16)
            layer[:16, :16] = -32768
            file.write(layer, number)
            file.set_band_description(number, name)
        file.scales = [1e-4] * 4
    scenes.claim(scene.pk)
    scenes.mark_stored(scene, grid={}, bands=list(bands), facts={})
    return Scene.objects.get(pk=scene.pk)


def middle(scene):
    return scene.footprint.centroid.x, scene.footprint.centroid.y


def test_an_ndsi_tile_shows_the_colour_of_its_value(client, stored):
    z, x, y = tile_at(*middle(stored), 14)
    response = client.get(f"/tiles/scenes/{stored.pk}/{z}/{x}/{y}.png?style=ndsi&v={style_hash('ndsi')}")
    assert response["Content-Type"] == "image/png"
    seen = rgba(response.content)
    ndsi = (0.8 - 0.1) / (0.8 + 0.1)
    place = 3 + round((ndsi + 0.2) / 1.1 * 252)
    wanted = palette("ndsi")[place]
    shown = (seen == wanted).all(axis=-1).sum()
    assert shown > 1000
    others = seen[~(seen == wanted).all(axis=-1)]
    assert {tuple(c) for c in np.unique(others, axis=0).tolist()} <= {
        tuple(palette("ndsi")[i].tolist()) for i in (0, 1, 2)
    }


def test_missing_data_is_hatched_and_beside_the_scene_it_is_clear(stored, settings):
    z, x, y = tile_at(*middle(stored), 13)
    pixels = raster_tiles.read(settings.DATA_ROOT / stored.raster, Tile(z, x, y), ["green", "swir1"])
    seen = rgba(raster_tiles.coloured(raster_tiles.ndsi(pixels), pixels, "ndsi"))
    assert (seen[~pixels.inside] == palette("ndsi")[CLEAR]).all()
    assert 0 < pixels.missing.sum() < pixels.inside.sum() / 8
    assert (seen[pixels.missing][:, 3] > 0).all()


def test_true_colour_is_bright_where_snow_is(client, stored):
    z, x, y = tile_at(*middle(stored), 14)
    seen = rgba(client.get(f"/tiles/scenes/{stored.pk}/{z}/{x}/{y}.png?style=true-colour").content)
    assert (seen[seen[..., 3] == 255][:, :3] > 200).all()


def test_a_tile_beside_the_scene_is_clear_and_one_of_nothing_is_not_found(client, stored):
    clear = client.get(f"/tiles/scenes/{stored.pk}/14/0/5000.png?style=ndsi")
    assert (rgba(clear.content)[..., 3] == 0).all()
    assert client.get("/tiles/scenes/999/14/0/5000.png").status_code == 404
    assert client.get(f"/tiles/scenes/{stored.pk}/14/0/5000.png?style=hillshade").status_code == 404
    assert client.get(f"/tiles/scenes/{stored.pk}/14/0/5000.png?style=other").status_code == 400


def test_a_raster_that_vanished_is_not_found(client, stored, settings):
    (settings.DATA_ROOT / stored.raster).unlink()
    response = client.get(f"/tiles/scenes/{stored.pk}/14/0/5000.png?style=ndsi")
    assert response.status_code == 404
    assert "not on disk" in response.json()["detail"]


def test_a_raster_tile_answers_304_by_its_tag(client, stored):
    z, x, y = tile_at(*middle(stored), 14)
    address = f"/tiles/scenes/{stored.pk}/{z}/{x}/{y}.png?style=ndsi"
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304


def test_a_slope_towards_the_north_west_is_lit_and_the_other_side_is_dark(tmp_path):
    rows, columns = np.indices((64, 64)).astype(np.float32)
    z, x, y = tile_at(10.0125, 46.0, 14)
    for sign, lit in ((1, True), (-1, False)):
        path = tmp_path / f"dem{sign}.tif"
        with rasterio.open(
            path, "w", driver="GTiff", width=64, height=64, count=1, dtype="float32", crs="EPSG:32632",
            transform=from_origin(577_000, 5_095_000, 30, 30),
        ) as file:  # fmt: skip
            file.write(1000 + sign * 10 * (rows + columns), 1)
        tile = Tile(z, x, y)
        seen = rgba(raster_tiles.hillshade(raster_tiles.read(path, tile, [1], margin=1, smooth=True), tile))
        shown = seen[seen[..., 3] > 20]
        assert len(shown) > 100
        assert (shown[:, 0] == 255).mean() > 0.9 if lit else (shown[:, 0] == 0).mean() > 0.9


def test_a_redrawn_outline_is_redrawn_in_every_zoom(client, glacier, tmp_path):
    newest = glacier.outlines.get(src_date="2010-08-01")
    outlines.redraw(newest, shapely.box(10.0, 46.0, 10.004, 46.004))
    for z in (10, 13, 15):
        frame = decoded(client, tmp_path, *tile_at(10.001, 46.001, z))
        shown = frame[frame["to"] == 2_932_896].geometry.iloc[0]
        pixel = 40_075_016.7 / 256 / 2**z
        assert shown.bounds[2] - shown.bounds[0] == pytest.approx(0.004 * 111_319.5, abs=2 * pixel)


def test_deleting_an_outline_takes_it_off_the_map(client, glacier, tmp_path):
    glacier.outlines.get(src_date="1990-08-01").delete()
    assert len(decoded(client, tmp_path, *tile_at(10.01, 46.01, 12))) == 2
