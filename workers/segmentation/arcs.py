"""Pixel regions become polygons whose shared borders are smoothed once, so that neighbours never overlap.

Rings are cut into arcs where regions meet; each arc runs through the middles of the pixel sides, is simplified (Douglas
and Peucker 1973) and its corners are cut once (Chaikin 1974); polygons are built again from the smoothed arcs. All in
pixel coordinates (column, row).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import numpy as np
import shapely
from affine import Affine
from rasterio import features
from scipy import ndimage
from shapely import Polygon

MIDDLES_PX = 0.35
"""Decision: a staircase is up to a pixel wide, so simplifying its corners by half a pixel removes none of it. The
middles of its sides lie nearer to the line that it stands for. Simplified by 0.5 px, seven of ten ragged shapes, drawn
again, would miss an IoU of 0.98; by 0.35 px none of more than 200 px does."""
CORNERS_PX = 0.5                # what is tried next, where that changes a polygon too much
LONGEST_CUT_PX = 1.0            # decision: a corner between long straight edges (a cut domain) is not rounded away
LARGEST_AREA_CHANGE = 0.01
LEAST_IOU = 0.98                # of a smoothed polygon, drawn again, with its pixels
ATTEMPTS = 4                    # each smooths the arcs of polygons that failed less


def polygons(regions: np.ndarray, smooth: bool = True) -> dict[int, Polygon]:
    """One polygon in pixel coordinates for each region of an int32 (H, W) raster; 0 is background.

    Each region must be 4-connected. Borders follow pixel edges, or are smoothed where that changes no area by more
    than 1 % and leaves nothing invalid.
    """
    found = _pixel_edges(np.ascontiguousarray(regions, dtype=np.int32))
    if smooth:
        groups = clusters(regions)
        found |= smoothed_alone({one: found[one] for one, *others in groups if not others}, regions)
        for numbers in groups:
            if len(numbers) > 1:
                found |= smoothed({number: found[number] for number in numbers}, regions)
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


def _pixel_edges(regions: np.ndarray) -> dict[int, Polygon]:
    """Every region's polygon; all corners become arrays at once, which is what takes the time."""
    found = [(int(n), shape["coordinates"]) for shape, n in features.shapes(regions, regions > 0, connectivity=4)]
    if not found:
        return {}
    rings = [ring for _, some in found for ring in some]
    xy = np.array(list(chain.from_iterable(rings)), dtype=np.float64)
    closed = shapely.linearrings(xy, indices=np.repeat(np.arange(len(rings)), [len(ring) for ring in rings]))
    shapes = shapely.polygons(closed, indices=np.repeat(np.arange(len(found)), [len(some) for _, some in found]))
    broken = ~shapely.is_valid(shapes)
    shapes[broken] = shapely.make_valid(shapes[broken])
    return dict(zip((number for number, _ in found), shapes, strict=True))


def smoothed_alone(some: dict[int, Polygon], regions: np.ndarray) -> dict[int, Polygon]:
    """Polygons that touch no other, all at once: their rings are arcs already. What does not bear it stays as it is."""
    number, found = np.array(list(some), dtype=np.int64), np.array(list(some.values()), dtype=object)
    left = np.arange(len(found))
    for way in WAYS:
        if not len(left):
            break
        after = _of_same_area(_ring_by_ring(found[left], way), shapely.area(found[left]))
        good = _acceptable(found[left], after, number[left], regions)
        found[left[good]] = after[good]
        left = left[~good]
    return dict(zip(some, found, strict=True))


