"""Classic image steps against their peers, in turn and in one process: `python benchmarks/classic.py [--rounds 7]`.

Every row times ours and the peer on the same data, A B A B, one thread, in processor time (the machine is shared), and
shows the median of the ratios of the rounds. Memory is the peak of a process of its own, less what it held before.
The table goes to docs/benchmarks/classic.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import NamedTuple

import cv2
import numpy as np
import shapely
from affine import Affine
from machine import here, write_page
from pyproj import Geod
from rasterio import features
from scipy.ndimage import gaussian_filter, gaussian_filter1d, shift
from skimage import measure

from workers.imagery.align import AlignSettings, register
from workers.imagery.gaps import KERNEL, gap_fill
from workers.imagery.grid import Grid
from workers.imagery.smoothing import smooth_in_time
from workers.imagery.sphere import geodesic_area_km2
from workers.motion import farneback
from workers.segmentation import arcs, outlines

RNG = np.random.default_rng(0)
Timed = Callable[[], object]


class Timing(NamedTuple):
    """Median processor seconds of both sides, and the median of the ratios round by round."""

    ours: float
    peer: float
    ratio: float


def in_turn(ours: Timed, peer: Timed, rounds: int) -> Timing:
    """A B A B, after one round to warm up."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for step, taken in zip((ours, peer), seconds, strict=True):
            start = time.process_time()
            step()
            if number:
                taken.append(time.process_time() - start)
    ratios = [mine / theirs for mine, theirs in zip(*seconds, strict=True)]
    return Timing(median(seconds[0]), median(seconds[1]), median(ratios))


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


def pair() -> tuple[np.ndarray, np.ndarray]:
    """Two images of 800 x 800 px in 0..1, half a pixel apart."""
    still = gaussian_filter(RNG.standard_normal((800, 800)), 2).astype(np.float32)
    still = (still - still.min()) / (still.max() - still.min())
    return still, shift(still, (0.4, -0.3), order=3, mode="reflect").astype(np.float32)


def bare_ecc(still: np.ndarray, moved: np.ndarray) -> object:
    """OpenCV's own search for a translation."""
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 200, 1e-6)
    return cv2.findTransformECC(still, moved, np.eye(2, 3, dtype=np.float32), cv2.MOTION_TRANSLATION, stop, None, 1)


def registration() -> tuple[Timed, Timed]:
    """A translation, without the high-pass, so that both solve the same; ours also guards the warp."""
    still, moved = pair()
    return lambda: register(still, moved, AlignSettings(high_pass_px=0)), lambda: bare_ecc(still, moved)


def flow() -> tuple[Timed, Timed]:
    """Flow forth and back: ours scales both images together and blanks what does not find the way back."""
    still, moved = pair()
    eight_bit = [(image * 255).astype(np.float32) for image in (still, moved)]
    return lambda: farneback.dense_flow(still, moved), lambda: bare_flow(*eight_bit)


def bare_flow(first: np.ndarray, second: np.ndarray) -> None:
    """OpenCV's own flow, both ways."""
    farneback.farneback(first, second, farneback.Settings())
    farneback.farneback(second, first, farneback.Settings())


def both_for_a_pair() -> tuple[Timed, Timed]:
    """What the target speaks of: registration and flow of a pair."""
    (register_ours, register_bare), (flow_ours, flow_bare) = registration(), flow()
    return lambda: (register_ours(), flow_ours()), lambda: (register_bare(), flow_bare())


def mask() -> np.ndarray:
    """4000 x 4000 px with about two thousand pieces of ice."""
    field = gaussian_filter(RNG.standard_normal((4000, 4000), dtype=np.float32), 12)
    return field > 1.75 * field.std()


def polygons() -> tuple[Timed, Timed]:
    """Labelled pieces to polygons along pixel edges; both sides end with valid shapely polygons."""
    ice = mask()
    regions = measure.label(ice, connectivity=1).astype(np.int32)

    def peer() -> list[shapely.Polygon]:
        found = features.shapes(regions, mask=regions > 0, connectivity=4)
        return [shapely.Polygon(shape["coordinates"][0], shape["coordinates"][1:]) for shape, _ in found]

    return lambda: arcs.polygons(regions, smooth=False), peer


def tracing() -> tuple[Timed, Timed]:
    """From a mask to outlines in longitude and latitude with geodesic areas, unsmoothed; the peer stops at polygons."""
    ice = mask()
    grid = Grid("EPSG:32632", Affine(30, 0, 440_000, 0, -30, 5_260_000), 4000, 4000)

    def peer() -> list[shapely.Polygon]:
        found = features.shapes(ice.astype(np.uint8), mask=ice, connectivity=4)
        return [shapely.Polygon(shape["coordinates"][0], shape["coordinates"][1:]) for shape, _ in found]

    return lambda: outlines.trace(ice, grid, smooth=False), peer


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


