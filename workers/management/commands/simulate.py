from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pyogrio  # noqa: F401  (its GDAL reads its list of drivers now, before ours writes down a longer one)
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from workers.imagery.simulate import PROFILES, write_world
from workers.imagery.simulate.files import FolderInTheWay


def years(text: str) -> tuple[int, int]:
    """FIRST-LAST as two numbers."""
    first, _, last = text.partition("-")
    if not (first.isdigit() and last.isdigit() and int(first) < int(last)):
        raise ArgumentTypeError(f"{text}: write two years such as 1985-2024")
    return int(first), int(last)


def radar_years(text: str) -> list[int]:
    """FIRST-LAST, or years with commas between them, as numbers."""
    first, dash, last = text.partition("-")
    parts = [first, last] if dash else text.split(",")
    if not all(part.isdigit() for part in parts):
        raise ArgumentTypeError(f"{text}: write two years such as 2014-2016, or some such as 2010,2015,2020")
    return list(range(int(first), int(last) + 1)) if dash else [int(part) for part in parts]


def scenes_per_year(text: str) -> int | Literal["full"]:
    """A number, or `full` for the whole calendar."""
    if text != "full" and not text.isdigit():
        raise ArgumentTypeError(f"{text}: write a number, or full")
    return "full" if text == "full" else int(text)


class Command(BaseCommand):
    help = "Writes a simulated world as a data folder: scenes, elevation, outlines, and the truth beside them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True, help="folder to write; must not exist yet")
        parser.add_argument("--profile", choices=sorted(PROFILES), default="easy")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--years", type=years, default=(1985, 2024), metavar="FIRST-LAST")
        parser.add_argument("--size", type=int, default=256, help="pixels of 30 m along each side")
        parser.add_argument("--scenes-per-year", type=scenes_per_year, default=6)
        told = "years in which 15 radar acquisitions join the optical scenes; none unless given"
        parser.add_argument("--radar-years", type=radar_years, default=[], metavar="YEARS", help=told)
        parser.add_argument("--load", action="store_true", help="put the world into the database as well")
        parser.add_argument("--dry-run", action="store_true", help="say what would be written")

    def handle(self, *args: object, out: Path, profile: str, seed: int, load: bool, dry_run: bool, **options) -> None:
        span = options["years"]
        if dry_run:
            self.stdout.write(f"would write a simulated world to {out}: {profile}, seed {seed}, {span[0]} to {span[1]}")
            return
        if load and (out / "outlines.geojson").is_file():
            self.stdout.write(f"{out} holds a world already: loading it")
        else:
            self._write(out, seed, profile, span, options["size"], options["scenes_per_year"], options["radar_years"])
        if load:
            call_command("add_data", str(out), wait=True)

    def _write(
        self, out: Path, seed: int, profile: str, span: tuple[int, int], size: int, per_year: int | Literal["full"],
        radar_years: Sequence[int],
    ) -> None:  # fmt: skip
        with tqdm(total=1000, bar_format="{desc:48.48} {bar} {percentage:3.0f} % {elapsed}", disable=None) as bar:

            def report(fraction: float, step: str) -> None:
                bar.set_description_str(step, refresh=False)
                bar.update(round(1000 * fraction) - bar.n)

            try:
                write_world(out, seed, profile, span, size, per_year, report, radar_years)
            except (FolderInTheWay, ValueError) as error:
                raise CommandError(str(error)) from error
