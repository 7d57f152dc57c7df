"""Bringing the frames of a series into register by maximising the enhanced correlation coefficient (ECC).

Evangelidis and Psarakis, *Parametric image alignment using enhanced correlation coefficient maximization*, IEEE PAMI
30 (2008), through OpenCV. A homography can fold where snow changes, so every warp has to pass guards.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from workers.imagery.bands import MASK_BANDS
from workers.imagery.gaps import gap_fill
from workers.imagery.grid import WrongGrid
from workers.imagery.rasters import Stack

MOTIONS = {
    "translation": cv2.MOTION_TRANSLATION, "euclidean": cv2.MOTION_EUCLIDEAN,
    "affine": cv2.MOTION_AFFINE, "homography": cv2.MOTION_HOMOGRAPHY,
}  # fmt: skip
FALL_BACK = ("homography", "affine", "translation")
MIN_OVERLAP = 0.999  # a warped pixel that leans on a missing neighbour by more than a thousandth is missing
MIN_PIXELS, MIN_VARIANCE = 64, 1e-12
ROWS_MEASURED = 400  # of a larger image the correlation is measured on every second (third, ...) row
NEVER_MIXED = frozenset({*MASK_BANDS, "label"})


@dataclass(frozen=True)
class AlignSettings:
    """motion, most iterations, stop when the correlation changes less than `epsilon`, size of the Gaussian pre-filter
    (1: none; 5 for noisy frames), the most any corner of the image may move in pixels, the band that is looked at.

    high_pass_px: sigma of a Gaussian that is subtracted first (0: none). Broad brightness follows sun and snow, not
    the ground: on simulated cloud-free frames moved by N(0, 0.5 px) it takes the median residual from 0.09-0.14 to
    0.06-0.08 px in one season and from 0.27-0.72 to 0.05-0.14 px over all seasons.
    least_px: a move of less than this is left alone, because resampling blurs a frame more than the move displaces it.
    """

    motion: str = "translation"
    iterations: int = 200
    epsilon: float = 1e-6
    gauss_px: int = 1
    max_corner_px: float = 3.0
    band: str = "swir1"
    high_pass_px: float = 5.0
    least_px: float = 0.0


DEFAULT = AlignSettings()
# On six simulated worlds, against frames without clouds and shifts: moving every scene took the mean square error of
# quarterly NDSI from .0076 to .0090 where scenes lay 0.2 px (sd) off, from .0102 to .0091 where 0.4 to 0.5 px; leaving
# moves below 0.4 px alone it is .0076 and .0088.
SERIES = AlignSettings(least_px=0.4)
PAPER = AlignSettings("homography", 10_000, 1e-4, 1, 3.0, "green", 0.0)  # Müller 2023


@dataclass(frozen=True)
class Warp:
    """matrix (3, 3) float32 takes template (col, row) to image (col, row); status is the motion that passed the
    guards, or "identity"; correlation is that of the warped image with the template."""

    matrix: np.ndarray
    status: str
    correlation: float
    corner_px: float


def template(frames: Iterable[np.ndarray]) -> np.ndarray:
    """(H, W) float32: 3 x 3 median of the mean of frames (H, W), gaps filled, scaled to [0, 1].

    Frames come one by one and are not kept. ValueError without a frame.
    """
    total, count = np.zeros(()), np.zeros((), dtype=np.uint32)
    for frame in frames:
        seen = np.isfinite(frame)
        total, count = total + np.where(seen, frame, 0), count + seen
    if total.ndim == 0:
        raise ValueError("A template needs at least one frame; give the scenes of the series.")
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return _scaled(cv2.medianBlur(_without_gaps(mean), 3))


def _ready(image: np.ndarray, high_pass_px: float = 0.0) -> np.ndarray:
    """Gaps filled (the rest by the median), high-passed, scaled to [0, 1] float32; 0 without values or contrast."""
    clean = _without_gaps(image)
    if high_pass_px > 0:
        clean = cv2.subtract(clean, cv2.GaussianBlur(clean, (0, 0), high_pass_px))
    return _scaled(clean)


def _without_gaps(image: np.ndarray) -> np.ndarray:
    """The image itself where nothing is missing; float32."""
    if np.isfinite(np.add.reduce(image, axis=None)):  # a sum is cheaper than asking every value
        return image.astype(np.float32, copy=False)
    filled, _, reason = gap_fill(image)
    if reason:
        return np.zeros(image.shape, dtype=np.float32)
    left = np.isnan(filled)
    if left.any():
        filled[left] = np.nanmedian(filled)
    return filled


def _scaled(image: np.ndarray) -> np.ndarray:
    """To [0, 1]; the image itself where it is so already, as a template is."""
    low, high, _, _ = cv2.minMaxLoc(image)
    if (low, high) == (0, 1):
        return image
    if high <= low:
        return np.zeros_like(image)
    scaled = image - np.float32(low)
    scaled /= np.float32(high - low)
    return scaled


def register(
    target: np.ndarray, image: np.ndarray, settings: AlignSettings = DEFAULT, mask: np.ndarray | None = None
) -> Warp:
    """The warp that brings `image` (H, W) onto `target` (H, W), each search starting from identity.

    mask: bool (H, W), pixels that may be looked at (stable ground, not moving ice); NaN pixels never are. A warp is
    rejected when a corner moves too far, the correlation drops or the solver fails; then a simpler motion is tried.
    ValueError for images of two shapes and a motion that is not known.
    """
    if target.shape != image.shape:
        raise ValueError(f"An image of {image.shape} does not lie on a template of {target.shape}; use one grid.")
    fixed, moving = _ready(target, settings.high_pass_px), _ready(image, settings.high_pass_px)
    usable = np.isfinite(image) & np.isfinite(target)
    if mask is not None:
        usable &= mask
    looked_at = usable.view(np.uint8)
    before = _correlation(*(layer[:: _row_step(layer)] for layer in (fixed, moving, looked_at)))
    if before is not None:
        for motion in _chain(settings.motion):
            found = _solve(fixed, moving, looked_at, motion, settings)
            if found is not None and found.corner_px <= settings.max_corner_px and found.correlation >= before:
                if found.corner_px < settings.least_px:
                    break
                return found
    return Warp(np.eye(3, dtype=np.float32), "identity", before or 0.0, 0.0)


def _chain(motion: str) -> tuple[str, ...]:
    if motion not in MOTIONS:
        raise ValueError(f"Motion {motion!r} is not known; use one of {', '.join(MOTIONS)}.")
    simpler = FALL_BACK[FALL_BACK.index(motion) + 1 :] if motion in FALL_BACK else ("translation",)
    return (motion, *simpler)


def _solve(
    fixed: np.ndarray, moving: np.ndarray, looked_at: np.ndarray, motion: str, settings: AlignSettings
) -> Warp | None:
    lines = 3 if motion == "homography" else 2
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, settings.iterations, settings.epsilon)
    start = np.eye(lines, 3, dtype=np.float32)
    mask: Any = None if looked_at.all() else looked_at  # OpenCV takes None, its types do not say so
    try:
        _, found = cv2.findTransformECC(fixed, moving, start, MOTIONS[motion], criteria, mask, settings.gauss_px)
    except cv2.error:
        return None
    matrix = np.vstack([found, [0, 0, 1]]).astype(np.float32) if lines == 2 else found
    if not np.isfinite(matrix).all():
        return None
    # the solver's own correlation is that of an earlier step and lies up to 0.01 too low: measure it again
    rows = fixed[:: _row_step(fixed)]
    there = matrix @ np.diag([1, _row_step(fixed), 1]).astype(np.float32)
    warped, inside = (cv2.warpPerspective(layer, there, rows.shape[::-1], flags=how | cv2.WARP_INVERSE_MAP)
                      for layer, how in ((moving, cv2.INTER_LINEAR), (looked_at, cv2.INTER_NEAREST)))  # fmt: skip
    inside[[0, -1], :] = inside[:, [0, -1]] = 0
    after = _correlation(rows, warped, inside)
    return None if after is None else Warp(matrix, motion, after, _corner_px(matrix, fixed.shape))


def _row_step(image: np.ndarray) -> int:
    return max(1, len(image) // ROWS_MEASURED)


def _correlation(first: np.ndarray, second: np.ndarray, where: np.ndarray) -> float | None:
    """Pearson's of two images in [0, 1] where the mask (H, W) uint8 is not 0; None for too few pixels or no contrast.

    From the variance of the difference: cheaper than centring both images, and exact where they are nearly the same.
    """
    count = cv2.countNonZero(where)
    if count < MIN_PIXELS:
        return None
    # without negative values the L1 norm is the sum
    mean_1, mean_2 = (cv2.norm(image, cv2.NORM_L1, where) / count for image in (first, second))
    square_1, square_2 = (cv2.norm(image, cv2.NORM_L2SQR, where) / count for image in (first, second))
    apart = cv2.norm(first, second, cv2.NORM_L2SQR, where) / count - (mean_1 - mean_2) ** 2
    variance_1, variance_2 = square_1 - mean_1**2, square_2 - mean_2**2
    if min(variance_1, variance_2) < MIN_VARIANCE:
        return None
    return (variance_1 + variance_2 - apart) / (2 * math.sqrt(variance_1 * variance_2))


def _corner_px(matrix: np.ndarray, shape: tuple[int, ...]) -> float:
    height, width = shape[:2]
    corners = np.array([[0, 0, 1], [width - 1, 0, 1], [width - 1, height - 1, 1], [0, height - 1, 1]], dtype=np.float64)
    moved = corners @ matrix.astype(np.float64).T
    return float(np.hypot(*(moved[:, :2] / moved[:, 2:] - corners[:, :2]).T).max())


def warp(pixels: np.ndarray, found: Warp, nearest: bool = False) -> np.ndarray:
    """(H, W) or (C, H, W) in the template's geometry, float32, bilinear (nearest for masks), NaN outside."""
    layers = pixels[None] if pixels.ndim == 2 else pixels
    if found.status == "identity":
        return pixels.astype(np.float32)
    return np.stack([_warped(layer, found.matrix, nearest) for layer in layers]).reshape(pixels.shape)


