"""The walls of docs/architecture.md."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"glacierweb", "inventory", "predictions", "workers"}
MAY_IMPORT = {
    "glacierweb": set(),
    "inventory": {"glacierweb"},
    "predictions": {"glacierweb", "inventory"},
}
WEB_LIBRARIES = {"django", "celery", "rest_framework", "glacierweb", "inventory", "predictions"}
MEASURING = ("st_area", "st_length", "st_buffer", "area(", ".length(")
FLOORS = {"imagery": 0, "layers": 0, "segmentation": 1, "forecasting": 1, "motion": 1, "learning": 2}


def files(folder: str) -> list[Path]:
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in path.parts]


def imports(path: Path) -> set[str]:
    """Dotted names of what a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                package = path.relative_to(ROOT).with_suffix("").parts[: -node.level]
                found.add(".".join([*package, node.module or ""]).rstrip("."))
            else:
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def crossings(folder: str, allowed: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(folder)
        for name in imports(path)
        if (top := name.split(".")[0]) in OURS - {folder} and top not in allowed
    ]


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_the_web_half_imports_only_downwards(folder):
    assert crossings(folder, MAY_IMPORT[folder]) == []


def test_the_science_half_knows_no_web():
    door = ROOT / "workers/tasks"
    strangers = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files("workers")
        if door not in path.parents and path != ROOT / "workers/apps.py" and "management" not in path.parts
        for name in imports(path)
        if name.split(".")[0] in WEB_LIBRARIES
    ]
    assert strangers == []


def test_nothing_imports_the_door():
    guests = [
        f"{path.relative_to(ROOT)} imports {name}"
        for folder in sorted(OURS)
        for path in files(folder)
        if ROOT / "workers/tasks" not in path.parents
        for name in imports(path)
        if name == "workers.tasks" or name.startswith("workers.tasks.")
    ]
    assert guests == []


def test_every_kind_of_run_has_its_own_file_behind_the_door():
    from django.conf import settings

    kinds = {path.stem for path in files("workers/tasks") if f"def {path.stem}(run: Run)" in path.read_text()}
    assert kinds == set(settings.RUN_KINDS)


def floor_of(name: str) -> tuple[str, int] | None:
    parts = name.split(".")
    if parts[0] != "workers" or len(parts) < 2 or parts[1] not in FLOORS:
        return None
    return parts[1], FLOORS[parts[1]]


def test_inside_the_workers_no_arrow_points_back():
    wrong = []
    for path in files("workers"):
        here = floor_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        if here is None:
            continue
        for name in imports(path):
            there = floor_of(name)
            if there and there[0] != here[0] and there[1] >= here[1] and not (here[1] == there[1] == 0):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_the_simulator_shares_nothing_with_the_pipeline_but_the_grid():
    inside = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files("workers/imagery/simulate")
        for name in imports(path)
        if name.startswith("workers.") and not name.startswith(("workers.imagery.grid", "workers.imagery.simulate"))
    ]
    outside = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files("workers")
        if "simulate" not in str(path)
        for name in imports(path)
        if name.startswith("workers.imagery.simulate")
    ]
    assert inside + outside == []


@pytest.mark.parametrize(
    ("model", "home"),
    [("Run", "glacierweb/runs.py"), ("Scene", "inventory/scenes.py"), ("ModelVersion", "predictions/versions.py")],
)
def test_a_state_is_written_in_one_file(model, home):
    """`update(state=...)` and `.state = ...` stand in the home of the model's verbs only."""
    homes = {"glacierweb/runs.py", "inventory/scenes.py", "predictions/versions.py"}
    writers = set()
    for folder in sorted(OURS):
        for path in files(folder):
            relative = str(path.relative_to(ROOT))
            if relative in homes and relative != home:
                continue
            if _writes_state(path, model, relative == home):
                writers.add(relative)
    assert writers == {home}


def _writes_state(path: Path, model: str, at_home: bool) -> bool:
    text = path.read_text()
    if not at_home and model not in text:
        return False
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            written = {keyword.arg for keyword in node.keywords}
            if node.func.attr == "update" and "state" in written:
                return True
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr == "state" and not at_home:
                    return True
    return False


def test_the_web_process_never_loads_the_networks():
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'glacierweb.settings';"
        "import glacierweb.wsgi; from django.urls import get_resolver; get_resolver().url_patterns;"
        "print([name for name in ('torch', 'sklearn', 'cv2', 'workers.tasks') if name in sys.modules])"
    )
    environment = {**os.environ, "SECRET_KEY": "x" * 50}
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "[]"


def test_no_area_or_length_is_computed_in_web_mercator():
    guilty = []
    for path in [*files("inventory"), *files("predictions"), *files("workers"), *(ROOT / "static/js").rglob("*.js")]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            lower = line.lower()
            if "3857" in line and any(word in lower for word in MEASURING):
                guilty.append(f"{path.relative_to(ROOT)}:{number}")
    assert guilty == []


def test_no_module_is_named_after_nothing():
    vague = {"utils", "util", "helpers", "helper", "common", "core", "services", "base", "misc"}
    named = [str(path.relative_to(ROOT)) for folder in OURS for path in files(folder) if path.stem in vague]
    assert named == []
