"""Public reads go through a role that can SELECT what is public and nothing else, and not for long."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.test import Client

from glacierweb import reads
from glacierweb.models import Run
from glacierweb.reading_role import grant, public_tables
from inventory.models import Glacier

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def reader(django_db_setup, django_db_blocker):
    """The address of a reading role in the test database, dropped at the end."""
    role, password = f"reader_{secrets.token_hex(4)}", secrets.token_urlsafe(12)
    with django_db_blocker.unblock():
        grant(role, password)
        grant(role, password)  # safe to repeat
        there = connection.settings_dict
        yield f"{role}:{password}@{there['HOST']}:{there['PORT']}/{there['NAME']}"
        with connection.cursor() as cursor:
            cursor.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.fixture
def as_reader(reader):
    with psycopg.connect(f"postgresql://{reader}", autocommit=True) as there:
        yield there


def test_the_role_reads_every_public_table(as_reader):
    assert {"inventory_outline", "predictions_mask", "glacierweb_run"} <= set(public_tables())
    for table in public_tables():
        as_reader.execute(f"SELECT * FROM {table} LIMIT 1")


@pytest.mark.parametrize("table", ["auth_user", "django_session", "authtoken_token", "glacierweb_outbox"])
def test_the_role_sees_no_accounts_sessions_tokens_or_messages(as_reader, table):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_reader.execute(f"SELECT * FROM {table} LIMIT 1")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM inventory_region",
        "UPDATE glacierweb_run SET state = 'done'",
        "CREATE TABLE mine (a int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY inventory_region TO '/tmp/regions'",
        "COPY inventory_region TO PROGRAM 'cat'",
        "SET ROLE glacierweb",
    ],
)
def test_the_role_changes_and_reaches_nothing(as_reader, statement):
    as_reader.execute("SET default_transaction_read_only = off")  # the rights hold, not only the setting
    with pytest.raises(psycopg.errors.Error):
        as_reader.execute(statement)


def test_the_role_gives_up_within_seconds(as_reader):
    limits = {name: as_reader.execute(f"SHOW {name}").fetchone()[0] for name in ("statement_timeout", "lock_timeout")}
    assert limits == {"statement_timeout": "5s", "lock_timeout": "2s"}
    as_reader.execute("SET statement_timeout = '50ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        as_reader.execute("SELECT pg_sleep(1)")


def test_only_public_reads_take_the_role(settings, rf, monkeypatch):
    monkeypatch.setitem(settings.DATABASES, "reads", {})
    seen = {}

    def view(request):
        seen[request.method, request.path] = (router.db_for_read(Glacier), router.db_for_read(type(user)))

    from django.contrib.auth import get_user_model

    router, user = reads.PublicReads(), get_user_model()()
    answer = reads.PublicReadMiddleware(view)
    for request in (rf.get("/api/v1/glaciers/"), rf.post("/api/v1/runs/"), rf.get("/admin/")):
        answer(request)
    assert seen == {
        ("GET", "/api/v1/glaciers/"): ("reads", "default"),
        ("POST", "/api/v1/runs/"): ("default", "default"),
        ("GET", "/admin/"): ("default", "default"),
    }
    assert router.db_for_read(Run) == "default", "outside of a request the owner reads"
    assert router.db_for_write(Run) == "default"


ASK_EVERYTHING = """
import django; django.setup()
from django.db import connections
from django.test import Client
from test_roles import EVERY
client, wrong = Client(raise_request_exception=False), []
for address in [*EVERY, "/api/v1/outlines/download/?format=geojson", "/api/v1/outlines/download/?format=gpkg",
                "/api/v1/predicted-outlines/download/?format=csv", "/api/v1/runs/?state=live"]:
    answer = client.get(address)
    b"".join(answer) if answer.streaming else answer.content
    if answer.status_code not in {200, 302, 400, 404, 405} and not (address == "/readyz" and answer.status_code == 503):
        wrong.append((address, answer.status_code))
assert "reads" in connections and connections["reads"].connection is not None
print(wrong)
"""


def test_every_address_can_be_read_through_the_role(reader, transactional_db):
    """A process of its own, as the site is started: pytest's settings leave the role out."""
    account, place = reader.split("@")
    there = connection.settings_dict
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_VERSION"} | {
        "DATABASE_URL": f"postgis://{there['USER']}:{there['PASSWORD']}@{place}",
        "DATABASE_READ_URL": f"postgis://{account}@{place}",
        "DJANGO_SETTINGS_MODULE": "glacierweb.settings", "SECRET_KEY": "x" * 50, "HTTPS": "off",
        "ALLOWED_HOSTS": "testserver", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests/glacierweb'}",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", ASK_EVERYTHING], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]", done.stderr[-3000:]


def test_without_the_address_of_the_role_the_owner_reads(db):
    assert "reads" not in __import__("django.conf").conf.settings.DATABASES
    assert Client().get("/api/v1/glaciers/").status_code == 200
