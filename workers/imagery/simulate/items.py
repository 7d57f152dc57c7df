"""The STAC Item (1.1.0) that lies beside each simulated scene."""

from __future__ import annotations

from typing import Any

import shapely
from rasterio.warp import transform_geom

from . import sensors
from .worlds import Scene, World

EXTENSIONS = [
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
    "https://stac-extensions.github.io/view/v1.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
]
COLLECTION = "simulated-landsat"
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
    footprint = _footprint(world)
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": EXTENSIONS,
        "id": scene.id,
        "collection": COLLECTION,
        "geometry": shapely.geometry.mapping(footprint),
        "bbox": [round(value, 7) for value in footprint.bounds],
        "properties": _properties(world, scene),
        "links": [],
        "assets": {
            ("qa" if band == "qa_pixel" else band): _asset(scene, band, number)
            for number, band in enumerate(scene.BANDS, 1)
        },
    }


def _footprint(world: World) -> shapely.Polygon:
    corners = shapely.geometry.mapping(shapely.box(*world.grid.bounds))
    return shapely.geometry.shape(transform_geom(world.grid.crs, "OGC:CRS84", corners, precision=7))


def _properties(world: World, scene: Scene) -> dict[str, Any]:
    grid = world.grid
    return {
        "datetime": f"{scene.of.day.isoformat()}{TIME_OF_DAY}",
        "title": f"Simulated scene, world {world.seed}, {scene.of.day.isoformat()}",
        "platform": scene.of.sensor.platform,
        "instruments": list(scene.of.sensor.instruments),
        "gsd": 30,
        "simulated": True,
        "eo:cloud_cover": round(scene.cloud_cover_percent, 2),
        "view:sun_azimuth": round(scene.sun_azimuth_deg, 3),
        "view:sun_elevation": round(scene.sun_elevation_deg, 3),
        "view:off_nadir": 0,
        "landsat:collection_number": "02",
        "landsat:collection_category": "T1",
        "landsat:correction": "L2SP",
        "glacierweb:image_quality": scene.image_quality,
        "glacierweb:slc_off": scene.of.sensor.slc_off(scene.of.day),
        "glacierweb:source": f"simulated world, seed {world.seed}, profile {world.profile.name}",
        "proj:code": grid.crs,
        "proj:transform": list(grid.transform)[:6],
        "proj:shape": list(grid.shape),
    }


def _asset(scene: Scene, band: str, number: int) -> dict[str, Any]:
    scale, offset = scaling(band)
    raster = {"data_type": "uint16", "nodata": fill(band), "scale": scale, "offset": offset, "spatial_resolution": 30}
    common = {"name": band, "data_type": "uint16", "nodata": fill(band)}
    if band in COMMON_NAMES:
        common["eo:common_name"] = COMMON_NAMES[band]
    return {
        "href": f"./{scene.id}.tif",
        "type": "image/tiff; application=geotiff",
        "title": f"Simulated {band}",
        "roles": ["data"] if band in COMMON_NAMES else ["cloud", "cloud-shadow", "snow-ice", "water-mask"],
        "glacierweb:band": number,
        "bands": [common],
        "raster:bands": [raster],
    }