def _ring_by_ring(some: np.ndarray, way: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    rings, owner = shapely.get_rings(some, return_index=True)
    xy, at = shapely.get_coordinates(way(rings), return_index=True)
    return shapely.polygons(shapely.linearrings(xy, indices=at), indices=owner)


def _of_same_area(cut: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Cutting corners takes about half a pixel of every piece: it is grown by as much all around."""
    grown = shapely.buffer(cut, (area - shapely.area(cut)) / shapely.length(cut), join_style="mitre")
    grown[shapely.get_type_id(grown) != shapely.GeometryType.POLYGON] = None
    return grown


def smoothed(cluster: dict[int, Polygon], regions: np.ndarray) -> dict[int, Polygon]:
    """Polygons that touch, with every arc smoothed once; less or not where one of them does not bear it."""
    number, before = np.array(list(cluster), dtype=np.int64), np.array(list(cluster.values()), dtype=object)
    arcs = shapely.get_parts(shapely.line_merge(shapely.unary_union(shapely.boundary(before))))
    lines = np.stack([*(way(arcs) for way in WAYS), arcs])
    way, each = np.zeros(len(arcs), dtype=np.int64), np.arange(len(arcs))
    for _ in range(ATTEMPTS):
        after = _faces_of(before, shapely.get_parts(shapely.polygonize(lines[way, each])))
        bad = before[~_acceptable(before, after, number, regions)]
        if not len(bad) and shapely.coverage_is_valid(after):
            return dict(zip(cluster, after, strict=True))
        worse = _on_boundary(arcs, bad if len(bad) else before)
        way[worse] = np.minimum(way[worse] + 1, len(WAYS))
    return cluster


def _by_middles(lines: np.ndarray) -> np.ndarray:
    return _rounded(_middles(lines), MIDDLES_PX)


def _by_corners(lines: np.ndarray) -> np.ndarray:
    return _rounded(lines, CORNERS_PX)


WAYS = (_by_middles, _by_corners)
"""How a line along pixel edges is smoothed, (n,) lines -> (n,) lines; the next where one changes a polygon too much."""


def _rounded(lines: np.ndarray, tolerance_px: float) -> np.ndarray:
    """Simplified and corners cut. Topology is kept by whoever asks: what crosses is refused as invalid."""
    return _corners_cut(shapely.simplify(lines, tolerance_px, preserve_topology=False))


def _middles(lines: np.ndarray) -> np.ndarray:
    """Lines along pixel edges led through the middle of every pixel side; the ends of an open line stay."""
    begin, step, owner = _segments(lines)
    sides = np.abs(step).sum(axis=1).round().astype(np.int64)
    segment = np.repeat(np.arange(len(sides)), sides)
    number = np.arange(len(segment)) - np.repeat(np.cumsum(sides) - sides, sides)
    middle = begin[segment] + (step / sides[:, None])[segment] * (number + 0.5)[:, None]
    return _with_ends(lines, middle, owner[segment])


def _corners_cut(lines: np.ndarray) -> np.ndarray:
    """One pass of Chaikin's corner cutting; the ends of an open line stay."""
    begin, step, owner = _segments(lines)
    length = np.hypot(*step.T)
    share = np.minimum(0.25, LONGEST_CUT_PX / np.where(length > 0, length, 1))[:, None]
    cut = np.stack([begin + share * step, begin + (1 - share) * step], axis=1).reshape(-1, 2)
    owner = np.repeat(owner, 2)
    turn = np.flatnonzero(np.diff(owner, prepend=-1, append=len(lines)))           # where a line begins; the end
    kept = np.ones(len(cut), dtype=bool)
    opened = ~shapely.is_closed(lines)
    kept[turn[:-1][opened]] = kept[turn[1:][opened] - 1] = False                    # the ends take their place
    return _with_ends(lines, cut[kept], owner[kept])


def _segments(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(begin, step, line) of every segment of all lines: (n, 2), (n, 2), (n,)."""
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    inner = owner[1:] == owner[:-1]
    return xy[:-1][inner], np.diff(xy, axis=0)[inner], owner[:-1][inner]


def _with_ends(lines: np.ndarray, xy: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Lines through new points: open ones between the old ends, closed ones back to their first point."""
    closed, number = shapely.is_closed(lines), np.arange(len(lines))
    first, last = (shapely.get_coordinates(shapely.get_point(lines, at)) for at in (0, -1))
    last[closed] = xy[np.searchsorted(owner, number[closed])]
    points = np.concatenate([first[~closed], xy, last])
    owners = np.concatenate([number[~closed], owner, number])
    order = np.argsort(owners, kind="stable")
    return shapely.linestrings(points[order], indices=owners[order])


def _faces_of(cluster: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """For each polygon the largest face whose inner point lies in it; None when one has lost its face."""
    face, owner = shapely.STRtree(cluster).query(shapely.point_on_surface(faces), predicate="within")
    best = np.full(len(cluster), None, dtype=object)
    order = np.argsort(shapely.area(faces[face]), kind="stable")                    # the largest comes last
    best[owner[order]] = faces[face[order]]
    return best


def _acceptable(before: np.ndarray, after: np.ndarray, number: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """bool (n,): valid, of nearly the same area, and drawn again nearly the pixels of its region."""
    area = shapely.area(before)
    change = np.abs(np.nan_to_num(shapely.area(after)) - area)                      # a missing polygon has no area
    good = shapely.is_valid(after) & (change <= LARGEST_AREA_CHANGE * area)
    good[good] = _redrawn_iou(after[good], number[good], regions) >= LEAST_IOU
    return good


def _redrawn_iou(some: np.ndarray, number: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Intersection over union of each polygon, drawn again as pixels, with the region it came from."""
    if not len(some):
        return np.empty(0)
    left, top, right, bottom = shapely.total_bounds(some)
    box = np.s_[max(int(top) - 1, 0) : int(bottom) + 2, max(int(left) - 1, 0) : int(right) + 2]
    there, place = regions[box], Affine.translation(box[1].start, box[0].start)
    drawn = features.rasterize(zip(some, number, strict=True), there.shape, transform=place, dtype=np.int32)
    same, ours, theirs = (np.bincount(pixels, minlength=number.max() + 1)[number]
                          for pixels in (drawn[drawn == there], drawn.ravel(), there.ravel()))
    return same / (ours + theirs - same)


def _on_boundary(arcs: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """bool (arcs,): which arcs are part of the owners' boundaries."""
    tree = shapely.STRtree(shapely.boundary(owners))
    middle = shapely.line_interpolate_point(arcs, 0.5, normalized=True)
    found, _ = tree.query(middle, predicate="dwithin", distance=1e-6)
    return np.isin(np.arange(len(arcs)), found)
