"""From a folder of radar scenes to predicted outlines, by real workers on a real database."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from tests_stack import running, wait_until

from glacierweb.models import Run
from inventory.models import AreaOfInterest, Glacier, Scene
from predictions import requests
from predictions.models import Mask, ModelVersion, PredictedOutline
from workers.imagery.simulate import write_world

SEED, SIZE, YEARS = 31, 96, (2010, 2020)
RADAR = (2010, 2015, 2020)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """Radar scenes near each of three outlines, elevation and outlines; the optical scenes are left out."""
    folder = tmp_path_factory.mktemp("journey") / "world"
    write_world(folder, SEED, "easy", YEARS, SIZE, radar_years=RADAR)
    for file in (folder / "scenes").glob("SIM_L*"):
        file.unlink()
    return folder


@pytest.fixture
def site(transactional_db, settings, tmp_path):
    with running(tmp_path, settings) as stack:
        stack.start("redis", "sweeper", "worker-io", "worker-gpu", "worker-train")
        yield stack


def ended(kind: str, within_s: float, **payload) -> Run:
    run = requests.request(kind, payload)
    wait_until(lambda: Run.objects.get(pk=run.pk).state not in {"queued", "running"}, within_s, f"the end of {run}")
    run.refresh_from_db()
    return run


def test_from_a_folder_of_radar_scenes_to_outlines_of_a_season(site, world):
    call_command("add_data", str(world), wait=True)
    area, glacier = AreaOfInterest.objects.get(), Glacier.objects.get()
    stored = Scene.objects.filter(kind="sar", state="stored")
    assert stored.count() == 45 and not Scene.objects.filter(state="failed").exists()

    taught = ended("train", 300, architecture="sar-3d", data={"aois": [area.pk]}, epochs=2, seed=1)
    assert taught.state == Run.State.DONE, taught.error
    version = ModelVersion.objects.get(trained_by=taught)
    assert (version.task, version.state) == ("sar", "active")
    assert 0 < version.metrics["overall"]["iou"] <= 1 and len(taught.curves) == 2

    mapped = ended("segment", 120, scene=stored.filter(acquired__year=2020).first().pk)
    assert mapped.state == Run.State.DONE, mapped.error
    mask = Mask.objects.get(pk=mapped.result["mask"])
    assert (mask.scene.acquired.year, mask.version) == (2020, version)
    assert PredictedOutline.objects.filter(mask=mask, glacier=glacier).exists()
    assert mapped.warnings and "kept under" in mapped.warnings[0]

    refused = ended("train", 120, architecture="sar-convlstm", data={"aois": [area.pk], "to": "2012-01-01"})
    assert refused.state == Run.State.FAILED
    assert "outlines of at least 3 different years" in refused.error and "2010" in refused.error
