"""Children, whole workers, Redis and PostgreSQL killed and restarted in mid-training: every run ends, once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from tests_stack import wait_until

from glacierweb import runs
from glacierweb.broker import held_run_ids
from glacierweb.models import Outbox, Run
from inventory.models import AreaOfInterest, Scene
from predictions import requests
from predictions.models import ModelVersion
from workers.imagery.simulate import write_world

BACK_AT_WORK_S = 120
EPOCHS = 30


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("faults") / "world"
    write_world(folder, 21, "easy", (2013, 2018), 96)
    return folder


@pytest.fixture
def loaded(stack, world):
    """A running site with a small world in it."""
    stack.start("redis", "sweeper", "worker-io", "worker-train")
    call_command("add_data", str(world), wait=True)
    assert Scene.objects.filter(state="stored").count() > 30
    return stack


def long_training() -> Run:
    aoi = AreaOfInterest.objects.get()
    data = {"aois": [aoi.pk]}
    return requests.request("train", {"architecture": "conv-lstm", "data": data, "epochs": EPOCHS, "lr": 1e-3})


def epoch_reached(run: Run) -> float:
    curves = Run.objects.values_list("curves", flat=True).get(pk=run.pk)
    return max((point["epoch"] for point in curves), default=0.0)


def in_the_middle(run: Run) -> float:
    wait_until(lambda: epoch_reached(run) >= 2, 400, "the second epoch")
    return epoch_reached(run)


def state(run: Run) -> str:
    return Run.objects.values_list("state", flat=True).get(pk=run.pk)


def back_at_work(run: Run, attempt: int) -> None:
    wait_until(
        lambda: Run.objects.filter(pk=run.pk, state="running", attempt=attempt).exists()
        or Run.objects.filter(pk=run.pk, state="done", attempt=attempt).exists(),
        BACK_AT_WORK_S,
        f"attempt {attempt} of {run}",
    )


def stop_training(run: Run) -> None:
    """Enough was seen: the rest of the epochs would only take time."""
    runs.cancel(run.pk)


def resumed_from_checkpoint(run: Run, reached: float) -> bool:
    """The later attempt went on: its curve starts where the earlier one ended, not again at the first epoch."""
    wait_until(lambda: epoch_reached(run) > reached, 300, "an epoch beyond the loss")
    folder = Path(Run.objects.get(pk=run.pk).checkpoint)
    return bool(folder.name) and epoch_reached(run) > reached


def test_a_killed_child_comes_back_from_its_checkpoint(loaded):
    run = long_training()
    reached = in_the_middle(run)
    for child in loaded.children("worker-train"):
        os.kill(child, signal.SIGKILL)
    back_at_work(run, 2)
    first_after = Run.objects.get(pk=run.pk).progress
    assert first_after >= (reached - 1) / EPOCHS * 0.9, "the training began anew instead of going on"
    assert resumed_from_checkpoint(run, reached)
    stop_training(run)


def test_a_killed_worker_comes_back_when_it_is_started_again(loaded):
    run = long_training()
    in_the_middle(run)
    loaded.kill("worker-train")
    loaded.start("worker-train")
    back_at_work(run, 2)
    stop_training(run)
    wait_until(lambda: state(run) == "cancelled", 10, "the cancelled state")


def test_redis_killed_and_restarted_empty_loses_no_run(loaded):
    first = long_training()
    in_the_middle(first)
    aoi = AreaOfInterest.objects.get()
    data = {"aois": [aoi.pk]}
    waiting = [
        requests.request("train", {"architecture": "default-forecaster", "data": data, "epochs": 1, "seed": seed})
        for seed in (1, 2)
    ]
    loaded.kill("redis")
    during = requests.request("forecast", {"aoi": aoi.pk})
    assert state(during) == "queued"
    assert Outbox.objects.filter(run=during).exists()
    loaded.start("redis", "worker-gpu")
    stop_training(first)
    for run in [*waiting, during]:
        wait_until(lambda run=run: state(run) in {"done", "failed"}, 240, f"the end of {run}")
    assert [state(run) for run in waiting] == ["done", "done"]
    assert ModelVersion.objects.filter(trained_by__in=waiting).count() == 2
    assert all(Run.objects.get(pk=run.pk).attempt == 1 for run in waiting)


def test_a_training_outlives_a_database_that_ends_every_connection(loaded):
    run = long_training()
    reached = in_the_middle(run)
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid()"
        )
    wait_until(lambda: epoch_reached(run) > reached or state(run) != "running", BACK_AT_WORK_S, "life after the loss")
    wait_until(lambda: epoch_reached(run) > reached, BACK_AT_WORK_S, "a further epoch")
    assert state(run) == "running"
    stop_training(run)


def test_a_worker_that_is_asked_to_stop_gives_its_training_back(loaded):
    run = long_training()
    in_the_middle(run)
    process = loaded.processes.pop("worker-train")
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(60) == 0
    row = Run.objects.get(pk=run.pk)
    assert (row.state, row.attempt) == ("queued", 0)
    loaded.start("worker-train")
    back_at_work(run, 1)
    stop_training(run)


def test_two_workers_and_two_messages_do_the_work_once(stack, world):
    stack.start("redis", "worker-io")
    call_command("add_data", str(world), wait=True)
    stack.start("worker-train")
    aoi = AreaOfInterest.objects.get()
    run = requests.request("train", {"architecture": "default-forecaster", "data": {"aois": [aoi.pk]}, "epochs": 1})
    for _ in range(3):
        assert runs.send(Outbox.objects.create(run=run))
    wait_until(lambda: state(run) == "done", 240, "the end of the training")
    wait_until(lambda: not held_run_ids(), 60, "the further messages being taken")
    row = Run.objects.get(pk=run.pk)
    assert (row.attempt, row.state) == (1, "done")
    assert ModelVersion.objects.filter(trained_by=run).count() == 1


def test_a_request_answers_while_redis_hangs(stack):
    """Frozen, not dead: the connection is accepted and never answered."""
    stack.start("redis")
    os.kill(stack.processes["redis"].pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        run = runs.request("segment", {"scene": 1, "version": None, "threshold": 0.5}, queue="gpu")
        waited = time.monotonic() - began
    finally:
        os.kill(stack.processes["redis"].pid, signal.SIGCONT)
    assert Outbox.objects.filter(run=run).exists()
    assert waited < 15, "a request must give up on the broker within seconds"
