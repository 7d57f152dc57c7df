"""Signing in: who guesses waits, who cannot be counted waits too; only a proxy is believed about addresses."""

from __future__ import annotations

import uuid

import pytest
import redis
from django.contrib.auth import get_user_model
from django.test import Client

from glacierweb import broker

pytestmark = pytest.mark.django_db
RIGHT = "a long password"


@pytest.fixture(autouse=True)
def counters(settings):
    """A real Redis, in a database of its own that is emptied before and after."""
    settings.REDIS_URL = settings.REDIS_URL.rsplit("/", 1)[0] + "/15"
    with broker.connection() as client:
        try:
            client.flushdb()
        except redis.RedisError:
            pytest.skip("no Redis at REDIS_URL")
        yield
        settings.REDIS_URL = settings.REDIS_URL.rsplit("/", 1)[0] + "/15"
        client.flushdb()


@pytest.fixture
def name() -> str:
    found = f"staff-{uuid.uuid4().hex[:8]}"
    get_user_model().objects.create_user(found, password=RIGHT, is_staff=True)
    return found


def attempt(name: str, password: str = "wrong", address: str = "198.51.100.7", **headers):
    return Client(REMOTE_ADDR=address, **headers).post("/accounts/login/", {"username": name, "password": password})


def test_the_sixth_wrong_try_of_a_name_from_an_address_is_429(name):
    assert [attempt(name).status_code for _ in range(5)] == [200] * 5
    refused = attempt(name)
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["Content-Type"] == "application/problem+json"
    assert attempt(name, RIGHT).status_code == 429, "the right password does not open a closed door"


def test_another_name_and_another_address_are_not_held_up(name):
    for _ in range(6):
        attempt(name)
    assert attempt("somebody else").status_code == 200
    assert attempt(name, RIGHT, address="203.0.113.9").status_code == 302


def test_an_address_that_tries_many_names_is_refused():
    answers = [attempt(f"name {number}").status_code for number in range(21)]
    assert answers == [200] * 20 + [429]


def test_a_right_password_clears_the_count_of_its_name(name):
    for _ in range(4):
        attempt(name)
    assert attempt(name, RIGHT).status_code == 302
    assert [attempt(name).status_code for _ in range(5)] == [200] * 5


def test_upper_case_and_spaces_do_not_make_another_name(name):
    assert [attempt(form).status_code for form in (name, name.upper(), f" {name} ", name, name)] == [200] * 5
    assert attempt(name.title()).status_code == 429


def test_a_forwarded_address_counts_only_behind_a_proxy(name, settings):
    for number in range(5):
        attempt(name, HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
    assert attempt(name, HTTP_X_FORWARDED_FOR="203.0.113.99").status_code == 429
    settings.BEHIND_PROXY = True
    assert attempt(name, HTTP_X_FORWARDED_FOR="203.0.113.99").status_code == 200
    spoofed = [attempt(name, HTTP_X_FORWARDED_FOR=f"192.0.2.{n}, 203.0.113.99").status_code for n in range(5)]
    assert spoofed[-1] == 429, "only the proxy's own entry, the last one, is believed"


def test_without_redis_the_door_is_closed_and_says_so(name, no_redis):
    answer = attempt(name, RIGHT)
    assert answer.status_code == 503
    assert "Redis" in answer.json()["detail"]
    assert Client().get("/accounts/login/").status_code == 200


def test_the_admin_has_no_door_of_its_own(name):
    answer = Client().post("/admin/login/?next=/admin/", {"username": name, "password": RIGHT})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/admin/")
