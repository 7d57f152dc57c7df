"""How much one reader may ask in a minute, counted by a real Redis; reading goes on without one."""

from __future__ import annotations

import time

import pytest
from django.test import Client
from tests_stack import running

from glacierweb import throttles
from glacierweb.models import Run

pytestmark = pytest.mark.django_db
LIMITS = {"searches": 2, "items": 4, "tiles": 3}


@pytest.fixture
def counted(settings, tmp_path):
    """Small limits and a Redis of our own, in a minute that does not end while we count."""
    settings.READS_PER_MINUTE = LIMITS
    throttles._blind_until = 0.0
    with running(tmp_path, settings) as stack:
        stack.start("redis")
        if (left := 60 - time.time() % 60) < 5:
            time.sleep(left)
        yield


ADDRESSES = {
    "searches": "/api/v1/glaciers/?q=hochalm", "items": "/api/v1/scenes/", "tiles": "/tiles/outlines/0/0/0.mvt",
}  # fmt: skip


@pytest.mark.parametrize("kind", LIMITS)
def test_the_read_after_the_limit_is_429_and_says_when_to_come_back(counted, client, kind):
    statuses = [client.get(ADDRESSES[kind]).status_code for _ in range(LIMITS[kind])]
    assert set(statuses) == {200}
    answer = client.get(ADDRESSES[kind])
    assert answer.status_code == 429
    assert answer["Content-Type"] == "application/problem+json"
    assert 0 < int(answer["Retry-After"]) <= 60
    assert answer.json()["type"] == "/problems/too-many-requests"


def test_each_kind_of_read_and_each_address_has_its_own_count(counted, client):
    for _ in range(LIMITS["searches"] + 1):
        client.get(ADDRESSES["searches"])
    assert client.get(ADDRESSES["items"]).status_code == 200
    assert client.get(ADDRESSES["searches"], REMOTE_ADDR="192.0.2.7").status_code == 200


def test_the_staff_is_not_counted(counted, client, django_user_model):
    client.force_login(django_user_model.objects.create_user("staff", password="a long password", is_staff=True))
    for address in ADDRESSES.values():
        assert {client.get(address).status_code for _ in range(6)} == {200}


def test_without_redis_reading_goes_on_and_does_not_wait_each_time(settings, no_redis, client):
    settings.READS_PER_MINUTE = LIMITS
    throttles._blind_until = 0.0
    try:
        assert {client.get(ADDRESSES["items"]).status_code for _ in range(8)} == {200}
        assert throttles._blind_until > time.monotonic()
    finally:
        throttles._blind_until = 0.0


def test_a_limit_of_0_is_no_limit(counted, settings, client):
    settings.READS_PER_MINUTE = dict.fromkeys(LIMITS, 0)
    assert {client.get(ADDRESSES["searches"]).status_code for _ in range(6)} == {200}


def test_a_download_counts_as_a_search(rf):
    assert throttles.scope(rf.get("/api/v1/outlines/download/?format=csv")) == "searches"
    assert throttles.scope(rf.get("/api/v1/glaciers/?bbox=0,0,1,1")) == "items"


@pytest.mark.usefixtures("no_redis")
def test_the_trainings_of_a_day_are_counted_by_their_rows(settings, client, django_user_model):
    from predictions import requests

    settings.TRAININGS_PER_DAY = 2
    person = django_user_model.objects.create_user("staff", password="a long password", is_staff=True)
    for state in ("done", "cancelled", "failed"):
        Run.objects.create(kind="train", queue="train", asked_by=person, state=state)
    with pytest.raises(requests.TooManyTrainings, match="2 trainings a day") as refused:
        requests._within_the_day(person)
    assert 86_000 < refused.value.wait_s <= 86_400
    other = django_user_model.objects.create_user("other", password="a long password", is_staff=True)
    requests._within_the_day(other)
    settings.TRAININGS_PER_DAY = 3
    requests._within_the_day(person)
    assert Client().get("/api/v1/runs/").json()["count"] == 3
