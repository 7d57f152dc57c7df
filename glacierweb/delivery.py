"""One delivery of a run to a worker: claim the row, keep the lease alive, do the work once, write down how it ended."""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
import threading
import uuid
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import worker_shutting_down
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from glacierweb import runs
from glacierweb.celery import app
from glacierweb.logs import run_id as logged_run_id
from glacierweb.models import Run

log = logging.getLogger(__name__)

# Set in the parent when the worker is asked to stop; its forked children share it and leave at their next report.
_leaving = multiprocessing.get_context("fork").Event()


class Leaving(Exception):
    """The worker is being shut down: the run goes back into the queue and goes on from its checkpoint."""


@worker_shutting_down.connect
def _leave(**_: Any) -> None:
    _leaving.set()


class Heartbeat(threading.Thread):
    """Prolongs the lease every 15 s, on a database connection of its own, while the work computes."""

    def __init__(self, run: Run) -> None:
        super().__init__(daemon=True, name=f"heartbeat-{run.pk}")
        self.of_run = run
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(runs.HEARTBEAT_S):
            try:
                close_old_connections()
                if not runs.renew(self.of_run):
                    return
            except DatabaseError as error:
                log.warning("heartbeat of run %s: %s", self.of_run.pk, error)
        connection.close()

    def __enter__(self) -> Heartbeat:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()


def report(run: Run) -> Callable[..., None]:
    """`report(fraction, step, losses=None)` for the science: writes progress, and stops the work when it must end."""

    def advance(fraction: float, step: str = "", losses: dict[str, float] | None = None) -> None:
        if _leaving.is_set():
            raise Leaving
        runs.advance(run, fraction, step, losses)

    return advance


def _machine_room() -> ModuleType:
    """Load the science in the child: the parent process never touches torch, so that forking stays safe."""
    return import_module(settings.TASKS_MODULE)


def work_on(run_id: int, kind: str) -> None:
    """Do one delivery of a run of this kind."""
    close_old_connections()
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    run = runs.claim(run_id, owner)
    if run is None:
        log.info("run %s is taken, ended or gone: nothing to do", run_id)
        return
    token = logged_run_id.set(run_id)
    try:
        with Heartbeat(run):
            _end(run, kind)
    finally:
        logged_run_id.reset(token)


def _end(run: Run, kind: str) -> None:
    room = _machine_room()
    try:
        found = room.WORK[kind](run) or {}
        runs.finish(run, found, found.pop("warnings", None))
    except (runs.Cancelled, runs.LeaseLost) as reason:
        log.info("%s", reason)
    except Leaving:
        runs.release(run)
    except SoftTimeLimitExceeded:
        runs.fail(
            run,
            "the time limit for one run was reached; ask for less (fewer scenes or epochs) or raise TASK_HARD_LIMIT_S",
        )
    except DatabaseError:
        # The database went away: nothing can be written now. The lease runs out and the sweeper brings the run back.
        log.exception("the database failed during run %s", run.pk)
    except room.REFUSALS as error:  # these say themselves what is wrong with what was asked
        log.warning("run %s refused: %s", run.pk, error, exc_info=True)
        runs.fail(run, str(error))
    except Exception as error:
        log.exception("run %s failed", run.pk)
        runs.fail(
            run,
            f"{type(error).__name__}: {error}. This is a fault of the program; the worker's log has the traceback "
            f"under run {run.pk}.",
        )


def _register(kind: str) -> None:
    @app.task(name=f"workers.{kind}")
    def deliver(run_id: int) -> None:
        work_on(run_id, kind)


for _kind in settings.RUN_KINDS:
    _register(_kind)
