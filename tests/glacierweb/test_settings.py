"""Every setting is explained, and a wrong value stops the start with a sentence."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_setting_is_in_the_example():
    read = set(re.findall(r'(?:env(?:_bool|_int|_list|_json|_secret)?|database)\(\s*["\']([A-Z_]+)["\']',
                          (ROOT / "glacierweb/settings.py").read_text()))
    shown = set(re.findall(r"^#? ?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    assert read == shown


def start(**wrong: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "SECRET_KEY": "x" * 50, **wrong}
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_a_wrong_switch_stops_the_start_with_a_sentence():
    answer = start(HTTPS="perhaps")
    assert answer.returncode != 0
    assert "HTTPS=perhaps: use on or off" in answer.stderr


def test_a_missing_secret_stops_the_start_with_a_sentence():
    answer = start(SECRET_KEY="")
    assert answer.returncode != 0
    assert "SECRET_KEY is not set" in answer.stderr


def test_catalogues_that_are_not_json_stop_the_start_with_a_sentence():
    answer = start(STAC_CATALOGUES="earth")
    assert answer.returncode != 0
    assert "STAC_CATALOGUES is not JSON" in answer.stderr


def database_of(folder: Path, **given: str) -> str:
    """DATABASE_URL as a management command sees it, with this folder for var/."""
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "SECRET_KEY"}}
    environment |= {"GLACIERWEB_VAR": str(folder), "SECRET_KEY": "x" * 50, **given}
    code = "from django.conf import settings; print(settings.DATABASES['default']['NAME'])"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def test_a_command_finds_the_private_services_unless_told_otherwise(tmp_path):
    (tmp_path / "services.env").write_text("DATABASE_URL=postgis://me@127.0.0.1:5999/private\n")
    if not (ROOT / ".env").exists():
        assert database_of(tmp_path) == "private"
    assert database_of(tmp_path, DATABASE_URL="postgis://me@127.0.0.1:5999/elsewhere") == "elsewhere"


def test_a_command_without_settings_ends_with_one_line(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "SECRET_KEY"}
    environment |= {"GLACIERWEB_VAR": str(tmp_path), "SECRET_KEY": ""}
    command = [sys.executable, "manage.py", "is_empty"]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert answer.stderr.strip().splitlines()[-1].startswith("manage.py: SECRET_KEY is not set")
