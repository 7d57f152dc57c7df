"""Dense optical flow between two images.

Farnebäck (2003), Two-frame motion estimation based on polynomial expansion, as in OpenCV. Between snow-and-ice frames
it is the *apparent motion of the snow pattern*; only between high-passed reflectance images of ice is it displacement
of the surface.

One trap is closed here: the routine has a fixed additive constant in its solver, so images scaled to 0..1 give a flow
of 1e-6 px, silently. Both images are brought to 0..255 with the same limits before it sees them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter


@dataclass(frozen=True)
class Settings:
    """As published: pyramid 0.5, 6 levels, 10 iterations; the rest are the defaults of the library's class."""

    pyr_scale: float = 0.5
    levels: int = 6
    iterations: int = 10
    winsize: int = 13
    poly_n: int = 5
    poly_sigma: float = 1.1


@dataclass(frozen=True)
class Arrow:
    """One arrow of a flow map, in px: where it starts and how far it points (columns east, rows south)."""

    row: int
    col: int
    u: float
    v: float


def dense_flow(first: np.ndarray, second: np.ndarray, settings: Settings = Settings(), *,
               high_pass_px: float | None = None, agree_px: float | None = 1.0) -> np.ndarray:
    """Flow (H, W, 2) float32 in px from ``first`` to ``second``, both (H, W) of any unit; [..., 0] is along columns
    (east +), [..., 1] along rows (south +).

    ``high_pass_px`` subtracts a Gaussian of that sigma first (5 for surface displacement). NaN where either image is
    NaN, and where flow forth and flow back disagree by more than ``agree_px`` (None: unchecked). Images without
    contrast give NaN everywhere. Raises ValueError for shapes that differ.
    """
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(f"images {first.shape} and {second.shape}: give two of the same height and width")
    known = np.isfinite(first) & np.isfinite(second)
    if high_pass_px:
        first, second = high_pass(first, high_pass_px), high_pass(second, high_pass_px)
    scaled = scale_together(first, second)
    if scaled is None:
        return np.full((*first.shape, 2), np.nan, np.float32)
    flow = farneback(*scaled, settings)
    if agree_px is not None:
        known = known & (disagreement(flow, farneback(*scaled[::-1], settings)) <= agree_px)
    return np.where(known[..., None], flow, np.nan).astype(np.float32)


def surface_displacement(first: np.ndarray, second: np.ndarray, ice: np.ndarray, settings: Settings = Settings(), *,
                         high_pass_px: float = 5.0, agree_px: float | None = 1.0) -> np.ndarray:
    """Displacement of the surface (H, W, 2) in px between two reflectance images of the same season.

    Ice (H, W bool, ice at both dates) and the ground beside it are measured apart, each with the other blanked out:
    measured together the still ground holds back the ice near its margin (a third of the error on simulated glaciers).
    """
    flows = [dense_flow(np.where(part, first, np.nan), np.where(part, second, np.nan), settings,
                        high_pass_px=high_pass_px, agree_px=agree_px) for part in (ice, ~ice)]
    return np.where(ice[..., None], *flows)


def farneback(first: np.ndarray, second: np.ndarray, settings: Settings) -> np.ndarray:
    start = np.zeros((*first.shape, 2), np.float32)                     # only its memory is used: flags 0
    return cv2.calcOpticalFlowFarneback(
        first, second, start, settings.pyr_scale, settings.levels, settings.winsize, settings.iterations,
        settings.poly_n, settings.poly_sigma, 0)


def scale_together(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Both to 0..255 float32 by their joint 1 and 99 percentiles, clipped; holes filled. None without contrast."""
    both = np.stack([first, second])
    known = np.isfinite(both)
    if not known.any():
        return None
    lo, hi = np.percentile(both[known], (1, 99))
    if not hi > lo:
        lo, hi = both[known].min(), both[known].max()
    if not hi > lo:
        return None
    a, b = (fill_smoothly(np.clip((x - lo) / (hi - lo), 0, 1) * 255).astype(np.float32) for x in both)
    return a, b


def fill_smoothly(image: np.ndarray, sigma: float = 5.0) -> np.ndarray:
    """Holes filled with the mean of what surrounds them, so that their rims are no edges to follow."""
    if np.isfinite(image).all():
        return image
    around = smooth(image, sigma)
    around = np.where(np.isfinite(around), around, np.nanmean(image) if np.isfinite(image).any() else 0)
    return np.where(np.isfinite(image), image, around)


def smooth(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian mean over known pixels (normalised convolution, Knutsson and Westin 1993); NaN where none is near."""
    known = np.isfinite(image)
    weight = gaussian_filter(known.astype(np.float64), sigma)
    total = gaussian_filter(np.where(known, image, 0).astype(np.float64), sigma)
    return np.divide(total, weight, out=np.full(image.shape, np.nan), where=weight > 1e-6)


def high_pass(image: np.ndarray, sigma: float) -> np.ndarray:
    """image - its Gaussian mean; NaN stays NaN."""
    return image - smooth(image, sigma)


def disagreement(forth: np.ndarray, back: np.ndarray) -> np.ndarray:
    """|F(x) + B(x + F)| in px: 0 where one finds the way back. NaN where x + F lies outside the image."""
    rows, cols = np.indices(forth.shape[:2], dtype=np.float32)
    x, y = cols + forth[..., 0], rows + forth[..., 1]
    inside = (x >= 0) & (x <= forth.shape[1] - 1) & (y >= 0) & (y <= forth.shape[0] - 1)
    returned = cv2.remap(back, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.where(inside, np.hypot(*np.moveaxis(forth + returned, -1, 0)), np.nan)


def arrows(flow: np.ndarray, every_px: int = 40) -> list[Arrow]:
    """One arrow every 40 px (1,200 m at 30 m), where the flow is known."""
    rows, cols = (range(every_px // 2, n, every_px) for n in flow.shape[:2])
    return [Arrow(r, c, float(flow[r, c, 0]), float(flow[r, c, 1]))
            for r in rows for c in cols if np.isfinite(flow[r, c]).all()]
