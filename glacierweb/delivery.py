"""One delivery of a run to a worker: claim the row, keep the lease alive, do the work once, write down how it ended."""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
import threading
import uuid
from collections.abc import Callable
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import worker_shutting_down
from django.db import DatabaseError, close_old_connections, connection

from glacierweb import runs
from glacierweb.celery import app
from glacierweb.logs import run_id as logged_run_id
from glacierweb.models import Run

log = logging.getLogger(__name__)
Work = Callable[[Run], dict[str, Any] | None]

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


def work_on(run_id: int, work: Work, refusals: tuple[type[Exception], ...]) -> None:
    """Do one delivery. `refusals` are the errors that say themselves what is wrong with the input."""
    close_old_connections()
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    run = runs.claim(run_id, owner)
    if run is None:
        log.info("run %s is taken, ended or gone: nothing to do", run_id)
        return
    token = logged_run_id.set(run_id)
    try:
        with Heartbeat(run):
            _end(run, work, refusals)
    finally:
        logged_run_id.reset(token)


def _end(run: Run, work: Work, refusals: tuple[type[Exception], ...]) -> None:
    try:
        found = work(run) or {}
        runs.finish(run, found, found.pop("warnings", None))
    except (runs.Cancelled, runs.LeaseLost) as reason:
        log.info("%s", reason)
    except Leaving:
        runs.release(run)
    except SoftTimeLimitExceeded:
        runs.fail(run, "the time limit for one run was reached; ask for less (fewer scenes or epochs) or raise "
                       "TASK_HARD_LIMIT_S")
    except DatabaseError:
        # The database went away: nothing can be written now. The lease runs out and the sweeper brings the run back.
        log.exception("the database failed during run %s", run.pk)
    except refusals as error:
        runs.fail(run, str(error))
    except Exception as error:
        log.exception("run %s failed", run.pk)
        runs.fail(run, f"{type(error).__name__}: {error}. This is a fault of the program; the worker's log has the "
                       f"traceback under run {run.pk}.")


def task(work: Work, *, refusals: tuple[type[Exception], ...]) -> Any:
    """Register `work` as the Celery task `workers.<its name>`; its only argument is the run's id."""

    @app.task(name=f"workers.{work.__name__}")
    def deliver(run_id: int) -> None:
        work_on(run_id, work, refusals)

    return deliver
