"""manage.py start_run KIND --param key=value ..."""

from __future__ import annotations

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from glacierweb import runs
from glacierweb.models import Run
from predictions import params, requests

POLL_S = 0.5


class Command(BaseCommand):
    help = "Asks for a run: " + ", ".join(params.KINDS) + "."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=list(params.KINDS))
        parser.add_argument(
            "--param", action="append", default=[], metavar="KEY=VALUE", help="value as JSON or as plain text; "
            "data.aois=[1,2] sets a field of an object",
        )  # fmt: skip
        parser.add_argument("--wait", action="store_true", help="show the progress until it ends")
        parser.add_argument("--dry-run", action="store_true", help="check and complete the parameters, ask for nothing")

    def handle(self, *args: Any, kind: str, param: list[str], wait: bool, dry_run: bool, **options: Any) -> None:
        try:
            payload = read_pairs(param)
            if dry_run:
                self.stdout.write(json.dumps(params.to_dict(params.read(kind, payload)), indent=2))
                return
            run = requests.request(kind, payload)
        except params.ParamsError as error:
            raise CommandError(f"{kind}: {error}") from None
        except requests.AlreadyGoing as error:
            run = error.run
            self.stdout.write(f"{error}")
        self.stdout.write(f"run {run.pk}: {kind}")
        if wait:
            self._wait(run)

    def _wait(self, run: Run) -> None:
        try:
            run = follow(run)
        except KeyboardInterrupt:
            runs.cancel(run.pk)
            raise CommandError(f"run {run.pk} was cancelled") from None
        if run.state != Run.State.DONE:
            raise CommandError(f"run {run.pk} is {run.state}: {run.error or 'see its page'}")
        self.stdout.write(f"run {run.pk} is done: {json.dumps(run.result)}")


def read_pairs(pairs: list[str]) -> dict[str, Any]:
    """`key=value` as a payload; a dot sets a field of an object. Raises ParamsError for a pair without `=`."""
    payload: dict[str, Any] = {}
    for pair in pairs:
        key, found, value = pair.partition("=")
        if not found or not key:
            raise params.ParamsError([{"pointer": "", "message": f"--param {pair}: write key=value"}])
        target, *rest = key.split(".", 1)
        if rest:
            payload.setdefault(target, {})[rest[0]] = _value(value)
        else:
            payload[target] = _value(value)
    return payload


def follow(run: Run) -> Run:
    """Wait until the run has ended, with a progress bar that says what it does."""
    with tqdm(total=100, unit="%", disable=None, bar_format="{l_bar}{bar}| {elapsed} {desc}") as bar:
        while True:
            run.refresh_from_db()
            bar.update(round(100 * run.progress) - bar.n)
            bar.set_description_str(run.step[:60])
            if run.state not in requests.LIVE:
                return run
            time.sleep(POLL_S)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
