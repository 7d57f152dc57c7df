from __future__ import annotations

import logging
import signal
import threading

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections

from glacierweb import runs

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Resends the outbox, requeues expired leases, fails runs after three attempts; once, or every N seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=int, metavar="SECONDS", help="go on until stopped")

    def handle(self, *args: object, every: int | None, **options: object) -> None:
        if every is None:
            self.stdout.write(str(runs.sweep()))
            return
        stopped = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopped.set())
        while not stopped.wait(every):
            try:
                close_old_connections()
                done = runs.sweep()
                if any(done.values()):
                    log.info("swept: %s", done)
            except DatabaseError as error:
                log.warning("the database did not answer, next round in %s s: %s", every, error)
