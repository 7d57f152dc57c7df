"""Classic image steps against their peers, in turn and in one process: `python benchmarks/classic.py [--rounds 7]`.

Every row times ours and the peer on the same data, A B A B, and compares the medians of processor time (one
thread); the table goes to docs/benchmarks/classic.md. Ratios are what counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import shapely
from pyproj import Geod
from scipy.ndimage import gaussian_filter, gaussian_filter1d, shift

from workers.imagery.align import AlignSettings, register
from workers.imagery.gaps import KERNEL, gap_fill
from workers.imagery.smoothing import smooth_in_time
from workers.imagery.sphere import geodesic_area_km2

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks" / "classic.md"
RNG = np.random.default_rng(0)
Timed = Callable[[], object]


def in_turn(ours: Timed, peer: Timed, rounds: int) -> tuple[float, float]:
    """Median seconds of both, after one round to warm up."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for step, taken in zip((ours, peer), seconds, strict=True):
            start = time.process_time()
            step()
            if number:
                taken.append(time.process_time() - start)
    return median(seconds[0]), median(seconds[1])


def smoothing() -> tuple[Timed, Timed]:
    """464 scenes of 4 bands, sigma 20 scenes."""
    series = RNG.random((464, 4, 128, 128), dtype=np.float32)
    return lambda: smooth_in_time(series, "paper"), lambda: gaussian_filter1d(series, 20, axis=0, truncate=4.0)


def filling() -> tuple[Timed, Timed]:
    """Five passes on 2000 x 2000 px with rows of gaps too wide to close, against five times two plain filters."""
    image = np.full((2000, 2000), np.nan, dtype=np.float32)
    image[::60] = RNG.random((34, 2000), dtype=np.float32)
    plain, weights = np.nan_to_num(image), np.outer(KERNEL, KERNEL)

    def bare() -> None:
        for _ in range(10):
            cv2.filter2D(plain, -1, weights, borderType=cv2.BORDER_CONSTANT)

    return lambda: gap_fill(image), bare


def registration() -> tuple[Timed, Timed]:
    """A pair of 800 x 800 px moved by half a pixel, translation; without the high-pass, so that both solve the same."""
    still = gaussian_filter(RNG.standard_normal((800, 800)), 2).astype(np.float32)
    still = (still - still.min()) / (still.max() - still.min())
    moved = shift(still, (0.4, -0.3), order=3, mode="reflect").astype(np.float32)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-6)

    def bare() -> object:
        return cv2.findTransformECC(still, moved, np.eye(2, 3, dtype=np.float32), cv2.MOTION_TRANSLATION, stop, None, 1)

    return lambda: register(still, moved, AlignSettings(high_pass_px=0)), bare


def areas() -> tuple[Timed, Timed]:
    """2,000 outlines of 190 vertices."""
    angles = np.linspace(0, 2 * np.pi, 190, endpoint=False)
    outlines = []
    for lon, lat in RNG.uniform((-180, -80), (180, 80), (2000, 2)):
        radius = 0.02 * (1 + 0.2 * np.sin(5 * angles) + 0.02 * RNG.standard_normal(190))
        outlines.append(
            shapely.Polygon(np.column_stack([lon + radius * np.cos(angles), lat + radius * np.sin(angles)]))
        )
    geod = Geod(ellps="WGS84")
    oriented = [shapely.orient_polygons(outline) for outline in outlines]
    return (
        lambda: [geodesic_area_km2(outline) for outline in outlines],
        lambda: [geod.geometry_area_perimeter(outline)[0] for outline in oriented],
    )


ROWS: tuple[tuple[str, str, Callable[[], tuple[Timed, Timed]], str], ...] = (
    ("smoothing along 464 scenes", "scipy gaussian_filter1d", smoothing, "at most 0.125"),
    ("gap filling, five passes", "cv2.filter2D, ten times", filling, "at most 1.5"),
    ("registration of a pair (ECC)", "cv2.findTransformECC", registration, "at most 1.1"),
    ("geodesic areas of outlines", "pyproj Geod, rings oriented before", areas, "at most 1.2"),
)


def main() -> None:
    """Measure every row, print the table and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each side, in turn (7)")
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    lines = ["| step | peer | ours, s | peer, s | ours / peer | target |", "| --- | --- | --- | --- | --- | --- |"]
    for name, against, make, target in ROWS:
        ours, peer = in_turn(*make(), rounds)
        lines.append(f"| {name} | {against} | {ours:.4f} | {peer:.4f} | {ours / peer:.2f} | {target} |")
        print(lines[-1], flush=True)
    load = os.getloadavg()[0]
    where = f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}"
    head = f"Median processor seconds of {rounds} rounds in turn, one thread; {where}."
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text("\n".join(["# Classic steps", "", f"`bin/bench classic`. {head}", "", *lines, ""]))


if __name__ == "__main__":
    main()
