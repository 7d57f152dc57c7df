"""manage.py follow_first_predictions: says when the first predicted outlines and the first forecast are on the map."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from glacierweb.models import Run
from predictions import requests
from predictions.models import Forecast, PredictedOutline

POLL_S = 1.0
QUIET_S = 60


class Command(BaseCommand):
    help = "Waits for the first predicted outlines and the first forecast, and says where they are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--address", default="http://127.0.0.1:8000", help="of the site, for the links")

    def handle(self, *args: Any, address: str, **options: Any) -> None:
        began = active = time.monotonic()
        left = {
            "the first predicted outlines are": PredictedOutline.objects.filter(glacier__isnull=False),
            "the first forecast is": Forecast.objects.all(),
        }
        step = ""
        while left and time.monotonic() - active < QUIET_S:
            for words in [words for words, rows in left.items() if rows.exists()]:
                del left[words]
                self.stdout.write(f"{words} on the map after {time.monotonic() - began:.0f} s: {address}")
            live = Run.objects.filter(state__in=requests.LIVE)
            if running := live.filter(state=Run.State.RUNNING).exclude(kind="fetch_scene").order_by("pk").first():
                step = self._step(running, step)
            active = time.monotonic() if live.exists() else active
            time.sleep(POLL_S)
        if left:
            self.stdout.write(f"nothing runs any more; see {address}/runs/ for what became of the first predictions")

    def _step(self, run: Run, before: str) -> str:
        """Say what a run does when that has changed in kind (not with every scene)."""
        now = f"run {run.pk} ({run.kind.replace('_', ' ')})"
        if now != before:
            self.stdout.write(f"{now}: {run.step or 'started'}")
            self.stdout.flush()
        return now
