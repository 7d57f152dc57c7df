"""manage.py export_outlines --out FILE"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import QueryDict

from glacierweb.problems import Problem
from inventory import exports, filters

BY_SUFFIX = {
    ".geojson": "geojson", ".json": "geojson", ".geojsonl": "geojsonl", ".csv": "csv", ".gpkg": "gpkg",
    ".parquet": "geoparquet", ".geoparquet": "geoparquet", ".fgb": "fgb", ".zip": "shp", ".shp": "shp",
}  # fmt: skip


class Command(BaseCommand):
    help = "Write outlines to a file; its name says the format (a Shapefile is written as a zip)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="count only")
        for name in sorted(filters.OUTLINES):
            parser.add_argument(f"--{name.replace('_', '-')}", dest=name, default="", help="as in the API")

    def handle(self, *args: Any, **options: Any) -> None:
        out: Path = options["out"]
        chosen = BY_SUFFIX.get(out.suffix.lower())
        if chosen is None:
            raise CommandError(f"{out.name}: use one of the endings {', '.join(BY_SUFFIX)}")
        if not out.parent.is_dir():
            raise CommandError(f"{out.parent} is no folder")
        asked = QueryDict(mutable=True)
        asked.update({name: options[name] for name in filters.OUTLINES if options[name]})
        try:
            found = filters.outlines(asked)
        except Problem as error:
            raise CommandError(error.detail) from error
        if not options["dry_run"]:
            exports.write(found, out.with_suffix(".zip") if chosen == "shp" else out, chosen, asked.urlencode())
        self.stdout.write(f"{found.count()} outlines{' would be' if options['dry_run'] else ''} written to {out}")
