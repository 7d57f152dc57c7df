"""manage.py ingest_scenes"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet
from tqdm import tqdm

from glacierweb.models import Run
from glacierweb.problems import Problem
from inventory import asking, scenes
from inventory.models import Glacier

PROFILES = ("forecast", "area", "trient", "strict", "train_composite", "outline")
ENDED = (Run.State.DONE, Run.State.FAILED, Run.State.CANCELLED)
PATIENCE_S = 20


class Command(BaseCommand):
    help = "Ask the workers to look for scenes in a folder or a catalogue and to fetch what they find."

    def add_arguments(self, parser: CommandParser) -> None:
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--folder", type=Path, help="GeoTIFFs with STAC Items, a scenes.csv or product names")
        where.add_argument("--stac", metavar="URL", help="a STAC API whose host the operator allowed")
        where.add_argument("--catalogue", metavar="NAME", help="a catalogue of STAC_CATALOGUES")
        parser.add_argument("--bbox", default="", metavar="W,S,E,N")
        parser.add_argument("--glacier", default="", metavar="GLAC_ID", help="onto the grid of this glacier")
        parser.add_argument("--region", default="")
        parser.add_argument("--datetime", default="", metavar="A/B")
        parser.add_argument("--collections", default="", help="separated by commas")
        parser.add_argument("--profile", default="", choices=["", *PROFILES])
        parser.add_argument("--limit", type=int)
        parser.add_argument("--dry-run", action="store_true", help="check the request and show it; ask for nothing")
        parser.add_argument("--wait", action="store_true", help="wait until everything that was found is fetched")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = _asked(options)
        if options["dry_run"]:
            self.stdout.write(f"would ask for find_scenes with {asked}")
            return
        try:
            run = scenes.request_search(asked)
        except scenes.WrongSearch as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"asked for run {run.pk}")
        if options["wait"]:
            self._wait(run)

    def _wait(self, run: Run) -> None:
        found = _until_ended(Run.objects.filter(pk=run.pk), "looking")[0]
        if found.state != Run.State.DONE:
            raise CommandError(found.error or f"run {found.pk} was {found.state}")
        for warning in found.warnings or found.result.get("warnings", []):
            self.stdout.write(f"  skipped {warning}")
        self.stdout.write(f"{found.result.get('found', 0)} scenes found, {found.result.get('new', 0)} new")
        fetched = _until_ended(Run.objects.filter(kind="fetch_scene", pk__gt=run.pk), "fetching")
        failed = [one for one in fetched if one.state != Run.State.DONE]
        for one in failed:
            self.stderr.write(f"run {one.pk}: {one.error}")
        if failed:
            raise CommandError(f"{len(failed)} of {len(fetched)} scenes were not stored")
        self.stdout.write(f"{len(fetched)} scenes stored")


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    folder: Path | None = options["folder"]
    if folder is not None and not folder.is_dir():
        raise CommandError(f"{folder} is no folder")
    if options["glacier"] and not Glacier.objects.filter(glac_id=options["glacier"]).exists():
        raise CommandError(f"no glacier is called {options['glacier']} here")
    if options["limit"] is not None and options["limit"] < 1:
        raise CommandError("--limit: use a whole number from 1")
    try:
        if options["bbox"]:
            asking.bbox(options["bbox"])
        if options["datetime"]:
            asking.interval(options["datetime"])
    except Problem as error:
        raise CommandError(error.detail) from error
    return {
        "folder": str(folder.resolve()) if folder else None,
        "stac": options["stac"],
        "catalogue": options["catalogue"],
        "bbox": [float(text) for text in options["bbox"].split(",")] if options["bbox"] else None,
        "glacier": options["glacier"] or None,
        "region": options["region"] or None,
        "datetime": options["datetime"] or None,
        "collections": [name for name in options["collections"].split(",") if name] or None,
        "profile": options["profile"] or None,
        "limit": options["limit"],
    }


def _until_ended(runs: QuerySet[Run], word: str) -> list[Run]:
    """Wait for runs with a progress bar; a hint where nobody takes them up."""
    began, hinted = time.monotonic(), False
    with tqdm(total=runs.count(), desc=word, unit="run", disable=None, leave=False) as bar:
        while True:
            listed = list(runs.order_by("pk").all())
            bar.total = len(listed)
            bar.update(sum(run.state in ENDED for run in listed) - bar.n)
            if all(run.state in ENDED for run in listed):
                return listed
            idle = all(run.attempt == 0 for run in listed)
            if idle and not hinted and time.monotonic() - began > PATIENCE_S:
                bar.write("no worker has taken it up yet: is bin/up running?")
                hinted = True
            time.sleep(0.5)
