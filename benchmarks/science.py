"""The bars of the simulator, with fresh seeds: `bin/bench science SEED... [--quick] [--only PART ...]`.

Each part makes its own worlds from the seeds, runs the code of the workers on them and compares with the exact truth.
Rows and pictures go to docs/science/; a part that is not run keeps its earlier rows. `--quick` runs the parts that
train nothing.
"""

from __future__ import annotations

import argparse
import time
import traceback
from collections.abc import Callable, Iterator, Sequence

import area_bars
import forecast_bars
import image_bars
import mapping_bars
import parvati_transfer
import real_mapping_bars
import real_series_bars
from science_page import FOLDER, Row, keep

Part = Callable[[Sequence[int]], Iterator[Row]]

PARTS: dict[str, Part] = {
    "simulator": image_bars.simulator_time,
    "truth": image_bars.truth_slopes,
    "gaps": image_bars.gap_filling,
    "registration": image_bars.registration,
    "motion": image_bars.motion,
    "identity": image_bars.identity,
    "mapping": mapping_bars.mapping,
    "mappers": mapping_bars.other_mappers,
    "radar": mapping_bars.radar_series,
    "areas": area_bars.areas,
    "forecast": forecast_bars.default_forecaster,
    "networks": forecast_bars.published_networks,
    **{f"parvati-{name}": forecast_bars.parvati(name) for name in parvati_transfer.NAMES},
    "video": forecast_bars.video,
    "vinciguerra": real_mapping_bars.vinciguerra,
    "norway": real_mapping_bars.norway,
    "marmolada": real_series_bars.marmolada,
    "columbia": real_series_bars.columbia,
    "tables": real_series_bars.area_tables,
}
QUICK = ("simulator", "truth", "gaps", "registration", "motion", "identity")


def run(name: str, seeds: Sequence[int]) -> None:
    """One part: its rows, as far as it gets, with what stopped it as the last row."""
    rows, began = [], time.process_time()
    try:
        for row in PARTS[name](seeds):
            rows.append(row)
            print(f"{name}: {row.check} | {row.bar} | {row.reached} | {row.met} | {row.note}", flush=True)
    except Exception as error:
        traceback.print_exc()
        rows.append(Row(f"{name}: stopped", "", "", False, f"{type(error).__name__}: {error}"))
    keep(name, rows, seeds, time.process_time() - began)


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", type=int, nargs="+", metavar="SEED", help="seeds of the worlds")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--skip", nargs="+", choices=PARTS, metavar="PART", default=[])
    asked = parser.parse_args()
    for name in asked.only or (QUICK if asked.quick else PARTS):
        if name not in asked.skip:
            run(name, asked.seeds)
    print(f"written to {FOLDER}")


if __name__ == "__main__":
    main()
