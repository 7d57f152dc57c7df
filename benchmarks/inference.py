"""The worker's path beside the bare network: `python benchmarks/inference.py [--rounds 5] [--only NAME ...]`.

Ours reads a stored scene, cuts windows, asks the network in batches, stitches, and writes the probability raster, as a
run does, without the database. The bare side asks the same network for as many windows in the same batches, already in
memory. In turn, A B A B, one thread, in processor time; images are windows. docs/benchmarks/inference.md keeps the
table.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from affine import Affine
from machine import ROOT, here, write_page

from workers.imagery import rasters
from workers.imagery.bands import CANONICAL
from workers.imagery.grid import Grid
from workers.imagery.rasters import Stack
from workers.imagery.windows import origins
from workers.learning import catalog
from workers.learning.weights import Learned, Recipe
from workers.segmentation import random_forest
from workers.segmentation.segment import BATCH, glacier_probability, segment_stack

MUST = 0.9
RESNET_BANDS = (*CANONICAL, "thermal", "elevation", "ndsi", "ndwi")
FUSION_BANDS = (*CANONICAL, "elevation", "slope")
STORED = (*CANONICAL, "thermal", "elevation")


@dataclass(frozen=True)
class Subject:
    """A network to be measured on a scene of `side` px."""

    name: str
    architecture: str
    preset: str
    bands: tuple[str, ...]
    side: int
    changes: tuple[tuple[str, Any], ...] = ()
    """Fields of the preset's Config that differ."""


SUBJECTS = {
    one.name: one
    for one in (
        Subject("resnet50-unet paper", "resnet50-unet", "paper", RESNET_BANDS, 448),
        Subject("resnet50-unet small", "resnet50-unet", "small", RESNET_BANDS, 448),
        Subject("fusion-unet small", "fusion-unet", "small", FUSION_BANDS, 320, (("sources", (6, 2)),)),
        Subject("random-forest small", "random-forest", "small", (*CANONICAL, "ndsi"), 256),
    )
}


def scene(folder: Path, side: int) -> Path:
    """A stored scene as the workers keep them: int16 COG with declared scale."""
    grid = Grid("EPSG:32632", Affine(30, 0, 440_000, 0, -30, 5_260_000), side, side)
    draw = np.random.default_rng(0).random((len(STORED), side, side), dtype=np.float32)
    draw[STORED.index("thermal")] = 270 + 10 * draw[STORED.index("thermal")]
    path = folder / f"scene_{side}.tif"
    rasters.write(Stack(draw, STORED, grid, datetime(2020, 8, 20, tzinfo=UTC)), path)
    return path


def learned(subject: Subject) -> Learned:
    """Random weights: their values cost the same. A forest is grown on random pixels."""
    row, config = catalog.preset(subject.architecture, subject.preset)
    if row.fit is not None:
        config = replace(config, channels=len(subject.bands))
        rng = np.random.default_rng(0)
        pixels = rng.random((20_000, len(subject.bands)), dtype=np.float32)
        truth = (pixels[:, 0] + 0.3 * rng.standard_normal(20_000) > 0.5).astype(float)
        network: Any = random_forest.fit(pixels, truth, np.zeros(20_000), config)
        return Learned(network, Recipe(subject.architecture, subject.preset, vars(config), subject.bands))
    config = replace(config, **dict(subject.changes))
    torch.manual_seed(0)
    network = row.build(config).eval()
    normalisation = {"kind": "image_minmax"}
    return Learned(network, Recipe(subject.architecture, subject.preset, asdict(config), subject.bands, normalisation))


def whole_path(path: Path, found: Learned, target: Path) -> None:
    """What a run does between its rows: read, segment, write."""
    stack = rasters.read(path)
    probability = segment_stack(stack, found)
    written = Stack(probability[None], ("probability",), stack.grid, stack.acquired)
    rasters.write(written, target, encode="probability")


def bare_network(found: Learned, count: int) -> Callable[[], None]:
    """As many windows, in the same batches and memory layout, already in memory."""
    patch = found.network.config.patch
    batch = torch.rand(BATCH, len(found.recipe.bands), patch, patch).contiguous(memory_format=torch.channels_last)

    def work() -> None:
        with torch.inference_mode():
            for first in range(0, count, BATCH):
                glacier_probability(found.network, batch[: min(BATCH, count - first)])

    return work


def bare_forest(found: Learned, side: int) -> Callable[[], None]:
    """As many pixels, already in memory, the rows of a run at a time."""
    pixels = np.random.default_rng(1).random((side * side, len(found.recipe.bands)), dtype=np.float32)

    def work() -> None:
        for first in range(0, len(pixels), 256 * side):
            found.network.predict(pixels[first : first + 256 * side])

    return work


def measured(subject: Subject, folder: Path, rounds: int) -> str:
    """One line of the table."""
    found, path = learned(subject), scene(folder, subject.side)
    if subject.architecture == "random-forest":
        count, bare = subject.side**2 / 128**2, bare_forest(found, subject.side)
    else:
        patch = found.network.config.patch
        count = len(origins(subject.side, patch, patch // 2, cover=True)) ** 2
        bare = bare_network(found, count)
    seconds: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        began = time.process_time()
        whole_path(path, found, folder / "probability.tif")
        between = time.process_time()
        bare()
        seconds.append((between - began, time.process_time() - between))
    ours, alone = (count / median(side) for side in zip(*seconds[1:], strict=True))
    share = median(b / a for a, b in seconds[1:])
    verdict = "met" if share >= MUST else "**missed**"
    return f"| {subject.name} | {subject.side} px | {ours:.1f} | {alone:.1f} | {share:.2f} | >= {MUST} | {verdict} |"


def main() -> None:
    """Measure every subject and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each side, in turn (5)")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS), metavar="NAME")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    head = (f"`bin/bench inference`: images (windows of 128 x 128 px, half overlapping; for the forest as many pixels) "
            f"a second of processor time, one thread, batch {BATCH}, {asked.rounds} rounds in turn, median of the "
            f"ratios; random weights and pixels. {here()}.")  # fmt: skip
    lines = ["# Inference: the worker's path beside the bare network", "", head, "",
             "| network | scene | worker, images/s | bare, images/s | share | must | |",
             "| --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    rows = earlier()
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.only:
            rows[name] = measured(SUBJECTS[name], Path(folder), asked.rounds)
            print(rows[name], flush=True)
            write_page("inference", lines + [rows[one] for one in SUBJECTS if one in rows])


def earlier() -> dict[str, str]:
    """Rows of an earlier run: what is not measured now stays."""
    page = ROOT / "docs" / "benchmarks" / "inference.md"
    lines = page.read_text().splitlines() if page.exists() else []
    return {name: line for line in lines for name in SUBJECTS if line.startswith(f"| {name} |")}


if __name__ == "__main__":
    main()
