"""manage.py import_outlines PATH..."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from inventory import imports
from inventory.folders import outlines_in
from inventory.glims import LAYOUTS


class Command(BaseCommand):
    help = "Import glacier outlines: Shapefile (folder or zip), GeoPackage, GeoJSON, GeoParquet or FlatGeobuf."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files, or folders to look through")
        parser.add_argument("--format", default="", choices=["", *LAYOUTS], help="instead of recognising the columns")
        parser.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", help="name a column")
        parser.add_argument("--repair", action="store_true", help="accept repairs that change an area")
        parser.add_argument("--source", default="", help="name of the source that the outlines are kept under")
        parser.add_argument("--licence", default="")
        parser.add_argument("--citation", default="")
        parser.add_argument("--dry-run", action="store_true", help="read and check everything, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = imports.Asked(
            options["format"], _fields(options["map"]), options["repair"], options["source"],
            options["licence"], options["citation"], options["dry_run"],
        )  # fmt: skip
        files = self._files(options["paths"], explicit=bool(asked.fields or asked.layout))
        with tqdm(total=100, unit="%", disable=None, leave=False) as bar:
            done, refused = imports.run(files, asked, lambda share, step: _show(bar, share, step))
        for one in done:
            self._tell(one, "would be new" if asked.dry_run else "new")
        for error in refused:
            self.stderr.write(self.style.ERROR(str(error)))
        if refused:
            raise CommandError(f"{len(refused)} of {len(files)} files were refused; nothing of them was stored")

    def _files(self, paths: list[Path], explicit: bool) -> list[Path]:
        """Files named are always tried (and refused aloud); in folders only what is recognised."""
        files: list[Path] = []
        for path in paths:
            if not path.exists():
                raise CommandError(f"{path} does not exist")
            if path.is_file():
                files.append(path)
                continue
            taken, skipped = outlines_in(path)
            files += taken + [one.path for one in skipped if explicit and "not recognised" in one.reason]
            for one in skipped:
                self.stdout.write(f"skipped {one.path}: {one.reason}")
        if not files:
            raise CommandError("no outline files found")
        return files

    def _tell(self, one: imports.Imported, word: str) -> None:
        known = f", {one.known} known already" if one.known else ""
        self.stdout.write(f"{one.path}: {one.new} outlines {word}{known}, {one.glaciers} glaciers founded")
        for reason, count in one.skipped.items():
            self.stdout.write(f"  skipped {count}: {reason}")
        for warning in one.warnings:
            self.stdout.write(f"  {warning}")


def _fields(given: list[str]) -> dict[str, str]:
    wrong = [text for text in given if not all(text.partition("=")[::2])]
    if wrong:
        raise CommandError(f"--map {wrong[0]}: write FIELD=COLUMN, for instance --map src_date=DATE")
    return dict(text.split("=", 1) for text in given)


def _show(bar: tqdm, share: float, step: str) -> None:
    bar.update(int(share * 100) - bar.n)
    bar.set_postfix_str(step)
