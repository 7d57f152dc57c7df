"""The STAC Item (1.1.0) that lies beside each simulated acquisition."""

from __future__ import annotations

from datetime import date
from typing import Any

import shapely
from rasterio.warp import transform_geom

from . import radar, sensors
from .worlds import Scene, World

EXTENSIONS = [
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
    "https://stac-extensions.github.io/view/v1.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
]
COLLECTION, RADAR_COLLECTION, DEM_COLLECTION = "simulated-landsat", "simulated-sentinel-1", "simulated-elevation"
RADAR_BANDS = ("co_pol", "coherence")
TIME_OF_DAY = "T13:10:00Z"
COMMON_NAMES = {
    "blue": "blue",
    "green": "green",
    "red": "red",
    "nir": "nir08",
    "swir1": "swir16",
    "swir2": "swir22",
    "thermal": "lwir",
}


def scaling(band: str) -> tuple[float, float]:
    """(scale, offset) of a delivered band; (1, 0) for the bit field."""
    if band == "qa_pixel":
        return 1.0, 0.0
    if band == "thermal":
        return sensors.THERMAL_SCALE, sensors.THERMAL_OFFSET
    return sensors.REFLECTANCE_SCALE, sensors.REFLECTANCE_OFFSET


def fill(band: str) -> int:
    """The integer that means no data; in the bit field it is bit 0."""
    return 1 if band == "qa_pixel" else 0


def item(world: World, scene: Scene) -> dict[str, Any]:
    """STAC Item of a scene whose file is `<id>.tif` in the same folder; `glacierweb:band` counts bands from 1."""
    names = ["qa" if band == "qa_pixel" else band for band in scene.BANDS]
    assets = {
        name: _asset(scene.id, band, number)
        for number, (name, band) in enumerate(zip(names, scene.BANDS, strict=True), 1)
    }
    return _item(world, scene.id, COLLECTION, _properties(world, scene), assets)


def radar_item(world: World, day: date) -> dict[str, Any]:
    """STAC Item of a radar acquisition with bands co_pol (gamma nought, linear power) and coherence."""
    name = world.echo_id(day)
    properties = {
        **_common(world, day, f"{day.isoformat()}T18:40:00Z"),
        "platform": "sentinel-1a",
        "instruments": ["c-sar"],
        "gsd": world.grid.transform.a,
        "sar:instrument_mode": "IW",
        "sar:frequency_band": "C",
        "sar:polarizations": ["VV"],
        "sar:product_type": "RTC",
        "sat:orbit_state": "ascending",
        "view:incidence_angle": radar.INCIDENCE_DEG,
    }
    assets = {band: _float_asset(name, band, number) for number, band in enumerate(RADAR_BANDS, 1)}
    return _item(world, name, RADAR_COLLECTION, properties, assets)


def dem_item(world: World) -> dict[str, Any]:
    """STAC Item of the world's elevation, metres, in `dem.tif` beside it."""
    first = date(world.years[0], 1, 1)
    properties = _common(world, first, f"{first.isoformat()}T00:00:00Z") | {
        "title": f"Simulated elevation, world {world.seed}"
    }
    asset = _float_asset("dem", "elevation", 1, nodata=-32768)
    return _item(world, f"SIM_DEM_{world.seed:04d}", DEM_COLLECTION, properties, {"elevation": asset})


def _item(
    world: World, name: str, collection: str, properties: dict[str, Any], assets: dict[str, Any]
) -> dict[str, Any]:
    footprint = _footprint(world)
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": EXTENSIONS,
        "id": name,
        "collection": collection,
        "geometry": shapely.geometry.mapping(footprint),
        "bbox": [round(value, 7) for value in footprint.bounds],
        "properties": properties,
        "links": [],
        "assets": assets,
    }


def _footprint(world: World) -> shapely.Polygon:
    corners = shapely.geometry.mapping(shapely.box(*world.grid.bounds))
    return shapely.geometry.shape(transform_geom(world.grid.crs, "OGC:CRS84", corners, precision=7))


def _common(world: World, day: date, moment: str) -> dict[str, Any]:
    grid = world.grid
    return {
        "datetime": moment,
        "title": f"Simulated scene, world {world.seed}, {day.isoformat()}",
        "simulated": True,
        "glacierweb:source": f"simulated world, seed {world.seed}, profile {world.profile.name}",
        "proj:code": grid.crs,
        "proj:transform": list(grid.transform)[:6],
        "proj:shape": list(grid.shape),
    }


def _properties(world: World, scene: Scene) -> dict[str, Any]:
    return {
        **_common(world, scene.of.day, f"{scene.of.day.isoformat()}{TIME_OF_DAY}"),
        "platform": scene.of.sensor.platform,
        "instruments": list(scene.of.sensor.instruments),
        "gsd": 30,
        "eo:cloud_cover": round(scene.cloud_cover_percent, 2),
        "view:sun_azimuth": round(scene.sun_azimuth_deg, 3),
        "view:sun_elevation": round(scene.sun_elevation_deg, 3),
        "view:off_nadir": 0,
        "landsat:collection_number": "02",
        "landsat:collection_category": "T1",
        "landsat:correction": "L2SP",
        "glacierweb:image_quality": scene.image_quality,
        "glacierweb:slc_off": scene.of.sensor.slc_off(scene.of.day),
    }


def _asset(name: str, band: str, number: int) -> dict[str, Any]:
    scale, offset = scaling(band)
    raster = {"data_type": "uint16", "nodata": fill(band), "scale": scale, "offset": offset, "spatial_resolution": 30}
    common = {"name": band, "data_type": "uint16", "nodata": fill(band)}
    if band in COMMON_NAMES:
        common["eo:common_name"] = COMMON_NAMES[band]
    return {
        "href": f"./{name}.tif",
        "type": "image/tiff; application=geotiff",
        "title": f"Simulated {band}",
        "roles": ["data"] if band in COMMON_NAMES else ["cloud", "cloud-shadow", "snow-ice", "water-mask"],
        "glacierweb:band": number,
        "bands": [common],
        "raster:bands": [raster],
    }


def _float_asset(name: str, band: str, number: int, nodata: float | str = "nan") -> dict[str, Any]:
    return {
        "href": f"./{name}.tif",
        "type": "image/tiff; application=geotiff",
        "title": f"Simulated {band}",
        "roles": ["data"],
        "glacierweb:band": number,
        "bands": [{"name": band, "data_type": "float32", "nodata": nodata}],
        "raster:bands": [{"data_type": "float32", "nodata": nodata, "scale": 1.0, "offset": 0.0}],
    }
