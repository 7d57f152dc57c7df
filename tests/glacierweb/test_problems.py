"""Every refusal is a problem document that says what is wrong, where and what to do, under the request's id."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from django.db import OperationalError
from django.test import Client

from glacierweb.problem_pages import KINDS
from glacierweb.problems import Problem, from_exception

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def problem(answer, status: int) -> dict:
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body = json.loads(answer.content)
    assert body["status"] == status
    assert body["type"].removeprefix("/problems/") in KINDS
    assert body["title"] and body["detail"]
    assert body["instance"] == answer["X-Request-ID"]
    return body


@pytest.mark.parametrize(
    ("address", "status", "named"),
    [
        ("/api/v1/glaciers/?nmae=x", 400, "nmae"),
        ("/api/v1/glaciers/?bbox=1,2,3", 400, "bbox=1,2,3"),
        ("/api/v1/glaciers/?limit=0", 400, "limit=0"),
        ("/api/v1/outlines/?datetime=yesterday", 400, "yesterday"),
        ("/api/v1/outlines/?filter=area>1", 400, "filter"),
        ("/api/v1/outlines/download/?format=dwg", 400, "dwg"),
        ("/api/v1/outlines/?cursor=made-up", 400, "cursor"),
        ("/api/v1/glaciers/no-such-thing/", 404, "No glacier has the identifier"),
        ("/api/v1/glaciers/G007026E45991N/", 404, "No glacier has the identifier"),
        ("/api/v1/glaciers/G007026E45991N/areas/", 404, "G007026E45991N"),
        ("/api/v1/predicted-outlines/999999/", 404, "No predicted outline has the identifier"),
        ("/api/v1/scenes/999999/", 404, ""),
        ("/api/v1/runs/999999999999999999999/", 404, ""),
        ("/api/v1/nothing/", 404, "/api/v1/nothing/"),
        ("/tiles/outlines/40/0/0.mvt", 404, ""),
    ],
)
def test_a_refused_read_names_what_is_wrong(address, status, named, client):
    assert named in problem(client.get(address), status)["detail"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("address", ["/api/v1/glaciers/", "/api/v1/years/", "/api/v1/glaciers/G007026E45991N/areas/"])
def test_what_is_not_possible_says_what_is_whoever_asks(client, method, address):
    answer = getattr(client, method)(address, {}, content_type="application/json")
    problem(answer, 405)
    assert "GET" in answer["Allow"]


def test_a_form_of_answer_that_does_not_exist_is_406(client):
    problem(client.get("/api/v1/glaciers/", HTTP_ACCEPT="image/png"), 406)


def test_writing_without_credentials_is_401_and_says_how(client):
    answer = client.post("/api/v1/runs/", {"kind": "segment", "scene": 1}, content_type="application/json")
    problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Token")


def test_a_wrong_token_is_401(client):
    problem(client.get("/api/v1/glaciers/", HTTP_AUTHORIZATION="Token nobody"), 401)


def test_writing_without_being_staff_is_403(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("reader", password="a long password"))
    problem(client.post("/api/v1/runs/", {"kind": "segment"}, content_type="application/json"), 403)


@pytest.fixture
def staff(client, django_user_model) -> Client:
    client.force_login(django_user_model.objects.create_user("staff", password="a long password", is_staff=True))
    return client


def test_wrong_parameters_are_422_and_each_is_pointed_at(staff):
    sent = {"kind": "segment", "scene": "yesterday", "threshold": 7, "colour": "blue"}
    body = problem(staff.post("/api/v1/runs/", sent, content_type="application/json"), 422)
    assert {error["pointer"] for error in body["errors"]} == {"/scene", "/threshold", "/colour"}
    assert all(error["message"] for error in body["errors"])


def test_a_body_that_is_not_json_is_400(staff):
    problem(staff.post("/api/v1/runs/", "{", content_type="application/json"), 400)


def test_a_body_of_another_type_is_415(staff):
    problem(staff.post("/api/v1/runs/", "kind: segment", content_type="application/x-yaml"), 415)


def test_a_body_in_chunks_is_411_and_not_taken_for_an_empty_one(staff):
    sent = {"data": '{"kind": "segment"}', "content_type": "application/json", "HTTP_TRANSFER_ENCODING": "chunked"}
    assert "length" in problem(staff.post("/api/v1/runs/", **sent), 411)["detail"]


@pytest.mark.parametrize("host", ["evil.example", "a b", "[::1", "127.0.0.1@evil"])
def test_a_foreign_host_name_is_400_and_says_so(client, host):
    assert "Host" in problem(client.get("/api/v1/glaciers/", HTTP_HOST=host), 400)["detail"]
    page = client.get("/about/", HTTP_HOST=host, HTTP_ACCEPT="text/html")
    assert (page.status_code, page["Content-Type"][:9]) == (400, "text/html")


def test_a_form_without_its_token_is_403(django_user_model):
    visitor = Client(enforce_csrf_checks=True)
    problem(visitor.post("/accounts/login/", {"username": "a", "password": "b"}), 403)


def test_a_database_that_goes_away_before_any_view_is_503(client, django_user_model, monkeypatch):
    client.force_login(django_user_model.objects.create_user("staff", password="a long password", is_staff=True))

    def away(*_, **__):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", away)
    for accept in ("application/json", "text/html"):
        assert client.get("/runs/", HTTP_ACCEPT=accept).status_code == 503


def test_a_database_that_is_away_is_503_with_a_time_to_come_back():
    answer = from_exception(OperationalError("server closed the connection")).response()
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert "server closed" not in answer.content.decode(), "what the driver says stays in the log"


def test_our_own_bugs_are_no_refusals():
    assert from_exception(ZeroDivisionError()) is None


def test_a_bug_is_a_500_that_tells_nothing_but_its_request_id(monkeypatch):
    from glacierweb import health

    def broken(request):
        raise ZeroDivisionError("a secret path /srv")

    monkeypatch.setattr(health.shutil, "disk_usage", broken)
    monkeypatch.setattr("inventory.years.counted", broken)
    visitor = Client(raise_request_exception=False)
    body = problem(visitor.get("/api/v1/years/"), 500)
    assert "secret" not in json.dumps(body)


def test_the_members_of_a_problem_are_those_of_the_standard():
    made = Problem(422, "Not valid", "The run cannot be taken.", errors=[{"code": "invalid", "pointer": "/scene"}])
    assert set(made.body()) == {"type", "title", "status", "detail", "instance", "errors"}
    assert made.body()["type"] == "/problems/not-valid"


def test_a_browser_gets_a_page_and_a_program_a_document(client):
    page = client.get("/glaciers/G000000E00000N/", HTTP_ACCEPT="text/html")
    assert page.status_code == 404
    assert page["Content-Type"].startswith("text/html")
    problem(client.get("/glaciers/G000000E00000N/", HTTP_ACCEPT="application/json"), 404)
    problem(client.get("/api/v1/glaciers/G000000E00000N/", HTTP_ACCEPT="text/html,*/*;q=0.8"), 404)


def test_each_type_leads_to_what_it_means(client):
    for kind, (status, meaning) in KINDS.items():
        told = client.get(f"/problems/{kind}").json()
        assert told == {f"/problems/{kind}": {"status": status, "meaning": meaning}}
    page = client.get("/problems/not-valid", HTTP_ACCEPT="text/html")
    assert KINDS["not-valid"].meaning[:20] in page.content.decode()
    problem(client.get("/problems/of-love"), 404)


def kinds_in(path: Path) -> set[str]:
    """Kinds of the problems that a file raises with a title that stands in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem"):
            continue
        named = [word.value for word in node.keywords if word.arg == "kind"]
        value = named[0] if named else node.args[1] if len(node.args) > 1 else None
        if isinstance(value, ast.Constant) and value.value:
            found.add(value.value.lower().replace(" ", "-"))
    return found


def test_every_kind_that_is_raised_is_explained():
    files = [path for app in ("glacierweb", "inventory", "predictions") for path in (ROOT / app).rglob("*.py")]
    raised = set().union(*(kinds_in(path) for path in files))
    assert len(raised) > 10
    assert raised - KINDS.keys() == set()
