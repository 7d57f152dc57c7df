"""What a JSON body may be: measured before it is parsed."""

from __future__ import annotations

import json

import pytest

from glacierweb.json_bodies import DEEPEST, MOST_BYTES, deep, read
from glacierweb.problems import Problem

RUNS = "/api/v1/runs/"


@pytest.mark.parametrize(
    "value", [{"kind": "segment", "scene": 1}, [], "é\n🧊", 1.5, None, {"a": ["[[[{{{"] * 3}, {"a\\": '"]'}]
)
def test_sound_json_is_read_as_the_standard_library_reads_it(value):
    assert read(json.dumps(value).encode()) == value
    assert read(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(("text", "depth"), [("1", 0), ("[]", 1), ('{"a":[{}]}', 3), ('"[[["', 0), ('["\\"[", {}]', 2)])
def test_depth_counts_brackets_outside_of_strings(text, depth):
    assert deep(text) == depth


@pytest.fixture
def ask(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("staff", password="a long password", is_staff=True))
    return lambda body: client.post(RUNS, body, content_type="application/json")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "JSON"),
        (b"\xff\xfe{\x00}\x00", "JSON"),
        (b'{"scene": NaN}', "NaN"),
        (b'{"scene": ' + b"9" * 5000 + b"}", "digits"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "deeper"),
        (b'{"a":' * 50_000, "deeper"),
        (b'{"kind": "segment", "\\ud800": 1}', "surrogate"),
        (b'{"kind": "segment\\u0000"}', "NUL"),
    ],
)
@pytest.mark.django_db
def test_a_body_that_cannot_be_taken_is_400_and_says_why(ask, body, named):
    answer = ask(body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert named in answer.json()["detail"]


@pytest.mark.django_db
def test_a_body_that_is_too_large_is_413(ask):
    answer = ask(b'{"kind": "' + b"a" * MOST_BYTES + b'"}')
    assert answer.status_code == 413
    assert str(MOST_BYTES) in answer.json()["detail"]


def test_the_deepest_body_that_is_allowed_is_read():
    assert read(b"[" * DEEPEST + b"]" * DEEPEST)
    with pytest.raises(Problem):
        read(b"[" * 100_000)
