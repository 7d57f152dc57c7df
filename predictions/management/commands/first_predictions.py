"""manage.py first_predictions: what a fresh system does by itself; safe to run twice, goes on where it stopped."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from glacierweb.models import Run
from predictions import requests, starter
from predictions.params import ParamsError
from predictions.starter import Wish

POLL_S = 1.0


class Command(BaseCommand):
    help = "Teaches the first networks on what is loaded, maps its glaciers and issues the first forecasts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what is missing, ask for nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        self.began = time.monotonic()
        self.going: dict[int, Wish] = {}
        self.refused: set[str] = set()
        if dry_run:
            self.stdout.write("\n".join(wish.words for wish in starter.wanted()) or "nothing is missing")
            return
        self._wait_for_scenes()
        while self._ask(starter.wanted()) or self.going:
            self._look()
            time.sleep(POLL_S)
        self._ask(starter.background())
        later = Run.objects.filter(kind="train", state__in=requests.LIVE).count()
        self._say(f"the first results are there; {later} trainings go on in the background")

    def _wait_for_scenes(self) -> None:
        told = -1
        while waiting := starter.scenes_on_their_way():
            if waiting // 50 != told:
                told = waiting // 50
                self._say(f"waiting for {waiting} runs that fetch scenes")
            time.sleep(POLL_S)

    def _ask(self, wishes: Any) -> bool:
        """Ask for what is missing and not on its way; whether there was anything."""
        asked, urgent = False, any(not wish.can_wait for wish in self.going.values())
        for wish in wishes:
            if wish in self.going.values() or wish.words in self.refused or (wish.can_wait and urgent):
                continue
            asked, urgent = True, urgent or not wish.can_wait
            try:
                run = requests.request(wish.kind, wish.payload)
            except requests.AlreadyGoing as already:
                run = already.run
            except ParamsError as error:
                self._give_up(wish, str(error))
                continue
            self.going[run.pk] = wish
            self._say(f"run {run.pk}: {wish.words}")
        return asked

    def _look(self) -> None:
        """Take note of what has ended."""
        for run in Run.objects.filter(pk__in=self.going).exclude(state__in=requests.LIVE):
            wish = self.going.pop(run.pk)
            if run.state == Run.State.DONE:
                self._say(f"run {run.pk} is done after {run.duration_s or 0:.0f} s: {wish.words}")
                self.refused.add(wish.words)  # a run that changed nothing must not be asked for for ever
            else:
                self._give_up(wish, f"run {run.pk} is {run.state}: {run.error}")

    def _give_up(self, wish: Wish, why: str) -> None:
        self.refused.add(wish.words)
        self._say(f"not done: {wish.words}: {why}")

    def _say(self, words: str) -> None:
        self.stdout.write(f"[{time.monotonic() - self.began:5.0f} s] {words}")
        self.stdout.flush()
