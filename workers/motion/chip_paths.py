"""Chips followed through a list of images, as a record of bounded size: where each went, how fast, and how surely."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workers.imagery.grid import WGS84, Grid, transformer
from workers.motion.chip_dataset import places
from workers.motion.chips import SEARCH, SIZE_PX, Chain, track
from workers.motion.velocity import DAYS_A_YEAR, ground_pixel_m

SIDES_PX = (SIZE_PX, 64, 32, 16)
"""The published side first; smaller ones where no such chip fits onto the ice."""
FEWEST_KNOWN = 0.6
MOST_STEPS = 1500
"""Chips x steps that one record keeps: about 100 kB of JSON."""


def follow(frames: Sequence[np.ndarray], days: Sequence[float], grid: Grid, search: float = SEARCH,
           report: Callable[[float], None] = lambda fraction: None) -> dict[str, Any]:
    """Follow a lattice of chips through ``frames`` (T of (H, W), NaN where nothing is to be followed).

    ``days`` (T - 1) lie between the frames. Returns size_px, reach_px and reach_m (how far a chip is looked for in a
    step), left_out (chips beyond the bound), median_ci, trusted (share of steps without a flag) and chips, each with
    lon, lat (T, centre of the chip, to a whole pixel), ci, m_per_year (T - 1; on the ground, whatever the scale of the
    projection; not corrected by stable terrain) and flags. Raises ValueError where no chip of 16 px lies mostly on
    known pixels.
    """
    side, lattice = chosen_places(frames[0], search)
    most = max(1, MOST_STEPS // len(days))
    kept = [lattice[i * len(lattice) // most] for i in range(most)] if len(lattice) > most else lattice
    chains, ground_m = [], np.broadcast_to(ground_pixel_m(grid), grid.shape)
    for number, (row, col) in enumerate(kept):
        report(number / len(kept))
        chains.append(track(frames, row, col, side, search))
    matches = [match for chain in chains for match in chain.matches]
    known = [match.ci for match in matches if np.isfinite(match.ci)]
    reach = reach_px(side, search)
    return {
        "size_px": side, "reach_px": reach, "reach_m": round(reach * grid.pixel_m, 1),
        "left_out": len(lattice) - len(kept),
        "median_ci": _number(float(np.median(known)), 3) if known else None,
        "trusted": round(sum(not match.flags for match in matches) / len(matches), 3),
        "chips": [_chip(chain, days, side, grid, ground_m) for chain in chains],
    }  # fmt: skip


def chosen_places(frame: np.ndarray, search: float = SEARCH) -> tuple[int, list[tuple[int, int]]]:
    """The largest side of which a chip lies mostly on known pixels of (H, W) with its whole search window inside, and
    the places of all such chips: one against the edge could not be found again where it went."""
    known = np.isfinite(frame)
    for side in SIDES_PX:
        reach = reach_px(side, search)
        inner = (frame.shape[0] - 2 * reach, frame.shape[1] - 2 * reach)
        lattice = [(r + reach, c + reach) for r, c in places(inner, side)]
        fitting = [(r, c) for r, c in lattice if known[r : r + side, c : c + side].mean() >= FEWEST_KNOWN]
        if fitting:
            return side, fitting
    raise ValueError(f"no chip of {SIDES_PX[-1]} px lies mostly on ice that the first scene saw; choose clear scenes, "
                     "or a larger glacier")  # fmt: skip


def reach_px(side: int, search: float) -> int:
    """How far a chip is looked for in each direction (see `chips.find`)."""
    return math.ceil((search - 1) * side / 2)


def warnings(found: dict[str, Any]) -> list[str]:
    """What a reader must be told, in sentences."""
    steps = [flags for chip in found["chips"] for flags in chip["flags"]]
    told = []
    if found["size_px"] < SIZE_PX:
        told.append(f"chips are {found['size_px']} px instead of {SIZE_PX}: no larger one fits onto the ice")
    if found["left_out"]:
        told.append(f"{found['left_out']} chips of the lattice were left out to bound the record")
    if at_border := sum("at_border" in flags for flags in steps):
        told.append(f"{at_border} of {len(steps)} matches lie at the border of the search ({found['reach_m']:.0f} m a "
                    "step): ask for a larger c, or scenes nearer in time")  # fmt: skip
    return told


def _chip(chain: Chain, days: Sequence[float], side: int, grid: Grid, ground_m: np.ndarray) -> dict[str, Any]:
    half = side // 2
    corners = zip(chain.rows, chain.cols, strict=True)
    middles = [grid.transform @ (col + side / 2, row + side / 2) for row, col in corners]
    lon, lat = transformer(grid.crs, WGS84).transform([x for x, _ in middles], [y for _, y in middles])
    speeds = [math.hypot(match.d_row, match.d_col) * ground_m[row + half, col + half] * DAYS_A_YEAR / gap
              for match, gap, row, col in zip(chain.matches, days, chain.rows, chain.cols, strict=False)]  # fmt: skip
    return {
        "lon": [round(float(one), 5) for one in lon], "lat": [round(float(one), 5) for one in lat],
        "ci": [_number(match.ci, 3) for match in chain.matches], "m_per_year": [_number(v, 1) for v in speeds],
        "flags": [list(match.flags) for match in chain.matches],
    }  # fmt: skip


def _number(value: float, digits: int) -> float | None:
    """Rounded for JSON; None where it is not known."""
    return round(value, digits) if math.isfinite(value) else None
