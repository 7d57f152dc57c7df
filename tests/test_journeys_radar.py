"""From a folder of radar scenes to predicted outlines, by real workers on a real database."""

from __future__ import annotations

from pathlib import Path

import pytest
from asked_runs import asked, ended, radar_world
from django.core.management import call_command
from tests_stack import running

from glacierweb.models import Run
from inventory.models import AreaOfInterest, Glacier, Scene
from predictions.models import Mask, ModelVersion, PredictedOutline


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    return radar_world(tmp_path_factory.mktemp("journey") / "world", seed=31)


@pytest.fixture
def site(transactional_db, settings, tmp_path):
    with running(tmp_path, settings) as stack:
        stack.start("redis", "sweeper", "worker-io", "worker-gpu", "worker-train")
        yield stack


def test_from_a_folder_of_radar_scenes_to_outlines_of_a_season(site, world):
    call_command("add_data", str(world), wait=True)
    area, glacier = AreaOfInterest.objects.get(), Glacier.objects.get()
    stored = Scene.objects.filter(kind="sar", state="stored")
    assert stored.count() == 45 and not Scene.objects.filter(state="failed").exists()

    taught = ended(asked("train", architecture="sar-3d", data={"aois": [area.pk]}, epochs=2, seed=1), 300)
    assert taught.state == Run.State.DONE, taught.error
    version = ModelVersion.objects.get(trained_by=taught)
    assert (version.task, version.state) == ("sar", "active")
    assert 0 < version.metrics["overall"]["iou"] <= 1 and len(taught.curves) == 2

    mapped = ended(asked("segment", scene=stored.filter(acquired__year=2020).first().pk), 120)
    assert mapped.state == Run.State.DONE, mapped.error
    mask = Mask.objects.get(pk=mapped.result["mask"])
    assert (mask.scene.acquired.year, mask.version) == (2020, version)
    assert PredictedOutline.objects.filter(mask=mask, glacier=glacier).exists()
    assert mapped.warnings and "kept under" in mapped.warnings[0]

    refused = ended(asked("train", architecture="sar-convlstm", data={"aois": [area.pk], "to": "2012-01-01"}), 120)
    assert refused.state == Run.State.FAILED
    assert "outlines of at least 3 different years" in refused.error and "2010" in refused.error