class Target(NamedTuple):
    """What is compared; the ratio must not exceed `most` (None: reported only)."""

    what: str
    peer: str
    make: Callable[[], tuple[Timed, Timed]]
    most: float | None


TARGETS = (
    Target("smoothing along 464 scenes", "scipy gaussian_filter1d", smoothing, 1 / 8),
    Target("gap filling, five passes", "cv2.filter2D, ten times", filling, 1.5),
    Target("polygons of labelled pieces, along pixel edges", "rasterio.features.shapes, as shapely", polygons, 1.2),
    Target("outlines: clean, label, polygons, lon/lat, geodesic area", "the same: polygons only", tracing, None),
    Target("geodesic areas of outlines", "pyproj Geod, rings oriented before", areas, 1.2),
    Target("registration of a pair (ECC), guards included", "cv2.findTransformECC", registration, 1.1),
    Target("flow of a pair (Farnebäck), forth and back", "cv2.calcOpticalFlowFarneback, twice", flow, 1.1),
    Target("registration and flow of a pair", "the bare cv2 calls", both_for_a_pair, 1.1),
)
SMOOTHING_MEMORY = """
import numpy as np
from workers.imagery.smoothing import smooth_in_time
series = np.random.default_rng(0).random((464, 10, 128, 128), dtype=np.float32)
before = peak()
smooth_in_time(series, "paper")
tell(series.nbytes, before)
"""
INFERENCE_MEMORY = """
import numpy as np
from dataclasses import asdict
from affine import Affine
from workers.imagery.grid import Grid
from workers.imagery.rasters import Stack
from workers.learning import catalog
from workers.learning.weights import Learned, Recipe
from workers.segmentation.segment import segment_stack
row, config = catalog.preset("resnet50-unet", "small")
names = ("blue", "green", "red", "nir", "swir1", "swir2", "thermal", "elevation", "ndsi", "ndwi")
recipe = Recipe("resnet50-unet", "small", asdict(config), names, {"kind": "image_minmax"}, options={"stride": 128})
grid = Grid("EPSG:32632", Affine(30, 0, 440000, 0, -30, 5260000), SIDE, SIDE)
stack = Stack(np.random.default_rng(0).random((10, SIDE, SIDE), dtype=np.float32), names, grid)
learned = Learned(row.build(config).eval(), recipe)
segment_stack(Stack(stack.pixels[:, :256, :512], names, grid.part(0, 0, 256, 512)), learned)
before = peak()
segment_stack(stack, learned)
tell(stack.pixels.nbytes, before)
"""
MEASURE = """
def peak():
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(status["VmHWM"].split()[0]) * 1024  # of this program: getrusage would remember the one that started it
def tell(given, before): print(given / 1e6, (peak() - before) / 1e6, peak() / 1e6)
"""


def memory() -> Iterator[str]:
    """Peak of a process of its own: input, what the step added to it, and the whole process, in MB."""
    yield "| step | input, MB | added at the peak, MB | whole process, MB |\n| --- | --- | --- | --- |"
    jobs = {"smoothing along 464 scenes of 10 bands (forty years)": SMOOTHING_MEMORY}
    for side in (512, 1024):
        title = f"tiled inference, small ResNet U-Net, {side} x {side} px, 10 bands"
        jobs[title] = f"SIDE = {side}\n{INFERENCE_MEMORY}"
    for title, code in jobs.items():
        ran = subprocess.run([sys.executable, "-c", MEASURE + code], capture_output=True, text=True, check=True)
        yield f"| {title} | {' | '.join(f'{float(one):.0f}' for one in ran.stdout.split())} |"


def timings(rounds: int) -> Iterator[str]:
    """One line of the table for each target."""
    yield "| step | peer | ours, s | peer, s | ours / peer | must | |\n| --- | --- | --- | --- | --- | --- | --- |"
    for target in TARGETS:
        took = in_turn(*target.make(), rounds)
        must = "reported" if target.most is None else f"<= {target.most:g}"
        met = "" if target.most is None else "met" if took.ratio <= target.most else "**missed**"
        yield (f"| {target.what} | {target.peer} | {took.ours:.4f} | {took.peer:.4f} | {took.ratio:.3f} | {must} | "
               f"{met} |")  # fmt: skip


def main() -> None:
    """Measure every row, print the tables and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each side, in turn (7)")
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    began = here()
    head = f"`bin/bench classic`: processor time of one thread, {rounds} rounds in turn, median of the ratios. {began}."
    lines = ["# Classic steps", "", head, ""]
    for part in (timings(rounds), ["", "## Memory", ""], memory()):
        for line in part:
            print(line, flush=True)
            lines.append(line)
    write_page("classic", lines)


if __name__ == "__main__":
    main()
