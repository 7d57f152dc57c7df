"""Pictures for docs/science/: what a mapper, a forecaster and a flow said, each beside the simulated truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from science_page import FOLDER

from workers.learning.samples import SegmentSample
from workers.segmentation.calibrate import Reliability

DPI = 80


def _kept(figure: Any, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    drawn = BytesIO()
    figure.savefig(drawn, dpi=DPI, bbox_inches="tight")
    plt.close(figure)
    small(drawn, FOLDER / f"{name}.png")


def small(drawn: BytesIO | Path, target: Path) -> None:
    """A picture in 128 colours: half the bytes, and nobody sees it."""
    Image.open(drawn).convert("RGB").quantize(128).save(target, optimize=True)


def masks(sample: SegmentSample, maps: Mapping[str, np.ndarray], name: str) -> None:
    """True colour with the true margin (white) and the mapped one (red)."""
    colour = np.stack([sample.stack.band(band) for band in ("red", "green", "blue")], axis=-1)
    colour = np.clip(np.nan_to_num(colour) / 0.9, 0, 1) ** 0.7
    figure, axes = plt.subplots(1, len(maps), figsize=(3.2 * len(maps), 3.5))
    for axis, (title, probability) in zip(axes, maps.items(), strict=True):
        axis.imshow(colour)
        axis.contour(sample.truth, [0.5], colors="white", linewidths=0.8)
        axis.contour(np.nan_to_num(probability), [0.5], colors="red", linewidths=0.8)
        axis.set_title(title, fontsize=9)
        axis.set_axis_off()
    figure.suptitle(f"{sample.group}, simulated: true margin white, mapped red, no value black", fontsize=10)
    _kept(figure, name)


def reliability_diagram(before: Reliability, after: Reliability, name: str) -> None:
    """Accuracy against confidence, before and after temperature scaling."""
    figure, axis = plt.subplots(figsize=(4, 4))
    axis.plot([0.5, 1], [0.5, 1], color="grey", linewidth=0.8)
    for found, label in ((before, "before"), (after, "after")):
        axis.plot(found.confidence, found.accuracy, "o-", markersize=4, label=f"{label}, ECE {found.ece:.3f}")
    axis.set(xlabel="confidence max(p, 1 - p)", ylabel="share on the right side of 0.5", xlim=(0.48, 1.01))
    axis.legend(frameon=False)
    axis.set_title("within 300 m of the true margin, simulated", fontsize=9)
    _kept(figure, name)


def area_series(series: Sequence[Any], name: str) -> None:
    """Mapped areas with their intervals beside the true curve; one panel a glacier."""
    figure, axes = plt.subplots(len(series), 1, figsize=(8, 2.4 * len(series)), sharex=True, squeeze=False)
    for axis, one in zip(axes[:, 0], series, strict=True):
        low, high = one.interval
        years = np.array(one.years)
        axis.vlines(years, low, high, color="#9bbfe0", linewidth=0.7)
        axis.plot(years, one.mapped, ".", markersize=3, color="#1f5fa0", label="mapped, 95 % interval")
        axis.plot(years, one.true, color="black", linewidth=1, label="truth")
        axis.set_ylabel("km²")
        axis.set_title(one.title, fontsize=9)
    axes[0, 0].legend(frameon=False, fontsize=8)
    _kept(figure, name)


def forecast_strips(rows: Mapping[str, np.ndarray], title: str, name: str) -> None:
    """Rows of frames (leads, H, W) of NDSI, one row for truth, network and each baseline."""
    leads = len(next(iter(rows.values())))
    figure, axes = plt.subplots(len(rows), leads, figsize=(1.9 * leads, 1.95 * len(rows)))
    for (label, frames), line in zip(rows.items(), axes, strict=True):
        for lead, (axis, frame) in enumerate(zip(line, frames, strict=True), start=1):
            axis.imshow(np.clip(frame, 0, 1), vmin=0, vmax=1, cmap="Blues_r")
            axis.set(xticks=[], yticks=[])
            if lead == 1:
                axis.set_ylabel(label, fontsize=8)
            if label == next(iter(rows)):
                axis.set_title(f"lead {lead}", fontsize=8)
    figure.suptitle(title, fontsize=9, y=0.93)
    _kept(figure, name)


def flow_beside_truth(image: np.ndarray, true: np.ndarray, found: np.ndarray, ice: np.ndarray, name: str) -> None:
    """Arrows of the true displacement and of the measured one, every 8 px on the ice."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.6))
    rows, cols = (index.ravel() for index in np.mgrid[4 : image.shape[0] : 8, 4 : image.shape[1] : 8])
    on_ice = ice[rows, cols]
    for axis, flow, title in zip(axes, (true, found), ("truth", "measured"), strict=True):
        u, v = (flow[rows, cols, k][on_ice] for k in (0, 1))
        axis.imshow(image, cmap="gray", vmin=0, vmax=0.8)
        axis.quiver(cols[on_ice], rows[on_ice], u, v, np.hypot(u, v), angles="xy", scale_units="xy", scale=0.4,
                    cmap="plasma", clim=(0, 6), width=0.003)  # fmt: skip
        axis.set_title(f"{title}, px a year", fontsize=9)
        axis.set_axis_off()
    figure.suptitle("displacement of simulated ice between two summers", fontsize=10)
    _kept(figure, name)
