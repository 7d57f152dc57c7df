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
