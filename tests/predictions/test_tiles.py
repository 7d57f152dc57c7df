"""Tiles of predicted outlines, masks and forecast frames, over real files and PostGIS."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest
import rasterio
import shapely
import vector_tiles
from png_tiles import rgba
from rasterio.transform import from_origin

from glacierweb import paths
from inventory.tiles import Tile
from predictions import results, versions
from predictions.tile_views import vector_tile

Z = 14


def tile_of(lon: float, lat: float, z: int = Z) -> tuple[int, int]:
    n = 2**z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n
    return int((lon + 180) / 360 * n), int(y)


X, Y = tile_of(-29.995, 46.005)
GLACIER = "G330000E46000N"


def raster(value: float, name: str):
    """A real GeoTIFF of 0.02 degrees with a hole of nodata in its south."""
    path = paths.scratch(".tif")
    pixels = np.full((40, 40), value, dtype="float32")
    pixels[30:] = np.nan
    with rasterio.open(
        path, "w", driver="GTiff", width=40, height=40, count=1, dtype="float32", crs="EPSG:4326", nodata=np.nan,
        transform=from_origin(-30.005, 46.015, 0.0005, 0.0005),
    ) as file:  # fmt: skip
        file.write(pixels, 1)
        file.set_band_description(1, name)
    return path


def pixels(response) -> np.ndarray:
    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    return rgba(response.content)


@pytest.fixture
def masked(world):
    world.glacier()
    version = versions.promote(world.version())
    masks = []
    for year in (2010, 2012):
        shape = shapely.box(-30.0, 46.0, -29.99, 46.01)
        run, scene, file = world.running(), world.scene(date(year, 8, 20)), raster(0.9, "probability")
        masks.append(results.save_mask(run, scene, version, "ice", file, 0.5, [(GLACIER, shape, 0.86)], [], 1.0))
    return masks


def test_a_mask_is_drawn_where_it_knows_and_clear_beside(client, masked):
    drawn = pixels(client.get(f"/tiles/masks/{masked[0].pk}/{Z}/{X}/{Y}.png"))
    assert drawn.shape == (256, 256, 4)
    assert (drawn[..., 3] > 0).any()
    away = pixels(client.get(f"/tiles/masks/{masked[0].pk}/{Z}/{X + 400}/{Y}.png"))
    assert not away[..., 3].any()


def test_a_frame_of_a_forecast_is_drawn_by_the_ndsi_colours_and_missing_parts_are_hatched(client, world):
    frames = [(date(2025, 1, 1), date(2025, 3, 31), 1, False, raster(0.85, "ndsi"), 31.0)]
    found = results.save_forecast(
        world.running("forecast"), world.aoi(), world.version("forecast"), "forecast", date(2025, 1, 1), frames, [],
        True, "",
    )  # fmt: skip
    answer = client.get(f"/tiles/forecasts/{found.pk}/2025-01-01/{Z}/{X}/{Y}.png")
    colours = pixels(answer)
    blue = (colours[..., 2] > colours[..., 0] + 40) & (colours[..., 3] == 255)
    assert blue.mean() > 0.2
    assert client.get(answer.wsgi_request.path, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    for start in ("2025-04-01", "soon"):
        problem = client.get(f"/tiles/forecasts/{found.pk}/{start}/{Z}/{X}/{Y}.png")
        assert (problem.status_code, problem["Content-Type"]) == (404, "application/problem+json")


def test_a_tile_that_does_not_exist_is_404(client, masked):
    assert client.get(f"/tiles/masks/{masked[0].pk}/2/9/0.png").status_code == 404
    assert client.get(f"/tiles/masks/99999/{Z}/{X}/{Y}.png").status_code == 404
    assert client.get("/tiles/predicted-outlines/1/5/5.mvt").status_code == 404


def days(*day) -> int:
    return (date(*day) - date(1970, 1, 1)).days


def test_the_vector_tile_holds_every_date_with_the_days_it_is_shown_for(client, masked, tmp_path):
    answer = client.get(f"/tiles/predicted-outlines/{Z}/{X}/{Y}.mvt")
    assert answer["Content-Type"] == "application/vnd.mapbox-vector-tile"
    frame = vector_tiles.decoded(answer.content, tmp_path, (Z, X, Y), "predicted")
    first, second = (row for _, row in frame.sort_values("from").iterrows())
    assert (first["from"], first["to"]) == (days(2010, 8, 20), days(2012, 8, 19))
    assert (second["from"], second["to"]) == (days(2012, 8, 20), days(2012, 12, 31))
    assert (first["glac_id"], first["simulated"], first["product"], first["area"]) == (GLACIER, 1, "ice", 0.86)


def test_outlines_of_versions_that_are_not_active_are_not_in_the_tile(world, masked):
    assert vector_tile(Tile(Z, X, Y))
    versions.promote(world.version(metrics={"overall": {"iou": 0.95}}))
    assert vector_tile(Tile(Z, X, Y)) == b""


def outlined(world, version, day: date, shape: shapely.Polygon, flags: list[str] | None = None):
    """One more mask with one outline of the glacier."""
    run, scene, file = world.running(), world.scene(day), raster(0.9, "probability")
    return results.save_mask(run, scene, version, "ice", file, 0.5, [(GLACIER, shape, 0.86)], flags or [], 1.0)


def test_a_vector_tile_that_the_browser_has_is_not_drawn_again_until_an_outline_comes(client, world, masked):
    address = f"/tiles/predicted-outlines/{Z}/{X}/{Y}.mvt"
    tag = client.get(address)["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    outlined(world, masked[0].version, date(2013, 8, 20), shapely.box(-30.0, 46.0, -29.99, 46.01))
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again["ETag"] == tag) == (200, False)


def test_a_tile_at_the_glaciers_edge_shows_the_year_by_the_outline_that_its_neighbour_shows(world, masked, tmp_path):
    # The June outline reaches over the tile's eastern edge, the better one of late summer does not.
    version = masked[0].version
    outlined(world, version, date(2014, 6, 1), shapely.box(-30.0, 46.0, -29.5, 46.01))
    outlined(world, version, date(2014, 9, 1), shapely.box(-30.0, 46.0, -29.99, 46.01))
    here = vector_tiles.decoded(vector_tile(Tile(Z, X, Y)), tmp_path, (Z, X, Y), "predicted")
    assert days(2014, 9, 1) in set(here["from"])
    assert days(2014, 6, 1) not in set(here["from"])
    assert vector_tile(Tile(Z, X + 4, Y)) == b""
