"""Pixel regions become polygons whose shared borders are smoothed once, so that neighbours never overlap.

Rings are cut into arcs where three regions meet; each arc is simplified (Douglas and Peucker 1973) and its corners are
cut once (Chaikin 1974); polygons are built again from the smoothed arcs. All in pixel coordinates (column, row).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from rasterio import features
from scipy import ndimage
from shapely import LineString, Polygon

SIMPLIFY_PX = 0.5
LONGEST_CUT_PX = 1.0            # decision: a corner between long straight edges (a cut domain) is not rounded away
LARGEST_AREA_CHANGE = 0.01
ATTEMPTS = 3                    # each leaves the arcs of polygons that failed as they are


def polygons(regions: np.ndarray, smooth: bool = True) -> dict[int, Polygon]:
    """One polygon in pixel coordinates for each region of an int32 (H, W) raster; 0 is background.

    Each region must be 4-connected. Borders follow pixel edges, or are smoothed where that changes no area by more
    than 1 % and leaves nothing invalid.
    """
    found = dict(_pixel_edges(np.ascontiguousarray(regions, dtype=np.int32)))
    if smooth:
        for numbers in clusters(regions):
            found.update(zip(numbers, smoothed([found[number] for number in numbers]), strict=True))
    return found


def clusters(regions: np.ndarray) -> list[list[int]]:
    """The numbers of the regions in every group of regions that touch, corners included."""
    touching, count = ndimage.label(regions > 0, structure=np.ones((3, 3)))
    inside = regions > 0
    group = np.zeros(int(regions.max(initial=0)) + 1, dtype=np.int64)
    group[regions[inside]] = touching[inside]  # a region is connected: all its pixels lie in one group
    members: list[list[int]] = [[] for _ in range(count)]
    for number in np.flatnonzero(group):
        members[group[number] - 1].append(int(number))
    return members


def _pixel_edges(regions: np.ndarray) -> Iterator[tuple[int, Polygon]]:
    for shape, number in features.shapes(regions, mask=regions > 0, connectivity=4):
        yield int(number), shapely.make_valid(Polygon(shape["coordinates"][0], shape["coordinates"][1:]))


def smoothed(cluster: Sequence[Polygon]) -> Sequence[Polygon]:
    """The polygons of one cluster with every arc smoothed once; where a polygon does not bear it, its arcs stay."""
    arcs = shapely.get_parts(shapely.line_merge(shapely.unary_union([one.boundary for one in cluster])))
    curved = np.array([LineString(_corners_cut(np.asarray(arc.coords))) for arc in shapely.simplify(arcs, SIMPLIFY_PX)])
    stay = np.zeros(len(arcs), dtype=bool)
    for _ in range(ATTEMPTS):
        faces = shapely.get_parts(shapely.polygonize(np.where(stay, arcs, curved)))
        rebuilt = _faces_of(cluster, faces)
        bad = [old for old, new in zip(cluster, rebuilt, strict=True) if not _acceptable(old, new)]
        if not bad and shapely.coverage_is_valid(rebuilt):
            return rebuilt
        stay |= _on_boundary(arcs, bad or cluster)
    return cluster


def _corners_cut(xy: np.ndarray) -> np.ndarray:
    """One pass of Chaikin's corner cutting, (n, 2) -> (m, 2); the ends of an open line stay."""
    begin, step = xy[:-1], np.diff(xy, axis=0)
    length = np.hypot(*step.T)
    share = np.minimum(0.25, LONGEST_CUT_PX / np.where(length > 0, length, 1))[:, None]
    cut = np.stack([begin + share * step, begin + (1 - share) * step], axis=1).reshape(-1, 2)
    if np.array_equal(xy[0], xy[-1]):
        return np.vstack([cut, cut[:1]])
    cut[0], cut[-1] = xy[0], xy[-1]
    return cut


def _faces_of(cluster: Sequence[Polygon], faces: np.ndarray) -> list[Polygon | None]:
    """For each polygon the largest face whose inner point lies in it; None when one has lost its face."""
    face, owner = shapely.STRtree(list(cluster)).query(shapely.point_on_surface(faces), predicate="within")
    best: dict[int, int] = {}
    for f, o in zip(face, owner, strict=True):
        if o not in best or faces[f].area > faces[best[o]].area:
            best[o] = f
    return [faces[best[o]] if o in best else None for o in range(len(cluster))]


def _acceptable(before: Polygon, after: Polygon | None) -> bool:
    return after is not None and after.is_valid and abs(after.area - before.area) <= LARGEST_AREA_CHANGE * before.area


def _on_boundary(arcs: np.ndarray, owners: Sequence[Polygon]) -> np.ndarray:
    """bool (arcs,): which arcs are part of the owners' boundaries."""
    tree = shapely.STRtree([one.boundary for one in owners])
    middle = shapely.line_interpolate_point(arcs, 0.5, normalized=True)
    found, _ = tree.query(middle, predicate="dwithin", distance=1e-6)
    return np.isin(np.arange(len(arcs)), found)
