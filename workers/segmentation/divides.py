"""Whose ice is it: predicted ice shared out between known glaciers by watershed, and slivers given to neighbours.

Watershed divides on an elevation model, after Kienholz, Hock and Arendt (2013), A new semi-automatic approach for
dividing glacier complexes into individual glaciers, Journal of Glaciology 59(217).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from scipy import ndimage
from shapely.geometry.base import BaseGeometry
from skimage import measure, segmentation

from workers.imagery.grid import WGS84, Grid, project, rasterize

REACH_M = 500.0                 # ice that no divide reaches belongs to a reference at most this far away
SLIVER_KM2 = 0.1
THIN_SLIVER_KM2 = 0.2           # ... when also its compactness is below
THIN = 0.5                      # 2 sqrt(pi A) / P; 1 for a circle


def rasterized(geometry: BaseGeometry, grid: Grid) -> tuple[tuple[slice, slice], np.ndarray]:
    """Where a lon/lat geometry lies on the grid: (rows, columns) of its box, one pixel wider, and bool pixels in it."""
    if grid.is_geographic or geometry.is_empty:
        return np.s_[:, :], rasterize([geometry], grid)
    left, bottom, right, top = project(geometry, WGS84, grid.crs).bounds
    corners = [~grid.transform @ corner for corner in ((left, bottom), (left, top), (right, bottom), (right, top))]
    (first_col, last_col), (first_row, last_row) = (
        np.clip([math.floor(min(at)) - 1, math.ceil(max(at)) + 1], 0, n)
        for at, n in zip(zip(*corners, strict=True), (grid.width, grid.height), strict=True))
    box = np.s_[int(first_row) : int(last_row), int(first_col) : int(last_col)]
    if first_row >= last_row or first_col >= last_col:
        return box, np.zeros((0, 0), dtype=bool)
    return box, rasterize([geometry], grid.part(box[0].start, box[1].start, last_row - first_row, last_col - first_col))


def assign(ice: np.ndarray, grid: Grid, references: Mapping[str, BaseGeometry], dem: np.ndarray | None = None,
           reach_m: float = REACH_M) -> np.ndarray:
    """int32 (H, W): 0 no ice, 1.. the references in their order, above that new entities (one number each).

    Inside reference or prediction, ice is flooded from the reference outlines over the DEM (H, W), metres; without a
    DEM all at one pace. A piece that this does not reach goes to the nearest reference within `reach_m`, or is new.
    Slivers are merged in the end.
    """
    seeds = _seeds(grid, references)
    labels = np.where(ice, _flooded(seeds, ice, dem), 0).astype(np.int32)
    pieces = measure.label(ice & (labels == 0), connectivity=1)
    far, (row, col) = ndimage.distance_transform_edt(seeds == 0, sampling=grid.pixel_m, return_indices=True)
    nearest, owner, new = seeds[row, col], [0], len(references)
    for at in ndimage.minimum_position(far, pieces, range(1, pieces.max() + 1)):
        near = seeds.any() and far[at] <= reach_m
        new += not near
        owner.append(int(nearest[at]) if near else new)
    labels[pieces > 0] = np.array(owner)[pieces[pieces > 0]]
    return without_slivers(labels, grid, len(references))


def without_slivers(labels: np.ndarray, grid: Grid, references: int) -> np.ndarray:
    """Small or thin fragments that touch another glacier go to the neighbour with the longest shared border.

    Decision: the largest fragment of a reference glacier is never a sliver, or small glaciers would vanish.
    """
    fragments = measure.label(labels, background=0, connectivity=1)
    borders = _shared_borders(fragments)
    owner = np.zeros(fragments.max() + 1, dtype=np.int32)
    owner[fragments] = labels
    area = np.bincount(fragments.ravel(), weights=np.broadcast_to(grid.pixel_area_km2(), grid.shape).ravel())
    keep = _largest(owner, area, references)
    for number in np.argsort(area[1:]) + 1:                 # smallest first
        neighbours = {n: length for n, length in borders.get(int(number), {}).items() if n}
        perimeter_km = sum(borders.get(int(number), {}).values()) * grid.pixel_m / 1000
        if number not in keep and neighbours and _is_sliver(area[number], perimeter_km):
            owner[number] = owner[max(neighbours, key=lambda n: (neighbours[n], -n))]
    return owner[fragments]


def _is_sliver(area_km2: float, perimeter_km: float) -> bool:
    compactness = 2 * np.sqrt(np.pi * area_km2) / perimeter_km
    return area_km2 < SLIVER_KM2 or (area_km2 < THIN_SLIVER_KM2 and compactness < THIN)


def _seeds(grid: Grid, references: Mapping[str, BaseGeometry]) -> np.ndarray:
    seeds = np.zeros(grid.shape, dtype=np.int32)
    for number, outline in enumerate(references.values(), start=1):
        box, within = rasterized(outline, grid)
        if within.any():
            seeds[box][within & (seeds[box] == 0)] = number
    return seeds


def _flooded(seeds: np.ndarray, ice: np.ndarray, dem: np.ndarray | None) -> np.ndarray:
    """Watershed from the seeds, lowest ground first, so that two glaciers meet on the ridge between them.

    Decision: the relief is not turned upside down. Flooded from above, the glacier nearer to a ridge crosses it first
    and takes the other side too: of the ice within 0.002 degrees of the margins of the Hintereisferner complex 56 %
    went to the right glacier, 96 % this way.
    """
    known = np.isfinite(dem) if dem is not None else np.zeros(ice.shape, bool)
    relief = np.where(known, dem, dem[known].max()) if dem is not None and known.any() else np.zeros(ice.shape)
    return segmentation.watershed(relief, markers=seeds, mask=ice | (seeds > 0))


def _shared_borders(fragments: np.ndarray) -> dict[int, dict[int, int]]:
    """Length in pixel sides of the border between fragments; 0 is the background and the raster's edge."""
    around = np.pad(fragments, 1)
    sides = [(around[:-1], around[1:]), (around[:, :-1], around[:, 1:])]
    pairs = np.concatenate([np.stack([a[a != b], b[a != b]], axis=1) for a, b in sides])
    (unique, counts) = np.unique(np.sort(pairs, axis=1), axis=0, return_counts=True)
    borders: dict[int, dict[int, int]] = {}
    for (a, b), count in zip(unique.tolist(), counts.tolist(), strict=True):
        borders.setdefault(a, {})[b] = count
        borders.setdefault(b, {})[a] = count
    return borders


def _largest(owner: np.ndarray, area: np.ndarray, references: int) -> set[int]:
    """The largest fragment of each reference glacier."""
    by_size = sorted(range(1, len(owner)), key=lambda number: area[number])
    best = {int(owner[number]): number for number in by_size if owner[number] <= references}
    return set(best.values())
