"""Who may do what, on every address there is; and what hostile readers send ends in a refusal, never in a fault."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

pytestmark = pytest.mark.django_db
STAND_INS = {"int": "1", "str": "G000000E00000N", "slug": "not-found", "path": "x", "uuid": "0" * 32}
ROLES = ["anonymous", "reader"]
HOSTILE = [
    "\0", "' OR 1=1--", "1e999", "NaN", "../../etc/passwd", "9" * 400, "<script>", "\N{EARTH GLOBE EUROPE-AFRICA}",
    "%00", "[]", "{}", "-1",
]  # fmt: skip
PARAMETERS = [
    "bbox", "datetime", "year", "region", "glac_id", "q", "name", "source", "area_min", "limit", "cursor", "filter",
    "version", "scene", "state", "kind", "task", "product", "format", "simulated", "style", "preferred",
]  # fmt: skip


def addresses(patterns=None, before: str = "") -> Iterator[str]:
    """Every address of the site with something in the place of its parameters; the admin is tested by Django."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        text = re.sub(r"\(\?P<\w+>(?:\[[^]]*\]|[^)])*\)", "1", str(one.pattern))
        text = re.sub(r"<(?:(\w+):)?\w+>", lambda found: STAND_INS[found[1] or "str"], text)
        text = before + re.sub(r"\\Z|[\^$]", "", text)
        if isinstance(one, URLResolver):
            if not text.startswith("admin"):
                yield from addresses(one.url_patterns, text)
        elif isinstance(one, URLPattern) and "format" not in text:
            yield "/" + text.replace("\\.", ".").replace("//", "/")


EVERY = sorted(set(addresses()) - {"/accounts/login/", "/accounts/logout/", "/admin/login/"})
API = [address for address in EVERY if address.startswith("/api/v1/")]


@pytest.fixture
def as_role(client, django_user_model):
    def enter(role: str):
        if role == "reader":
            client.force_login(django_user_model.objects.create_user("reader", password="a long password"))
        return client

    return enter


def test_the_addresses_are_all_found():
    assert len(API) > 30
    assert {"/api/v1/runs/", "/api/v1/models/1/promote/", "/api/v1/runs/1/cancel/", "/runs/1/cancel/"} <= set(EVERY)


@pytest.mark.parametrize("role", ROLES)
def test_nobody_but_the_staff_writes_anything(as_role, role, no_redis):
    visitor = as_role(role)
    done = []
    for address in EVERY:
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(visitor, method)(address, "{}", content_type="application/json")
            if answer.status_code not in {301, 302, 401, 403, 404, 405}:
                done.append((method, address, answer.status_code))
    assert done == []


@pytest.mark.parametrize("role", ROLES)
def test_everybody_reads(as_role, role, no_redis):
    visitor = as_role(role)
    strange = []
    for address in API:
        status = visitor.get(address).status_code
        if status not in {200, 400, 404, 405}:  # 400: a download without its format
            strange.append((address, status))
    assert strange == []


def test_what_hostile_readers_send_is_refused_and_never_a_fault(client):
    client.raise_request_exception = False
    faults = []
    for address in API:
        for number, value in enumerate(HOSTILE[len(address) % 3 :: 3]):
            name = PARAMETERS[(5 * number + len(address)) % len(PARAMETERS)]
            answer = client.get(address, {name: value})
            if answer.status_code >= 500 or (
                answer.status_code >= 400 and answer["Content-Type"] != "application/problem+json"
            ):
                faults.append((address, name, value, answer.status_code))
    assert faults == []


def test_every_parameter_of_the_large_lists_withstands_hostile_values(client):
    client.raise_request_exception = False
    faults = []
    for address in ("/api/v1/glaciers/", "/api/v1/outlines/", "/api/v1/predicted-outlines/", "/api/v1/scenes/"):
        for number, name in enumerate(PARAMETERS):
            for value in HOSTILE[number % 2 :: 2]:
                status = client.get(address, {name: value}).status_code
                if status >= 500:
                    faults.append((address, name, value))
    assert faults == []


@pytest.mark.parametrize(
    "path",
    ["/api/v1/glaciers/%00/", "/api/v1/scenes/%2e%2e/", "/api/v1/outlines/..%2f..%2fetc%2fpasswd/",
     "/tiles/outlines/1/9/9.mvt", "/api/v1/scenes/99999999999999999999/", "/glaciers/%F0%9F%8C%8D/",
     "/tiles/scenes/99999999999999999999/0/0/0.png",
     "/api/v1/aois/9223372036854775808/", "/api/v1/regions/%00/", "/scenes/99999999999999999999/"],
)  # fmt: skip
def test_a_hostile_address_is_404(client, path):
    client.raise_request_exception = False
    assert client.get(path).status_code in {400, 404}
