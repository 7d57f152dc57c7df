"""Chip correlation: how alike two chips are, where a chip went, and where it goes from frame to frame.

Correlation index of Min et al. (2019, IceNet, eq. 1), which is normalised cross-correlation; fast search over all
offsets by OpenCV, and with holes by masked FFT correlation (Padfield 2012).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import maximum_filter

SIZE_PX = 128
SEARCH = 1.5
"""Side of the search window over side of the chip: +-32 px, 960 m at 30 m. Safe from 1 + 2 v days / (128 px)."""
FEWEST_VALID = 0.5
LOW, AMBIGUOUS = 0.3, 0.9
FLAT = 1e-10
"""A variance below this share of the image's is rounding: the chip is constant."""


@dataclass(frozen=True)
class Match:
    """Where a chip was found again."""

    row: int
    col: int
    """Upper left pixel of the next chip."""
    d_row: float
    d_col: float
    """Displacement in px, with fractions where the maximum lies inside the window."""
    ci: float
    """Correlation index at the match; NaN when nothing could be compared."""
    flags: tuple[str, ...]
    """Of "no_match", "low_correlation", "at_border", "ambiguous"."""


@dataclass(frozen=True)
class Chain:
    """One chip through all frames."""

    rows: tuple[int, ...]
    cols: tuple[int, ...]
    """Upper left pixel in each frame; the last known place where a match failed."""
    matches: tuple[Match, ...]
    """One per step, frames - 1."""
    chips: np.ndarray
    """(T, size, size) float32."""


def correlation_index(r: np.ndarray, s: np.ndarray) -> float:
    """sum (r - mean r)(s - mean s) / sqrt(sum (r - mean r)^2 sum (s - mean s)^2) over pixels known in both.

    In [-1, 1], blind to gain and offset; NaN where fewer than half the pixels are known in both or one is constant.
    """
    known = np.isfinite(r) & np.isfinite(s)
    if known.sum() < max(2, FEWEST_VALID * known.size):
        return float("nan")
    a, b = r[known].astype(np.float64), s[known].astype(np.float64)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    return float(np.clip(a @ b / math.sqrt((a @ a) * (b @ b)), -1, 1))


