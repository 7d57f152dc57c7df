"""manage.py add_data FOLDER"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count
from tqdm import tqdm

from glacierweb.models import Run
from inventory import imports, scenes
from inventory.folders import outlines_in
from inventory.models import Scene

REPAIR = imports.Asked(repair=True)
SHOWN = 12


class Command(BaseCommand):
    help = "Adds a data folder to what is there: its outlines first, then its scenes (by the workers)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--wait", action="store_true", help="until every scene is stored or refused")
        parser.add_argument("--dry-run", action="store_true", help="say what would be imported, write nothing")

    def handle(self, *args: Any, folder: Path, wait: bool, dry_run: bool, **options: Any) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder}: there is no such folder")
        files, skipped = outlines_in(folder)
        if dry_run:
            self.stdout.write("\n".join(f"would import {file}" for file in files) or "no outlines recognised")
            return
        self._outlines(files)
        self._skipped([f"{one.path.relative_to(folder)}: {one.reason}" for one in skipped], "vector files")
        run = scenes.request_search({"folder": str(folder.resolve())})
        if wait:
            self._wait(run)

    def _outlines(self, files: list[Path]) -> None:
        done, refused = imports.run(files, REPAIR) if files else ([], [])
        new, known = sum(one.new for one in done), sum(one.known for one in done)
        founded = sum(one.glaciers for one in done)
        self.stdout.write(f"outlines: {new} new, {known} known already, {founded} new glaciers, of {len(files)} files")
        for error in refused:
            self.stderr.write(f"  refused: {error}")

    def _wait(self, search: Run) -> None:
        while (run := Run.objects.get(pk=search.pk)).state in {Run.State.QUEUED, Run.State.RUNNING}:
            time.sleep(0.5)
        if run.state != Run.State.DONE:
            raise CommandError(f"looking for scenes ended as {run.state}: {run.error}")
        self._skipped(run.warnings, "rasters")
        with tqdm(total=Scene.objects.count(), unit=" scenes", disable=None) as bar:
            while waiting := self._waiting():
                bar.total = Scene.objects.count()
                bar.update(bar.total - waiting - bar.n)
                time.sleep(0.5)
            bar.update(bar.total - bar.n)
        states = dict(Scene.objects.values_list("state").annotate(n=Count("pk")))
        self.stdout.write(f"scenes: {states.get('stored', 0)} stored, {states.get('failed', 0)} could not be read")
        for scene in Scene.objects.filter(state=Scene.State.FAILED)[:SHOWN]:
            self.stdout.write(f"  {scene.key}: {scene.reason}")

    def _waiting(self) -> int:
        """Scenes that some run is still to fetch; one whose run has ended without it is not waited for."""
        fetching = Run.objects.filter(kind="fetch_scene", state__in=[Run.State.QUEUED, Run.State.RUNNING])
        return fetching.count()

    def _skipped(self, lines: list[str], what: str) -> None:
        if not lines:
            return
        self.stdout.write(f"skipped {len(lines)} {what}:")
        for line in lines[:SHOWN]:
            self.stdout.write(f"  {line}")
        if len(lines) > SHOWN:
            self.stdout.write(f"  ... and {len(lines) - SHOWN} more; the run's page lists them")
