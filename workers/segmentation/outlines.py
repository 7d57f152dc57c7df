"""A mask becomes outlines: polygons along pixel edges, smoothed, in longitude and latitude, cut to glaciers.

Smallest part and smallest nunatak 0.01 km2, the minimum of the World and Randolph Glacier Inventories
(Paul et al. 2009, Annals of Glaciology 50(53)).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from scipy import ndimage
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from skimage import measure

from workers.imagery.grid import WGS84, Grid, buffer_m, geodesic_area_km2, transformer
from workers.imagery.sphere import made_valid, split_antimeridian, unwrap

from . import arcs, divides
from .calibrate import confidence

MIN_AREA_KM2 = 0.01
DOMAIN_BUFFER_M = 150.0


@dataclass(frozen=True)
class Traced:
    """One connected piece of ice."""

    geometry: MultiPolygon
    """Longitude and latitude, WGS 84; nunataks are holes."""

    area_km2: float
    """Geodesic."""

    mean_confidence: float | None
    """Mean over its pixels of 1 - binary entropy in bits; None when a mask without probabilities was traced."""


def trace(
    probability: np.ndarray, grid: Grid, threshold: float = 0.5, min_area_km2: float = MIN_AREA_KM2, smooth: bool = True
) -> list[Traced]:
    """Outlines of a probability map (H, W) (p >= threshold is glacier; NaN is not) or of a bool mask, largest first.

    4-connected along pixel edges; parts and holes below `min_area_km2` are dropped and filled.
    Raises ValueError when the map does not lie on the grid.
    """
    if probability.shape != grid.shape:
        raise ValueError(f"a map of {probability.shape} does not lie on a grid of {grid.shape}")
    is_mask = probability.dtype == bool
    ice = probability if is_mask else probability >= threshold
    regions = measure.label(cleaned(ice.astype(np.int32), grid, min_area_km2), connectivity=1).astype(np.int32)
    sure = None if is_mask else _mean_confidence(probability, regions)
    shapes = arcs.polygons(regions, smooth)
    found = [
        Traced(geometry, geodesic_area_km2(geometry), None if sure is None else float(sure[number]))
        for number, geometry in zip(shapes, each_to_lonlat(list(shapes.values()), grid), strict=True)
    ]
    return sorted(found, key=lambda one: -one.area_km2)


def to_glaciers(
    mask: np.ndarray,
    grid: Grid,
    domains: Mapping[str, BaseGeometry],
    dem: np.ndarray | None = None,
    min_area_km2: float = MIN_AREA_KM2,
    smooth: bool = True,
) -> dict[str | None, MultiPolygon]:
    """The bool mask (H, W) cut to glaciers: {glac_id: all its ice}, and under None the ice outside every domain.

    `domains` are lon/lat polygons (`domains_of`); where two overlap, ice goes to the one it lies deeper in. Glaciers
    without ice are absent. With a `dem` (H, W), metres, the domains are taken as reference outlines instead, and
    ice beyond them is shared out by watershed (divides.assign).
    """
    ids: list[str | None] = [*domains, None]
    labels = divides.assign(mask, grid, domains, dem) if dem is not None else inside(mask, grid, domains)
    labels = cleaned(np.minimum(labels, len(ids)), grid, min_area_km2)      # new entities have no glacier yet
    regions = measure.label(labels, connectivity=1).astype(np.int32)
    owner = np.zeros(regions.max() + 1, dtype=np.int64)
    owner[regions] = labels
    parts: dict[str | None, list[Polygon]] = {}
    for number, shape in arcs.polygons(regions, smooth).items():
        parts.setdefault(ids[owner[number] - 1], []).append(shape)
    return {glac_id: to_lonlat(shapes, grid) for glac_id, shapes in parts.items()}


def inside(mask: np.ndarray, grid: Grid, domains: Mapping[str, BaseGeometry]) -> np.ndarray:
    """int32 (H, W): 1.. for the domains in their order, one more for ice outside all, 0 where there is no ice."""
    labels = np.where(mask, len(domains) + 1, 0).astype(np.int32)
    deepest = np.zeros(grid.shape, dtype=np.float32)
    for number, domain in enumerate(domains.values(), start=1):
        box, within = divides.rasterized(domain, grid)
        if within.any():
            depth = ndimage.distance_transform_edt(np.pad(within, 1, mode="edge"))[1:-1, 1:-1].astype(np.float32)
            labels[box][mask[box] & (depth > deepest[box])] = number
            np.maximum(deepest[box], depth, out=deepest[box])
    return labels


def domains_of(references: Mapping[str, BaseGeometry], buffer: float = DOMAIN_BUFFER_M) -> dict[str, BaseGeometry]:
    """Each glacier's domain: its reference outline grown by `buffer` metres, less the outlines of its neighbours."""
    names, outlines = list(references), [shapely.make_valid(one) for one in references.values()]
    tree = shapely.STRtree(outlines)
    domains = {}
    for i, name in enumerate(names):
        grown = shapely.make_valid(buffer_m(outlines[i], buffer))
        others = [outlines[j] for j in tree.query(grown) if j != i]
        domains[name] = grown.difference(shapely.union_all(others).difference(outlines[i]))
    return domains


