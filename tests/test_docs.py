"""What the documents say is true: their examples run, their links lead somewhere, nothing is left unexplained."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands, load_command_class

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
OURS = {"glacierweb", "inventory", "predictions", "workers"}
BLOCK = re.compile(r"^```(sh|sh gdal|python)\n(.*?)^```$", re.M | re.S)


def blocks(page: Path) -> list[tuple[str, str]]:
    """(language, code) of the examples of a page."""
    return BLOCK.findall(page.read_text())


@pytest.fixture
def world(transactional_db, settings, tmp_path):
    """Two glaciers, scenes, predictions and forecasts; no broker, so that what is asked for waits in the outbox."""
    from glacierweb.celery import app

    settings.DATA_ROOT = (tmp_path / "data").resolve()
    before, app.conf.broker_url = app.conf.broker_url, "redis://127.0.0.1:1/0"
    settings.REDIS_URL = app.conf.broker_url
    spec = importlib.util.spec_from_file_location("small_world", ROOT / "tests/browser/small_world.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.build() | {"finished": module.finished}
    app.conf.broker_url = before


@pytest.fixture
def variables(world, live_server) -> dict[str, str]:
    """What the examples ask of the environment, and nothing of Django's."""
    from rest_framework.authtoken.models import Token

    from glacierweb.models import Run
    from predictions.models import Forecast, Mask, ModelVersion

    staff = get_user_model().objects.create_user("staff", is_staff=True)
    mask, forecast = Mask.objects.first(), Forecast.objects.first()
    active = ModelVersion.objects.get(task="segment")
    candidate = ModelVersion.objects.create(
        task="segment", architecture="random-forest", scope=active.scope, trained_by=world["finished"]("train"),
        metrics={}, weights_sha256="1" * 64, simulated=True, state="candidate", bands=["green", "swir1"],
    )  # fmt: skip
    found = {
        "SITE": live_server.url, "GLACIER": world["north"].glac_id, "SCENE": mask.scene_id, "MASK": mask.pk,
        "AOI": forecast.aoi_id, "FORECAST": forecast.pk, "MODEL": candidate.pk, "RUN": Run.objects.first().pk,
        "TOKEN": Token.objects.create(user=staff).key,
    }  # fmt: skip
    ours = ("GDAL_", "CPL_", "PROJ_", "DJANGO_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return kept | {name: str(value) for name, value in found.items()}


def run(language: str, code: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", code] if language == "python" else ["bash", "-euo", "pipefail", "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_examples_of_the_api_run_as_they_stand(variables, tmp_path):
    skipped, wrong = [], []
    for language, code in blocks(ROOT / "docs/api.md"):
        if language == "sh gdal" and not shutil.which("ogr2ogr"):
            skipped.append(code)
            continue
        done = run(language, code, variables, tmp_path)
        if done.returncode or not done.stdout.strip():
            wrong.append(f"{code}\n-> {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    assert not wrong, "\n\n".join(wrong)
    assert len(skipped) <= 1


def test_every_resource_has_an_example():
    from inventory.urls import api as inventory
    from predictions.urls import api as predictions

    text = (ROOT / "docs/api.md").read_text()
    shown = re.sub(r"\$\w+|\{\w+\}", "*", text)
    missing = []
    for route in [*inventory, *predictions]:
        address = str(route.pattern)
        if "^" in address:  # a router's expression
            address = address.replace("^", "").replace(r"\Z", "").replace("$", "")
            address = re.sub(r"\(\?P<\w+>(?:\[[^]]*\]|[^)])*\)", "*", address)
            if "format" in address or not address:
                continue
        address = re.sub(r"<[^>]+>", "*", address)
        if address.endswith("raster.tif") and "frames" in address:
            continue
        if address not in shown and address.replace("*", "00") not in shown:
            missing.append(address)
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_documents_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """Names under which the headings of a page can be linked to."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def commands() -> list[str]:
    return sorted(name for name, app in get_commands().items() if app in OURS)


@pytest.mark.parametrize("name", commands())
def test_a_command_explains_itself_and_is_in_the_handbook(name, capsys):
    command = load_command_class(get_commands()[name], name)
    assert command.help.strip(), f"{name} has no help"
    with pytest.raises(SystemExit) as left:
        command.run_from_argv(["manage.py", name, "--help"])
    assert left.value.code == 0
    assert command.help.split()[0] in capsys.readouterr().out
    assert f"`{name}" in (ROOT / "docs/operations.md").read_text()


def test_every_door_explains_itself_and_is_in_the_handbook():
    told = (ROOT / "docs/operations.md").read_text()
    for door in ("up", "down", "test", "lint", "bench", "setup", "services", "start"):
        answer = subprocess.run([ROOT / "bin" / door, "--help"], capture_output=True, text=True)
        assert answer.returncode == 0 and f"bin/{door}" in answer.stdout, door
        assert f"bin/{door}" in told, door


def test_every_setting_is_in_the_handbook():
    settings = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)
    told = (ROOT / "docs/operations.md").read_text()
    assert [name for name in settings if f"`{name}`" not in told] == []


def test_the_parameters_of_runs_are_all_told():
    from dataclasses import fields

    from predictions.params import KINDS, public_name

    told = (ROOT / "docs/api.md").read_text()
    for kind, params in KINDS.items():
        row = re.search(rf"^\| `{kind}` \|(.*)$", told, re.M)
        assert row, kind
        assert [public_name(one) for one in fields(params) if f"`{public_name(one)}`" not in row[1]] == []


def test_the_schema_is_made_without_a_warning(capsys):
    call_command("spectacular", "--validate", "--file", os.devnull)
    said = capsys.readouterr().err
    assert "Error" not in said, said


def test_the_networks_are_told_with_the_counts_of_the_catalogue():
    command = [sys.executable, "-m", "workers.learning.catalog", "--json"]
    listed = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    told = (ROOT / "docs/science.md").read_text()
    rows = {row.split("`")[1]: row for row in re.findall(r"^\| `[a-z0-9-]+`.*$", told, re.M)}
    rows["resunet"] = rows["fusion-unet"]
    counted = [one for one in listed if one["trainable_parameters"] is not None]
    wrong = [one for one in counted if f"{one['trainable_parameters']:,}" not in rows[one["name"]]]
    assert wrong == []
