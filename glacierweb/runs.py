"""The life of a run. The row is the queue's truth; the broker only carries the news that there is work.

A run is requested (row and outbox message in one transaction), claimed under a lease, kept alive by a heartbeat and
finished once. Whoever holds the lease may write; whoever lost it finds out at the next write. `Run.state` is written
here and nowhere else, always by a conditional UPDATE, always by the database's clock.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from kombu.exceptions import OperationalError as BrokerError

from glacierweb import broker
from glacierweb.celery import app
from glacierweb.models import Outbox, Run

LEASE = timedelta(seconds=45)
HEARTBEAT_S = 15
ATTEMPTS = 3
LOG_LINES = 30
CURVE_POINTS = 500
_LIVE = (Run.State.QUEUED, Run.State.RUNNING)
log = logging.getLogger(__name__)


class Cancelled(Exception):
    """The run was stopped by somebody while it was worked on."""


class LeaseLost(Exception):
    """Another worker has this run now: whatever was computed here must not be written."""


def request(kind: str, params: dict[str, Any], *, queue: str, asked_by: Any = None) -> Run:
    """Write down a piece of work and its message; the message leaves after the commit.

    `params` must be complete and checked: nothing below this line fills in a default.
    """
    with transaction.atomic():
        run = Run.objects.create(kind=kind, params=params, queue=queue, asked_by=asked_by)
        message = Outbox.objects.create(run=run)
        transaction.on_commit(lambda: send(message), robust=True)
    return run


def send(message: Outbox) -> bool:
    """Give one outbox message to the broker; False where it cannot be reached (the sweeper tries again)."""
    try:
        # By name, never by import; `signature` runs at once in eager mode, which `send_task` would ignore.
        signature = app.signature(f"workers.{message.run.kind}", args=(message.run_id,), queue=message.run.queue)
        # A connection of its own: one kept in a pool may have died with the broker, and would be believed first.
        with app.connection_for_write() as broker_connection:
            signature.apply_async(connection=broker_connection, retry=False)
    except (BrokerError, OSError) as error:
        Outbox.objects.filter(pk=message.pk).update(tries=F("tries") + 1)
        log.warning("run %s stays in the outbox: %s", message.run_id, error)
        return False
    Outbox.objects.filter(pk=message.pk).delete()
    return True


def claim(run_id: int, owner: str) -> Run | None:
    """Take a queued run, or a running one whose lease has run out; None if it is taken, ended or gone."""
    free = Q(state=Run.State.QUEUED) | Q(state=Run.State.RUNNING, lease_until__lt=Now())
    won = Run.objects.filter(free, pk=run_id, attempt__lt=ATTEMPTS).update(
        state=Run.State.RUNNING,
        lease_owner=owner,
        lease_until=Now() + LEASE,
        attempt=F("attempt") + 1,
        started=models.functions.Coalesce("started", Now()),
        error="",
    )
    return Run.objects.get(pk=run_id) if won else None


def _mine(run: Run) -> models.QuerySet[Run]:
    return Run.objects.filter(pk=run.pk, state=Run.State.RUNNING, lease_owner=run.lease_owner, attempt=run.attempt)


def _refuse(run: Run) -> None:
    state = Run.objects.filter(pk=run.pk).values_list("state", flat=True).first()
    raise (
        Cancelled(f"run {run.pk} was cancelled")
        if state == Run.State.CANCELLED
        else LeaseLost(f"run {run.pk} belongs to another worker now")
    )


def renew(run: Run) -> bool:
    """Prolong the lease (the heartbeat); False when the run is no longer ours."""
    return bool(_mine(run).update(lease_until=Now() + LEASE))


def advance(run: Run, fraction: float, step: str = "", losses: dict[str, float] | None = None) -> None:
    """Write progress (0 to 1), the step in words and a point of the loss curves.

    Raises Cancelled when the run was stopped, LeaseLost when another worker has it.
    """
    if step and (not run.log or run.log[-1] != step):
        run.log = [*run.log, step][-LOG_LINES:]
    if losses:
        run.curves = [*[point for point in run.curves if point.get("epoch") != losses.get("epoch")], losses]
        run.curves = run.curves[-CURVE_POINTS:]
    run.progress = min(max(float(fraction), 0.0), 1.0)
    changed = {"progress": run.progress, "log": run.log, "curves": run.curves, "lease_until": Now() + LEASE}
    if step:
        run.step = changed["step"] = step[:300]
    if not _mine(run).update(**changed):
        _refuse(run)


def keep_checkpoint(run: Run, path: str) -> None:
    """Remember where the work can be taken up again (a path below DATA_ROOT)."""
    run.checkpoint = path
    if not _mine(run).update(checkpoint=path):
        _refuse(run)


@contextlib.contextmanager
def fenced(run: Run) -> Iterator[None]:
    """A transaction that commits only while the lease is ours; every writer of results works inside one."""
    with transaction.atomic():
        if not _mine(run).select_for_update().exists():
            _refuse(run)
        yield


def finish(run: Run, result: dict[str, Any] | None = None, warnings: list[str] | None = None) -> bool:
    """Mark the run done; False when it was no longer ours."""
    return bool(
        _mine(run).update(
            state=Run.State.DONE,
            progress=1.0,
            step="done",
            result=result or {},
            warnings=warnings or [],
            finished=Now(),
            lease_owner="",
            lease_until=None,
        )
    )


def fail(run: Run, error: str) -> bool:
    """Mark the run failed with a sentence that says what is wrong and what to do."""
    return bool(
        _mine(run).update(state=Run.State.FAILED, error=error, finished=Now(), lease_owner="", lease_until=None)
    )


def release(run: Run) -> bool:
    """Put a run that its worker must leave (a shutdown) back into the queue; the attempt does not count."""
    return bool(
        _mine(run).update(
            state=Run.State.QUEUED, lease_owner="", lease_until=None, attempt=F("attempt") - 1, step="waiting"
        )
    )


def cancel(run_id: int) -> bool:
    """Stop a run that has not ended; the worker notices at its next report."""
    return bool(
        Run.objects.filter(pk=run_id, state__in=_LIVE).update(
            state=Run.State.CANCELLED, finished=Now(), lease_owner="", lease_until=None, step="cancelled"
        )
    )


def sweep() -> dict[str, int]:
    """One round of the sweeper: fail the worn out, requeue the lost, resend what the broker does not hold.

    A queued run whose message was lost with the broker gets a new one: two deliveries do the work once, so sending
    again is always safe.
    """
    lost = Run.objects.filter(state=Run.State.RUNNING, lease_until__lt=Now())
    worn_out = lost.filter(attempt__gte=ATTEMPTS).update(
        state=Run.State.FAILED,
        error=f"worker lost: {ATTEMPTS} attempts ended without an answer; see the worker's log, then ask again",
        finished=Now(),
        lease_owner="",
        lease_until=None,
    )
    requeued = lost.update(state=Run.State.QUEUED, lease_owner="", lease_until=None, step="waiting for a worker")
    # One refusal means that the broker is away: the rest would only wait for it, one timeout each.
    sent = sum(1 for _ in itertools.takewhile(send, _due_messages()))
    return {"failed": worn_out, "requeued": requeued, "sent": sent}


def _due_messages() -> list[Outbox]:
    """Messages older than a few seconds, and one for each queued run that nobody has started for a while."""
    silent = (
        Run.objects.filter(state=Run.State.QUEUED, messages__isnull=True)
        .filter(requested__lt=Now() - timedelta(seconds=settings.RESEND_AFTER_S))
        .exclude(pk__in=broker.held_run_ids())
    )
    Outbox.objects.bulk_create([Outbox(run=run) for run in silent])
    return list(
        Outbox.objects.filter(run__state=Run.State.QUEUED).select_related("run").order_by("run__requested")[:500]
    )
