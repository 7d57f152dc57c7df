"""The headers of every page, and Django's own check of a deployment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["/", "/about/", "/regions/", "/models/", "/runs/", "/accounts/login/", "/api/docs/"]
STAFF_PAGES = ["/admin/", "/admin/glacierweb/run/", "/admin/predictions/modelversion/"]


def policy(answer) -> dict[str, str]:
    parts = [part.strip().partition(" ") for part in answer["Content-Security-Policy"].split(";")]
    return {name: rule for name, _, rule in parts}


def check_page(answer) -> None:
    html = answer.content.decode()
    rules = policy(answer)
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert "unsafe-eval" not in answer["Content-Security-Policy"]
    assert rules["frame-ancestors"] == "'none'" and rules["object-src"] == "'none'"
    for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", html, re.S):
        if body.strip() and "application/json" not in attributes:
            nonce = re.search(r'nonce="([^"]+)"', attributes)
            assert nonce and f"'nonce-{nonce[1]}'" in rules["script-src"], attributes
    for nonce in re.findall(r'nonce="([^"]*)"', html):
        assert f"'nonce-{nonce}'" in rules["script-src"]
    assert not re.search(r"<style(?![^>]*nonce=)|<[^>]+\sstyle=", html), "no inline styles"
    assert not re.search(r"<[^>]+\son(click|load|error|submit|change)=", html), "no inline handlers"


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_a_page_allows_no_inline_script_and_no_frame(address, client):
    answer = client.get(address)
    assert answer.status_code == 200
    check_page(answer)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=()" in answer["Permissions-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize("address", STAFF_PAGES)
def test_the_admin_keeps_the_same_policy(address, client):
    client.force_login(get_user_model().objects.create_superuser("admin", password="a long password"))
    answer = client.get(address)
    assert answer.status_code == 200
    check_page(answer)


@pytest.mark.django_db
@pytest.mark.parametrize("address", STAFF_PAGES)
def test_the_admin_is_closed_to_strangers(address, client):
    answer = client.get(address)
    assert answer.status_code == 302
    assert "login" in answer["Location"]


@pytest.mark.django_db
def test_a_page_takes_nothing_from_elsewhere(client):
    for address in PAGES:
        html = client.get(address).content.decode()
        assert not re.findall(r'(?:src|href)="((?:https?:)?//[^"]+\.(?:js|css|png|woff2?))"', html), address


@pytest.mark.django_db
def test_two_visits_have_two_nonces(client):
    first, second = (policy(client.get("/"))["script-src"] for _ in range(2))
    assert "'nonce-" in first and first != second


def django(*arguments: str, **setting: str) -> subprocess.CompletedProcess:
    # The browser tests set the switch for themselves (Playwright's event loop); a deployment must not have it.
    ours = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    environment = {**ours, "SECRET_KEY": "kJ8-qx" * 12, **setting}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )


def test_a_deployment_with_https_passes_the_deployment_check():
    answer = django("check", "--deploy", "--fail-level", "WARNING", HTTPS="on", DEBUG="off")
    assert answer.returncode == 0, answer.stderr


def shown(expression: str, **setting: str) -> str:
    code = f"from django.conf import settings; print({expression})"
    answer = django("shell", "--no-imports", "-c", code, **setting)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def test_a_forwarded_scheme_is_believed_only_behind_a_proxy():
    expression = "getattr(settings, 'SECURE_PROXY_SSL_HEADER', None)"
    assert shown(expression, BEHIND_PROXY="off") == "None"
    assert shown(expression, BEHIND_PROXY="on") == "('HTTP_X_FORWARDED_PROTO', 'https')"


def test_https_is_on_unless_somebody_turns_it_off():
    environment = {key: value for key, value in os.environ.items() if key != "HTTPS"}
    code = "import django.conf; s = django.conf.settings; print(s.SECURE_SSL_REDIRECT, s.SESSION_COOKIE_SECURE)"
    environment |= {"SECRET_KEY": "x" * 50, "DJANGO_SETTINGS_MODULE": "glacierweb.settings"}
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert answer.stdout.split() == ["True", "True"], answer.stderr


@pytest.mark.django_db
def test_with_https_plain_requests_are_redirected_and_https_is_remembered(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    visitor = Client()
    assert visitor.get("/about/").status_code == 301
    assert visitor.get("/about/", HTTP_X_FORWARDED_PROTO="https").status_code == 301
    assert "max-age=31536000" in visitor.get("/about/", secure=True)["Strict-Transport-Security"]
    assert visitor.get("/healthz").status_code == 200, "who asks from inside has no certificate"


@pytest.mark.django_db
def test_a_foreign_host_name_is_refused(client, settings):
    settings.ALLOWED_HOSTS = ["glaciers.example.org"]
    assert client.get("/healthz", HTTP_HOST="glaciers.example.org").status_code == 200
    assert client.get("/api/v1/glaciers/", HTTP_HOST="evil.example.org").status_code == 400