def _warped(layer: np.ndarray, matrix: np.ndarray, nearest: bool = False) -> np.ndarray:
    size = layer.shape[::-1]
    how = (cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    seen = np.isfinite(layer)
    value = cv2.warpPerspective(np.where(seen, layer, 0).astype(np.float32), matrix, size, flags=how)
    share = cv2.warpPerspective(seen.astype(np.float32), matrix, size, flags=how)
    return np.where(share >= MIN_OVERLAP, value / np.maximum(share, MIN_OVERLAP), np.nan).astype(np.float32)


def align(
    stacks: Sequence[Stack], settings: AlignSettings = DEFAULT, stable: np.ndarray | None = None
) -> tuple[list[Stack], list[Warp], np.ndarray]:
    """All stacks of a series warped onto their common template; (stacks, warps, bool (H, W) common to all frames).

    Arguments and errors as those of `aligned`.
    """
    moved, warps = zip(*aligned(lambda: stacks, settings, stable), strict=True)
    common = np.ones(moved[0].grid.shape, dtype=bool)
    for found in warps:
        common &= np.isfinite(warp(np.zeros(common.shape, dtype=np.float32), found))
    return list(moved), list(warps), common


def aligned(
    read: Callable[[], Iterable[Stack]], settings: AlignSettings = DEFAULT, stable: np.ndarray | None = None
) -> Iterator[tuple[Stack, Warp]]:
    """Each stack of a series, warped onto the template of all of them, with its warp; none of them is kept.

    `read` gives the stacks, on one grid, and is called twice: for the template and for the warps. `stable`: bool
    (H, W), ground that does not move: leave glaciers out wherever an outline exists, or their motion is aligned away.
    All bands of a stack take the same warp, masks and labels by nearest neighbour. MissingBands when the alignment
    band is not there, WrongGrid when the grids differ, ValueError without a stack.
    """
    target = template(_frames(read(), settings.band))
    for one in read():
        found = register(target, one.band(settings.band), settings, stable)
        layers = zip(one.pixels, one.bands, strict=True)
        pixels = np.stack([warp(layer, found, nearest=name in NEVER_MIXED) for layer, name in layers])
        yield replace(one, pixels=pixels), found


def _frames(stacks: Iterable[Stack], band: str) -> Iterator[np.ndarray]:
    grid = None
    for one in stacks:
        grid = grid or one.grid
        if not one.grid.same_as(grid):
            raise WrongGrid("The scenes to align lie on different grids; prepare them on one work grid first.")
        yield one.band(band)
