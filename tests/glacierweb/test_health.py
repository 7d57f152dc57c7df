"""/healthz asks nothing, /readyz names the part that fails, /metrics counts what waits and what is stuck."""

from __future__ import annotations

from collections import namedtuple
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from glacierweb import broker, health
from glacierweb.celery import app
from glacierweb.models import Run


@pytest.fixture
def well(monkeypatch, data_root) -> None:
    """Redis and workers as they answer when all is well; database, migrations and disk are the real ones."""
    queues = {"one": [{"name": "io"}, {"name": "gpu"}], "two": [{"name": "train"}]}
    inspect = namedtuple("Inspect", "active_queues")(lambda: queues)
    monkeypatch.setattr(broker, "answers", lambda: True)
    monkeypatch.setattr(app.control, "inspect", lambda timeout: inspect)
    usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(health.shutil, "disk_usage", lambda path: usage(100e9, 50e9, 50e9))


def failing(answer) -> list[str]:
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert int(answer["Retry-After"]) > 0
    body = answer.json()
    assert body["status"] == 503
    assert all(name in body["detail"] and body["parts"][name].startswith("failing: ") for name in body["failing"])
    return body["failing"]


def test_alive_needs_no_database(client):
    """Without django_db any query would fail the test."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_ready_when_all_parts_answer(client, well):
    answer = client.get("/readyz")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["ready"] and set(body["parts"]) == {"gdal", "database", "migrations", "broker", "disk", "workers"}
    assert body["parts"]["database"].startswith("PostGIS 3")


@pytest.mark.django_db
def test_a_missing_worker_is_named_by_its_queue(client, well, monkeypatch):
    inspect = namedtuple("Inspect", "active_queues")(lambda: {"one": [{"name": "io"}]})
    monkeypatch.setattr(app.control, "inspect", lambda timeout: inspect)
    answer = client.get("/readyz")
    assert failing(answer) == ["workers"]
    assert "gpu, train" in answer.json()["detail"]


@pytest.mark.django_db
def test_a_full_disk_is_named(client, well, monkeypatch):
    usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(health.shutil, "disk_usage", lambda path: usage(100e9, 95e9, 5e9))
    assert failing(client.get("/readyz")) == ["disk"]


@pytest.mark.django_db
def test_a_waiting_migration_is_named(client, well, monkeypatch):
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda self, targets: [("inventory", "0009")])
    assert failing(client.get("/readyz")) == ["migrations"]


@pytest.mark.django_db
def test_a_database_that_is_away_is_named(client, well, monkeypatch):
    def away():
        raise OperationalError("connection refused\nIs the server running?")

    monkeypatch.setitem(health.CHECKS, "database", away)
    assert failing(client.get("/readyz")) == ["database"]


@pytest.mark.django_db
def test_without_redis_broker_and_workers_are_named(client, data_root, no_redis):
    before, app.conf.broker_url = app.conf.broker_url, "redis://127.0.0.1:1/0"
    try:
        assert failing(client.get("/readyz")) == ["broker", "workers"]
    finally:
        app.conf.broker_url = before


@pytest.mark.django_db
def test_metrics_count_runs_queues_and_the_stuck(client):
    Run.objects.create(kind="segment", queue="gpu", params={})
    stuck = Run.objects.create(kind="train", queue="train", params={}, state="running")
    Run.objects.filter(pk=stuck.pk).update(lease_until=Now() - timedelta(minutes=1))
    lines = client.get("/metrics").content.decode().splitlines()
    assert 'glacierweb_runs{kind="segment",state="queued"} 1' in lines
    assert 'glacierweb_runs{kind="train",state="running"} 1' in lines
    assert "glacierweb_runs_stuck 1" in lines
    assert any(line.startswith('glacierweb_queue_oldest_seconds{queue="gpu"}') for line in lines)
