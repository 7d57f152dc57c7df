"""Runs in tests: asked for as the API does, done in this process or by the workers that a test started."""

from __future__ import annotations

from pathlib import Path

from tests_stack import wait_until

from glacierweb import runs
from glacierweb.models import Run
from predictions import requests
from workers import tasks
from workers.imagery.simulate import write_world

RADAR = (2010, 2015, 2020)


def asked(kind: str, **payload) -> Run:
    return requests.request(kind, payload)


def worked(run: Run) -> dict:
    """The result of a run that nobody else takes: its work is done here."""
    run = runs.claim(run.pk, "tester")
    found = tasks.WORK[run.kind](run) or {}
    runs.finish(run, found, found.pop("warnings", None))
    return found


def ended(run: Run, within_s: float) -> Run:
    """The run as the workers leave it, however it ends."""
    wait_until(lambda: Run.objects.get(pk=run.pk).state not in {"queued", "running"}, within_s, f"the end of {run}")
    run.refresh_from_db()
    return run


def radar_world(folder: Path, seed: int, size: int = 96) -> Path:
    """Fifteen radar scenes near each of three outlines, elevation and outlines; the optical scenes are left out."""
    write_world(folder, seed, "easy", (RADAR[0], RADAR[-1]), size, radar_years=RADAR)
    for file in (folder / "scenes").glob("SIM_L*"):
        file.unlink()
    return folder