def despeckled(mask: np.ndarray) -> np.ndarray:
    """The bool mask (H, W) after a 3 x 3 median: single pixels go, straight margins stay. Optional before tracing."""
    return ndimage.median_filter(mask, size=3, mode="nearest")


def cleaned(labels: np.ndarray, grid: Grid, min_area_km2: float) -> np.ndarray:
    """int32 labels without 4-connected parts and holes below the smallest area; holes take what is nearest."""
    area = np.broadcast_to(grid.pixel_area_km2(), grid.shape).ravel()
    regions = measure.label(labels, background=0, connectivity=1)
    size = np.bincount(regions.ravel(), weights=area)
    kept = np.where(size[regions] < min_area_km2, 0, labels).astype(np.int32)
    gaps = measure.label(kept == 0, background=0, connectivity=2)
    size = np.bincount(gaps.ravel(), weights=area)
    size[np.unique(np.concatenate([gaps[0], gaps[-1], gaps[:, 0], gaps[:, -1]]))] = np.inf      # open to the outside
    hole = (gaps > 0) & (size[gaps] < min_area_km2)
    if hole.any() and len(kinds := np.unique(kept[kept > 0])) == 1:
        kept[hole] = kinds[0]
    elif hole.any():
        row, col = ndimage.distance_transform_edt(kept == 0, return_distances=False, return_indices=True)
        kept[hole] = kept[row[hole], col[hole]]
    return kept


def to_lonlat(shapes: Sequence[Polygon], grid: Grid) -> MultiPolygon:
    """Polygons in pixel coordinates as one valid lon/lat MultiPolygon, cut at the antimeridian."""
    return _sound(MultiPolygon(list(_placed(shapes, grid))))


def each_to_lonlat(shapes: Sequence[Polygon], grid: Grid) -> list[MultiPolygon]:
    """What `to_lonlat` makes of each polygon alone: their corners are projected together, which is much faster."""
    placed = _placed(shapes, grid)
    found = shapely.orient_polygons(shapely.multipolygons(placed, indices=np.arange(len(placed))))
    left, _, right, _ = shapely.bounds(placed).reshape(-1, 4).T
    for number in np.flatnonzero((right - left > 180) | (left < -180) | (right > 180) | ~shapely.is_valid(placed)):
        found[number] = _sound(MultiPolygon([placed[number]]))
    return list(found)


def _placed(shapes: Sequence[Polygon], grid: Grid) -> np.ndarray:
    """Polygons from pixel coordinates (column, row) to longitude and latitude, as an array."""
    a, b, c, d, e, f = grid.transform[:6]
    there = transformer(grid.crs, WGS84)

    def placed(xy: np.ndarray) -> np.ndarray:
        col, row = xy.T
        return np.column_stack(there.transform(a * col + b * row + c, d * col + e * row + f))

    return shapely.transform(np.array(shapes, dtype=object), placed)


def _sound(geometry: MultiPolygon) -> MultiPolygon:
    """Valid, cut at the antimeridian, shells counter-clockwise."""
    parts = shapely.get_parts(split_antimeridian(made_valid(unwrap(geometry))))
    return shapely.orient_polygons(MultiPolygon(list(parts)))


def _mean_confidence(probability: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """(regions + 1,) mean confidence of each region; filled gaps count nothing."""
    known = np.isfinite(probability)
    sums = np.bincount(regions[known], weights=confidence(probability[known]), minlength=regions.max() + 1)
    return sums / np.maximum(np.bincount(regions[known], minlength=regions.max() + 1), 1)
