"""Outlines as somebody would draw them from late-summer images: near the truth, never equal to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from pyproj import Geod, Transformer
from rasterio import features
from scipy.ndimage import distance_transform_edt, gaussian_filter
from shapely.geometry.base import BaseGeometry

from workers.imagery.grid import Grid

from .calendar import Pass, late_summer
from .noise import generator
from .worlds import World

ERROR_SD_PX = 0.5  # of the margin, correlated over a few pixels
ERROR_SCALE_PX = 3.0
LEAST_KM2 = 0.01  # smaller parts and holes are not drawn
FROM, TO, EVERY_YEARS = 1985, 2020, 5
COORDINATE_DIGITS = 7


def outlines(world: World, passes: Sequence[Pass]) -> dict[str, Any]:
    """GeoJSON FeatureCollection in longitude and latitude of every glacier on the dates that an analyst chose."""
    found = []
    for of in dates(world, passes):
        for number in range(len(world.glaciers)):
            drawn = draw(world, number, of)
            if not drawn.is_empty:
                found.append(_feature(world, number, of, drawn))
    return {"type": "FeatureCollection", "features": found}


def dates(world: World, passes: Sequence[Pass]) -> list[Pass]:
    """The clearest late-summer pass of every fifth year from 1985 to 2020 (and the first year of a short world)."""
    late = [p for p in passes if late_summer(p.day, world.southern)]
    years = sorted({p.day.year for p in late})
    wanted = [y for y in years if FROM <= y <= TO and (y - FROM) % EVERY_YEARS == 0] or years[:1]
    return [min((p for p in late if p.day.year == y), key=lambda p: (p.cloud_share, p.day)) for y in wanted]


def draw(world: World, number: int, of: Pass) -> BaseGeometry:
    """One glacier on one date, (Multi)Polygon in longitude and latitude, along pixel edges."""
    ice = world.glaciers[number].ice(of.decimal_year)
    rng = generator(world.seed, "analyst", number, of.day.toordinal())
    drawn = _misjudged(rng, ice)
    shapes = features.shapes(drawn.astype(np.uint8), mask=drawn, connectivity=4, transform=world.grid.transform)
    least_m2 = LEAST_KM2 * 1e6
    parts = [_without_small_holes(shapely.geometry.shape(shape), least_m2) for shape, _ in shapes]
    whole = shapely.union_all([part for part in parts if part.area >= least_m2])
    return shapely.orient_polygons(shapely.transform(whole, _to_lonlat(world.grid), interleaved=False))


def _misjudged(rng: np.random.Generator, ice: np.ndarray) -> np.ndarray:
    """The mask with its margin moved by a smooth error of half a pixel or so."""
    inside = distance_transform_edt(ice) - distance_transform_edt(~ice)
    signed = inside - 0.5 * np.sign(inside)  # 0 on the pixel edges between ice and ground
    error = gaussian_filter(rng.standard_normal(ice.shape), ERROR_SCALE_PX / 2)
    return signed + ERROR_SD_PX * error / error.std() > 0


def _without_small_holes(part: shapely.Polygon, least_m2: float) -> shapely.Polygon:
    return shapely.Polygon(part.exterior, [hole for hole in part.interiors if shapely.Polygon(hole).area >= least_m2])


def _to_lonlat(grid: Grid) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    transform = _transformer(grid.crs).transform
    return lambda x, y: tuple(np.round(part, COORDINATE_DIGITS) for part in transform(x, y))  # type: ignore[return-value]


@lru_cache(maxsize=4)
def _transformer(crs: str) -> Transformer:
    return Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)


def _feature(world: World, number: int, of: Pass, drawn: BaseGeometry) -> dict[str, Any]:
    glacier = world.glaciers[number]
    area_m2, perimeter_m = Geod(ellps="WGS84").geometry_area_perimeter(drawn)
    properties = {
        "glac_name": glacier.name,
        "local_id": glacier.local_id,
        "src_date": of.day.isoformat(),
        "anlys_time": _analysed(of.day),
        "area_km2": round(abs(area_m2) / 1e6, 4),
        "perimeter_km": round(perimeter_m / 1e3, 3),
        "line_type": "glac_bound",
        "loc_unc_x": 15.0,
        "loc_unc_y": 15.0,
        "analyst": "Simulated analyst",
        "source": f"simulated world, seed {world.seed}",
        "scene_ids": world.scene_id(of),
        "simulated": True,
    }
    return {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(drawn)}


def _analysed(day: date) -> str:
    return f"{day + timedelta(days=400):%Y-%m-%d}T12:00:00Z"