def correlation_surface(chip: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Correlation index of ``chip`` (h, w) with every place of ``window`` (H, W): (H - h + 1, W - w + 1) float64."""
    if chip.shape[0] > window.shape[0] or chip.shape[1] > window.shape[1]:
        raise ValueError(f"a chip of {chip.shape} px does not fit into a window of {window.shape} px")
    if np.isfinite(chip).all() and np.isfinite(window).all():
        return complete_surface(chip, window)
    return masked_surface(chip, window)


def complete_surface(chip: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Without holes: OpenCV; places where chip or window is constant are NaN."""
    places = tuple(w - c + 1 for w, c in zip(window.shape, chip.shape, strict=True))
    spread = window.std()
    if np.ptp(chip) == 0 or spread == 0:
        return np.full(places, np.nan)
    chip, window = ((x.astype(np.float64) - x.mean()) / spread for x in (chip, window))     # small numbers: exact
    surface = cv2.matchTemplate(window.astype(np.float32), chip.astype(np.float32), cv2.TM_CCOEFF_NORMED)
    constant = local_variance(window, chip.shape) <= FLAT
    return np.where(constant, np.nan, np.clip(surface, -1, 1).astype(np.float64))


def local_variance(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Variance of every window of ``shape``, from two integral images."""
    h, w = shape

    def mean(x: np.ndarray) -> np.ndarray:
        total = np.pad(x, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
        return (total[h:, w:] - total[:-h, w:] - total[h:, :-w] + total[:-h, :-w]) / (h * w)

    return mean(image**2) - mean(image) ** 2


def masked_surface(chip: np.ndarray, window: np.ndarray) -> np.ndarray:
    """With holes: all sums over pixels known in both, by FFT (Padfield 2012, eq. 7)."""
    known_r, known_s = np.isfinite(chip), np.isfinite(window)
    if not known_r.any() or not known_s.any():
        return np.full(tuple(w - c + 1 for w, c in zip(window.shape, chip.shape, strict=True)), np.nan)
    centre, scale = window[known_s].mean(), window[known_s].std() or 1.0
    r, s = (np.where(k, (x - centre) / scale, 0) for k, x in ((known_r, chip), (known_s, window)))
    shape = [next_fast_len(n, real=True) for n in window.shape]
    spectra_r = [np.conj(rfft2(x.astype(np.float64), shape)) for x in (known_r, r, r**2)]
    spectra_s = [rfft2(x.astype(np.float64), shape) for x in (known_s, s, s**2)]

    def sums(of_r: int, of_s: int) -> np.ndarray:                      # powers of r and s, summed at every place
        full = irfft2(spectra_r[of_r] * spectra_s[of_s], shape)
        return full[: window.shape[0] - chip.shape[0] + 1, : window.shape[1] - chip.shape[1] + 1]

    count = np.round(sums(0, 0))
    n = np.maximum(count, 1)
    covariance = sums(1, 1) - sums(1, 0) * sums(0, 1) / n
    spread_r, spread_s = sums(2, 0) - sums(1, 0) ** 2 / n, sums(0, 2) - sums(0, 1) ** 2 / n
    usable = (count >= max(2, FEWEST_VALID * chip.size)) & (spread_r > FLAT * n) & (spread_s > FLAT * n)
    product = np.sqrt(np.where(usable, spread_r * spread_s, 1))
    return np.where(usable, np.clip(covariance / product, -1, 1), np.nan)


def find(chip: np.ndarray, image: np.ndarray, row: int, col: int, search: float = SEARCH) -> Match:
    """Look for ``chip`` (h, w), last seen with its upper left pixel at (row, col), in ``image`` (H, W).

    All integer offsets up to ceil((search - 1) h / 2) px in each direction are tried, clipped at the image's edges;
    the highest correlation wins, the first in row-major order on ties. On glaciers blank the ground out (NaN) in both:
    chips that reach across the margin otherwise hold on to what stands still.
    """
    height, width = chip.shape
    reach = [math.ceil((search - 1) * n / 2) for n in chip.shape]
    top, left = max(0, row - reach[0]), max(0, col - reach[1])
    bottom = min(image.shape[0], row + height + reach[0])
    right = min(image.shape[1], col + width + reach[1])
    window = image[top:bottom, left:right]
    surface = correlation_surface(chip, window)
    if np.isnan(surface).all():
        return Match(row, col, float("nan"), float("nan"), float("nan"), ("no_match",))
    y, x, ci = highest(surface, chip, window)
    if math.isnan(ci):
        return Match(row, col, float("nan"), float("nan"), ci, ("no_match",))
    fraction = [subpixel(*surface[y - 1 : y + 2, x]) if 0 < y < surface.shape[0] - 1 else 0.0,
                subpixel(*surface[y, x - 1 : x + 2]) if 0 < x < surface.shape[1] - 1 else 0.0]
    return Match(top + y, left + x, top + y - row + fraction[0], left + x - col + fraction[1], ci,
                 flags_of(surface, y, x, ci))


def highest(surface: np.ndarray, chip: np.ndarray, window: np.ndarray) -> tuple[int, int, float]:
    """The first maximum in row-major order; candidates closer than single precision are compared in double.

    Its value is NaN where none of them can be compared: what the surface shows there is rounding.
    """
    near = np.argwhere(surface >= np.nanmax(surface) - 1e-4)[:256]
    exact = [correlation_index(chip, window[y : y + chip.shape[0], x : x + chip.shape[1]]) for y, x in near]
    if np.isnan(exact).all():
        return int(near[0][0]), int(near[0][1]), float("nan")
    best = int(np.flatnonzero(np.asarray(exact) >= np.nanmax(exact) - 1e-12)[0])
    return int(near[best][0]), int(near[best][1]), exact[best]


def subpixel(before: float, at: float, after: float) -> float:
    """Vertex of the parabola through three values a pixel apart, relative to the middle one; 0 where there is none."""
    bend = before - 2 * at + after
    if not bend < 0:
        return 0.0
    return float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5))


def flags_of(surface: np.ndarray, y: int, x: int, ci: float) -> tuple[str, ...]:
    """What speaks against a match."""
    flags = []
    if ci < LOW:
        flags.append("low_correlation")
    if y in (0, surface.shape[0] - 1) or x in (0, surface.shape[1] - 1):
        flags.append("at_border")
    if second_peak(surface, y, x) > AMBIGUOUS * ci:
        flags.append("ambiguous")
    return tuple(flags)


def second_peak(surface: np.ndarray, y: int, x: int) -> float:
    """The next local maximum (of 5 x 5 places) that is not the match itself; -inf where there is none."""
    known = np.where(np.isfinite(surface), surface, -np.inf)
    peaks = np.isfinite(known) & (known == maximum_filter(known, 5, mode="constant", cval=-np.inf))
    peaks[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3] = False
    return float(known[peaks].max()) if peaks.any() else -math.inf


def track(frames: Sequence[np.ndarray], row: int, col: int, size: int = SIZE_PX, search: float = SEARCH) -> Chain:
    """Follow the chip whose upper left pixel in the first frame is (row, col), always searching from its new place.

    ``frames`` are (H, W) each. A step without any match keeps the place. Raises ValueError when the chip does not lie
    inside the first frame.
    """
    height, width = frames[0].shape
    if not (0 <= row <= height - size and 0 <= col <= width - size):
        raise ValueError(f"a chip of {size} px at ({row}, {col}) does not lie inside a frame of {height} x {width} px")
    rows, cols, matches = [row], [col], []
    chips = [cut(frames[0], row, col, size)]
    for frame in frames[1:]:
        match = find(chips[-1], frame, rows[-1], cols[-1], search)
        matches.append(match)
        rows.append(match.row)
        cols.append(match.col)
        chips.append(cut(frame, match.row, match.col, size))
    return Chain(tuple(rows), tuple(cols), tuple(matches), np.stack(chips).astype(np.float32))


def cut(frame: np.ndarray, row: int, col: int, size: int) -> np.ndarray:
    return frame[row : row + size, col : col + size]
