"""What chips of a surface may look like next: a version's mean prediction, on the map and beside what came.

Min et al. (2019, IceNet): 8 frames condition, the next 4 are said; the mean of ten draws, never the best of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from workers.imagery.grid import WGS84, Grid, transformer
from workers.imagery.rasters import Stack

from . import chip_scores
from .chip_dataset import places
from .chip_windows import MOST_HIDDEN, Window, cut, filled
from .chips import SEARCH

METHOD = "svg-lp"
SAMPLES = 10
AT_ONCE = 8
MOST_CHIPS = 48


def predicted(network: nn.Module, seen: np.ndarray, leads: int, seed: int = 0, samples: int = SAMPLES,
              report: Callable[[float], None] = lambda fraction: None) -> np.ndarray:
    """Mean of the samples drawn after ``seen`` (N, T, H, W) without NaN: (N, leads, H, W) float32."""
    config: Any = network.config
    generate: Any = network.generate
    device = next(network.parameters()).device
    torch.manual_seed(seed)
    parts = []
    for k in range(0, len(seen), AT_ONCE):
        report(k / len(seen))
        some = torch.from_numpy(seen[k : k + AT_ONCE]).to(device)
        parts.append(generate(some, leads, samples).mean(1).cpu().numpy())
    return np.concatenate(parts) if parts else np.empty((0, leads, config.size, config.size), np.float32)


def futures(stacks: Sequence[Stack], band: str, network: nn.Module, search: float = SEARCH, seed: int = 0,
            report: Callable[[float], None] = lambda fraction: None) -> tuple[dict[str, Any], Stack]:
    """Predict the frames after the first `conditioning` of dated stacks on one grid, chip by chip.

    Returns the record (leads, band, size_px, chips with lon, lat of their centre in the last observed frame and, where
    later stacks show what came, the correlation index of each lead beside persistence; the evaluation table) and the
    predicted band on the grid, one layer a lead, NaN where no chip lies. Raises ValueError for fewer stacks than the
    network reads, or where no chip of its size is seen in all of them.
    """
    config: Any = network.config
    if len(stacks) < config.conditioning:
        more = config.frames - config.conditioning
        raise ValueError(f"the version reads {config.conditioning} scenes before it says what comes; {len(stacks)} are "
                         f"named: name {config.conditioning}, and up to {more} later ones to compare with")  # fmt: skip
    stacks = stacks[: config.frames]
    chips = cut(stacks, _seen_places(stacks, band, config), (band,), band, config.size, config.conditioning, search)
    if not len(chips.frames):
        raise ValueError(f"no chip of {config.size} px is seen (at most half of it hidden) in every scene named; "
                         "choose clearer scenes or a larger area")  # fmt: skip
    leads, grid = config.frames - config.conditioning, stacks[0].grid
    said = predicted(network, filled(chips.frames[:, : config.conditioning], config.conditioning), leads, seed,
                     report=report)  # fmt: skip
    corners = np.array([corner[config.conditioning - 1] for corner in chips.corners])
    record = {"conditioning": config.conditioning, "leads": leads, "band": band, "size_px": config.size,
              "chips": _centres(corners, config.size, grid)}  # fmt: skip
    if len(stacks) > config.conditioning:
        record |= _compared(chips.frames, said, config.conditioning, record["chips"])
    return record, _on_the_grid(said, chips.limits, corners, grid)


def _seen_places(stacks: Sequence[Stack], band: str, config: Any) -> list[Window]:
    """Places half a chip apart of which every conditioning frame shows at least half; evenly as many as are kept."""
    def hidden(row: int, col: int) -> float:
        window = np.s_[row : row + config.size, col : col + config.size]
        return max(float(np.isnan(stack.band(band)[window]).mean()) for stack in stacks[: config.conditioning])

    lattice = places(stacks[0].grid.shape, config.size, config.size // 2)
    found = [Window(row, col, tuple(range(len(stacks)))) for row, col in lattice if hidden(row, col) <= MOST_HIDDEN]
    return found if len(found) <= MOST_CHIPS else [found[k * len(found) // MOST_CHIPS] for k in range(MOST_CHIPS)]


def _compared(frames: np.ndarray, said: np.ndarray, conditioning: int, chips: list[dict]) -> dict[str, Any]:
    """The evaluation table over the leads that have come; each chip gets its correlations."""
    seen, truth = frames[:, :conditioning], frames[:, conditioning:]
    methods = chip_scores.baseline_correlations(seen, truth)
    methods[METHOD] = chip_scores.correlations(said[:, : truth.shape[1]], truth)
    for number, chip in enumerate(chips):
        chip["ci"] = [_number(value) for value in methods[METHOD][number]]
        chip["ci_persistence"] = [_number(value) for value in methods["persistence"][number]]
    rows = chip_scores.evaluation_table(methods, METHOD)
    return {"table": [{key: _plain(value) for key, value in row.items()} for row in rows]}


def _centres(corners: np.ndarray, size: int, grid: Grid) -> list[dict[str, Any]]:
    xy = [grid.transform @ (col + size / 2, row + size / 2) for row, col in corners.tolist()]
    lon, lat = transformer(grid.crs, WGS84).transform([x for x, _ in xy], [y for _, y in xy])
    return [{"lon": round(float(x), 5), "lat": round(float(y), 5)} for x, y in zip(lon, lat, strict=True)]


def _on_the_grid(said: np.ndarray, limits: np.ndarray, corners: np.ndarray, grid: Grid) -> Stack:
    """(leads, H, W) in the band's own units: the mean of the chips that cover a pixel, where each was last seen."""
    size, leads = said.shape[-1], said.shape[1]
    total, count = np.zeros((leads, *grid.shape)), np.zeros(grid.shape)
    for chip, (low, high), (row, col) in zip(said, limits, corners.tolist(), strict=True):
        total[:, row : row + size, col : col + size] += low + (high - low) * chip
        count[row : row + size, col : col + size] += 1
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=np.broadcast_to(count > 0, total.shape))
    return Stack(mean.astype(np.float32), tuple(f"lead_{k + 1}" for k in range(leads)), grid)


def _plain(value: Any) -> Any:
    """Numbers rounded for JSON, in rows too."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
