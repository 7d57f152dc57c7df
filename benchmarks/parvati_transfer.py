"""Spatial transfer on the real Parvati quarters: `python benchmarks/parvati_transfer.py [--data FOLDER] [NAME ...]`.

Four quarters of 2019 are read, the four of 2021 are said; the networks are taught on the western columns and scored on
the eastern fifth, with one window between (no forecast skill: the target year was seen next door). Printed beside the
networks: last frame, same quarter of 2019, per-pixel mean, per-pixel linear regression fitted on the training columns.
Bars: best forecaster at most 0.015 mean square error; LSTM, SA-LSTM-H and ConvLSTM (residual "last") at most 0.035.
"""

from __future__ import annotations

import argparse
import time
from datetime import date
from pathlib import Path

import numpy as np
from real_data import DATA

from workers.imagery import rasters
from workers.imagery.cubes import Cube
from workers.learning import recipes

NAMES = ("default-forecaster", "unet", "conv-lstm", "lstm", "sa-lstm-h")
RESIDUAL = {"default-forecaster": "climatology"}  # without a second year the last frame stands in for it
BEST, EACH = 0.015, 0.035
HELD = {"lstm", "sa-lstm-h", "conv-lstm"}


def quarters(folder: Path, year: int) -> Cube:
    """The four NDSI quarters of a year."""
    stacks = [rasters.read(folder / f"parvati_ndsi_{year}Q{quarter}.tif") for quarter in range(1, 5)]
    starts = tuple(date(year, month, 1) for month in (1, 4, 7, 10))
    values = np.stack([stack.pixels[0] for stack in stacks])
    return Cube(values, starts, 3, (1,) * 4, ("observed",) * 4, stacks[0].grid)


def main() -> None:
    """Teach and score each named network; print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help=f"default: {' '.join(NAMES)}")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the real collection")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    folder = asked.data / "scenes" / "parvati_ndsi"
    seen, target = quarters(folder, 2019), quarters(folder, 2021)
    best, baselines = np.inf, {}
    print("| forecaster (small preset) | MSE on held-out columns | bar | training windows | seconds |")
    print("|---|---|---|---|---|")
    for name in asked.names:
        began = time.monotonic()
        settings = recipes.with_settings(name, "small", seed=asked.seed)
        options = {"residual": RESIDUAL.get(name, "last")}
        found = recipes.train_transfer(name, "small", seen, target, settings, **options).metrics
        mse, baselines = found["scores"]["pooled_mse"], found["baselines"]
        best = min(best, mse)
        bar = f"<= {EACH} {'reached' if mse <= EACH else 'MISSED'}" if name in HELD else ""
        windows, seconds = found["training_windows"], time.monotonic() - began
        print(f"| {name} | {mse:.4f} | {bar} | {windows} | {seconds:.0f} |", flush=True)
    for name, scores in baselines.items():
        print(f"| *{name}* | {scores['pooled_mse']:.4f} | | | |")
    print(f"\nbest forecaster {best:.4f} <= {BEST}: {'reached' if best <= BEST else 'MISSED'}")


if __name__ == "__main__":
    main()
