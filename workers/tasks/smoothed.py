"""Ice found in scenes that were smoothed in time first: areas of their own, never pooled with those of plain scenes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from glacierweb import paths
from glacierweb.models import Run
from inventory.models import Scene
from predictions.models import Mask, ModelVersion
from workers.imagery.grid import Grid
from workers.imagery.rasters import Stack
from workers.imagery.smoothing import refuse_too_few, smooth_in_time
from workers.tasks import mapped, stored

PRODUCTS = {"days": Mask.Product.ICE_DAYS, "paper": Mask.Product.ICE_PAPER}


def map_all(run: Run, scenes: Sequence[Scene], version: ModelVersion, mode: str, tell: Callable[..., None]) -> None:
    """Map every scene (in order of time, on the grid of the first) after smoothing them all; ValueError for too few."""
    refuse_too_few(mode, len(scenes))
    with tempfile.TemporaryDirectory(dir=paths.scratch_folder()) as folder:
        stacks = _smooth(scenes, mode, Path(folder), tell)
        for number, (scene, stack) in enumerate(zip(scenes, stacks, strict=True), start=1):
            mapped.keep_smoothed(run, scene, version, PRODUCTS[mode], stack)
            tell(0.3 + 0.7 * number / len(scenes), f"smoothed scene {number} of {len(scenes)}: {scene.key}")


def _smooth(scenes: Sequence[Scene], mode: str, folder: Path, tell: Callable[..., None]) -> list[Stack]:
    """Stacks whose pixels lie in a file: no more than one band of all scenes is held in memory."""
    grid = Grid.from_dict(scenes[0].grid)
    names = [name for name in scenes[0].bands if all(name in scene.bands for scene in scenes)]
    pixels = np.lib.format.open_memmap(
        folder / "series.npy", mode="w+", dtype=np.float32, shape=(len(scenes), len(names), *grid.shape)
    )
    for number, scene in enumerate(scenes):
        pixels[number] = stored.stack_of(scene, grid).select(names).pixels
        tell(0.2 * (number + 1) / len(scenes), f"reading scene {number + 1} of {len(scenes)}")
    days = [scene.acquired.timestamp() / 86_400 for scene in scenes]
    for band in range(len(names)):
        pixels[:, band] = smooth_in_time(np.array(pixels[:, band]), mode, days=days)
        tell(0.2 + 0.1 * (band + 1) / len(names), f"smoothing {names[band]} in time")
    plain = Stack(np.zeros((len(names), *grid.shape), np.float32), tuple(names), grid)
    return [replace(plain, pixels=one, acquired=scene.acquired) for one, scene in zip(pixels, scenes, strict=True)]
