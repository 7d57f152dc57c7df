"""The life of a run, on the real database: one claim, one end, nothing lost and nothing twice."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from glacierweb import runs
from glacierweb.models import Outbox, Run


@pytest.fixture
def no_broker(settings):
    """A broker address at which nobody listens."""
    from glacierweb.celery import app

    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    before = app.conf.broker_url
    app.conf.broker_url = settings.REDIS_URL
    yield
    app.conf.broker_url = before


def queued(**values) -> Run:
    return Run.objects.create(kind="segment", queue="gpu", params={}, **values)


def lost(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(seconds=1))


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_one_wins():
    run = queued()
    won = []

    def claim(number: int) -> None:
        if runs.claim(run.pk, f"worker {number}"):
            won.append(number)
        connection.close()

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    run.refresh_from_db()
    assert (run.state, run.attempt) == (Run.State.RUNNING, 1)


@pytest.mark.django_db
def test_a_second_delivery_of_the_same_run_does_nothing():
    run = queued()
    first = runs.claim(run.pk, "one")
    assert runs.claim(run.pk, "two") is None
    assert runs.finish(first, {"mask": 7})
    assert runs.claim(run.pk, "two") is None
    run.refresh_from_db()
    assert (run.state, run.result, run.progress) == (Run.State.DONE, {"mask": 7}, 1.0)
    assert run.duration_s >= 0


@pytest.mark.django_db
def test_who_lost_the_lease_cannot_write():
    run = queued()
    slow = runs.claim(run.pk, "slow")
    lost(run)
    fast = runs.claim(run.pk, "fast")
    assert fast.attempt == 2
    assert not runs.renew(slow)
    assert not runs.finish(slow)
    assert not runs.fail(slow, "too late")
    with pytest.raises(runs.LeaseLost):
        runs.advance(slow, 0.5)
    with pytest.raises(runs.LeaseLost), runs.fenced(slow):
        pytest.fail("a lost lease must not open a transaction")
    assert runs.finish(fast)


@pytest.mark.django_db
def test_a_cancelled_run_stops_at_its_next_report():
    run = queued()
    mine = runs.claim(run.pk, "one")
    runs.advance(mine, 0.25, "scene 1 of 4", losses={"epoch": 1, "train": 0.5, "validation": 0.6})
    assert runs.cancel(run.pk)
    with pytest.raises(runs.Cancelled):
        runs.advance(mine, 0.5, "scene 2 of 4")
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    assert run.log == ["scene 1 of 4"]
    assert run.curves == [{"epoch": 1, "train": 0.5, "validation": 0.6}]
    assert not runs.cancel(run.pk)


@pytest.mark.django_db(transaction=True)
def test_a_request_survives_a_broker_that_is_away(no_broker):
    run = runs.request("segment", {"scene": 1}, queue="gpu")
    assert run.state == Run.State.QUEUED
    assert Outbox.objects.filter(run=run).count() == 1
    assert runs.sweep()["sent"] == 0
    assert Outbox.objects.get(run=run).tries >= 1


@pytest.mark.django_db(transaction=True)
def test_a_request_that_is_rolled_back_leaves_nothing():
    from django.db import transaction

    with pytest.raises(RuntimeError), transaction.atomic():
        runs.request("segment", {}, queue="gpu")
        raise RuntimeError
    assert not Run.objects.exists()
    assert not Outbox.objects.exists()


@pytest.mark.django_db
def test_the_sweeper_takes_back_lost_runs_and_gives_up_after_three(no_broker):
    run = queued()
    for attempt in (1, 2):
        assert runs.claim(run.pk, f"worker {attempt}").attempt == attempt
        lost(run)
        assert runs.sweep()["requeued"] == 1
    runs.claim(run.pk, "worker 3")
    lost(run)
    assert runs.sweep()["failed"] == 1
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert "worker lost" in run.error
    assert runs.claim(run.pk, "worker 4") is None


@pytest.mark.django_db
def test_a_live_lease_is_left_alone_by_the_sweeper(no_broker):
    run = queued()
    runs.claim(run.pk, "one")
    assert runs.sweep() == {"failed": 0, "requeued": 0, "sent": 0}


@pytest.mark.django_db
def test_a_worker_that_leaves_gives_its_run_back_without_losing_an_attempt():
    run = queued()
    mine = runs.claim(run.pk, "one")
    assert runs.release(mine)
    again = runs.claim(run.pk, "two")
    assert again.attempt == 1


@pytest.mark.django_db
def test_the_state_of_a_run_is_guarded_by_the_database():
    from django.db.utils import IntegrityError

    with pytest.raises(IntegrityError):
        queued(state="perhaps")
