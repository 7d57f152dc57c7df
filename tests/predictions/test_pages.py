"""Pages of runs and versions, and the admin's verbs: retrain, promote, roll back, cancel."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from glacierweb import runs
from glacierweb.models import Run
from predictions import versions
from predictions.forms import RetrainForm, initial_of
from predictions.models import ModelVersion

CARD = {
    "overall": {"iou": 0.81, "f1": 0.9, "tp": 3},
    "per_group": {"regions": {"2019": {"iou": 0.7}, "2020": {"iou": 0.9, "f1": None}}, "iou_mean": 0.8},
    "area_errors": [0.01, -0.02, None],
    "area_error_median": -0.005,
    "s_m": 0.0011,
    "reliability": {"count": [10, 0], "confidence": [0.75, None], "accuracy": [0.5, None], "ece": 0.25},
    "curves": [{"epoch": 1, "train": 0.5, "validation": 0.6}],
}


@pytest.fixture
def administrator(db, client):
    client.force_login(get_user_model().objects.create_superuser("admin", password="a long password"))
    return client


def text(response) -> str:
    assert response.status_code == 200, response.status_code
    return re.sub(r"\s+", " ", response.content.decode())


def test_nothing_yet_has_a_face(client, db):
    assert "Nothing was asked for yet" in text(client.get("/runs/"))
    assert "No network was trained yet" in text(client.get("/models/"))


def test_the_page_of_a_run_shows_how_far_it_is_and_what_it_says(client, world):
    run = world.running("train", {"architecture": "lstm", "data": {"aois": [1]}}, queue="train")
    runs.advance(run, 0.25, "epoch 3 of 12", {"epoch": 3, "train": 0.1, "validation": 0.2})
    page = text(client.get(f"/runs/{run.pk}/"))
    assert "epoch 3 of 12" in page
    assert 'value="0.2500"' in page
    assert "25 %" in page
    assert "Cancel this run" not in page
    assert f"{run.pk} train" in text(client.get("/runs/"))


def test_a_failed_run_says_why_and_a_done_one_what_it_made(client, world):
    run = world.running()
    runs.fail(run, "no scene passed the profile area")
    assert "no scene passed the profile area" in text(client.get(f"/runs/{run.pk}/"))
    version = world.version()
    done = world.running("train", queue="train")
    runs.finish(done, {"version": version.pk})
    assert f"/models/{version.pk}/" in text(client.get(f"/runs/{done.pk}/"))


def test_pages_carry_no_inline_style_or_script_without_a_nonce(client, world):
    version = versions.promote(world.version(metrics=CARD))
    for path in ("/runs/", f"/runs/{version.trained_by_id}/", "/models/", f"/models/{version.pk}/"):
        page = text(client.get(path))
        assert " style=" not in page
        scripts = re.findall(r"<script[^>]*>", page)
        assert all("nonce=" in script or 'type="application/json"' in script for script in scripts)


def test_only_the_staff_cancels_a_run(client, administrator, world):
    run = world.running()
    client.logout()
    assert client.post(f"/runs/{run.pk}/cancel/").status_code == 403
    client.force_login(get_user_model().objects.get())
    assert "Cancel this run" in text(client.get(f"/runs/{run.pk}/"))
    assert client.post(f"/runs/{run.pk}/cancel/").status_code == 302
    assert Run.objects.get(pk=run.pk).state == "cancelled"


def test_the_card_shows_figures_by_group_intervals_and_the_reliability_diagram(client, world):
    version = versions.promote(world.version(metrics=CARD))
    page = text(client.get(f"/models/{version.pk}/"))
    assert "iou 0.8100 on held-out data" in page
    for figure in ("2019", "0.7000", "0.110 % per year", "median -0.5 %", "2 relative area errors"):
        assert figure in page
    assert 'points="185.0,110.0 "' in page
    assert "scenes" in page


def test_a_version_that_was_not_measured_says_so(client, world):
    page = text(client.get(f"/models/{world.version(metrics={}).pk}/"))
    assert "No iou was measured" in page
    assert "Nothing was measured." in page


def test_a_candidate_is_compared_with_the_active_version_group_by_group(administrator, world):
    versions.promote(world.version(metrics=CARD))
    better = {"overall": {"iou": 0.85}, "per_group": {"regions": {"2019": {"iou": 0.6}, "2021": {"iou": 0.9}}}}
    candidate = world.version(metrics=better)
    page = text(administrator.get(f"/models/{candidate.pk}/"))
    assert "1 won, 1 lost" in page
    assert "2021</th>" in page
    assert "Promote" in page
    admin_page = text(administrator.get(f"/admin/predictions/modelversion/{candidate.pk}/change/"))
    assert "1 won, 1 lost" in admin_page
    assert "Retrain…" in admin_page


def test_promoting_and_rolling_back_in_the_admin(administrator, world):
    first = versions.promote(world.version(metrics={"overall": {"iou": 0.8}}))
    worse = world.version(metrics={"overall": {"iou": 0.5}})
    address = f"/admin/predictions/modelversion/{worse.pk}"
    administrator.post(f"{address}/promote/")
    assert versions.active("segment", "simulated") == first
    assert "The gate objects" in text(administrator.get(f"/models/{worse.pk}/"))
    administrator.post(f"{address}/promote/", {"reason": "new test set"})
    assert versions.active("segment", "simulated") == worse
    assert "new test set" in ModelVersion.objects.get(pk=worse.pk).note
    assert f"Roll back to version {first.pk}" in text(administrator.get(f"/models/{worse.pk}/"))
    administrator.post(f"{address}/roll-back/")
    assert versions.active("segment", "simulated") == first


def test_the_verbs_of_the_admin_need_a_sign_in_and_a_post(client, administrator, world):
    version = world.version()
    assert administrator.get(f"/admin/predictions/modelversion/{version.pk}/promote/").status_code == 405
    client.logout()
    for verb in ("promote", "roll-back"):
        assert client.post(f"/admin/predictions/modelversion/{version.pk}/{verb}/").status_code == 302
    assert versions.active("segment", "simulated") is None


def test_retraining_shows_the_version_s_own_parameters_and_asks_for_a_run(administrator, world):
    aoi = world.aoi()
    run = world.running("train", queue="train")
    run.params = {"architecture": "lstm", "preset": "small", "start": "scratch", "split": "purged", "epochs": 7,
                  "lr": None, "batch": 32, "seed": 3, "data": {"aois": [aoi.pk]}}  # fmt: skip
    run.save()
    version = world.version("forecast", run=run, architecture="lstm")
    path = f"/admin/predictions/modelversion/{version.pk}/retrain/"
    page = text(administrator.get(path))
    assert 'name="epochs" value="7"' in page
    assert 'name="lr" value="0.0005"' in page
    form = {"architecture": "lstm", "preset": "small", "start": str(version.pk), "aois": [aoi.pk], "seed": "4",
            "from": "2013-01-01"}  # fmt: skip
    answer = administrator.post(path, form)
    asked = Run.objects.latest("pk")
    assert answer["Location"] == f"/runs/{asked.pk}/"
    assert (asked.kind, asked.params["start"], asked.params["epochs"], asked.params["seed"]) == (
        "train", version.pk, 40, 4,
    )  # fmt: skip
    assert asked.params["data"]["from"] == "2013-01-01"
    assert asked.asked_by.username == "admin"
    assert administrator.post(path, form)["Location"] == f"/runs/{asked.pk}/"


def test_a_wrong_training_is_refused_at_the_field(administrator, world):
    aoi = world.aoi()
    form = {"architecture": "random-forest", "preset": "small", "start": "scratch", "aois": [aoi.pk], "seed": "0",
            "epochs": "5"}  # fmt: skip
    page = text(administrator.post("/admin/predictions/modelversion/retrain/", form))
    assert "random-forest has none; leave it out" in page
    nowhere = {"architecture": "lstm", "preset": "small", "start": "scratch", "seed": "0"}
    assert "name at least one area of interest" in text(
        administrator.post("/admin/predictions/modelversion/retrain/", nowhere)
    )
    assert not Run.objects.exists()


def test_the_form_has_exactly_the_fields_of_a_training(world):
    shown = set(RetrainForm(initial=initial_of(None)).fields)
    assert shown == {"architecture", "preset", "start", "aois", "regions", "sources", "from", "to", "split",
                     "epochs", "lr", "batch", "seed"}  # fmt: skip


def test_the_admin_lists_versions_masks_forecasts_and_runs(administrator, world):
    world.version()
    for name in ("predictions/modelversion", "predictions/mask", "predictions/forecast", "glacierweb/run"):
        assert administrator.get(f"/admin/{name}/").status_code == 200
    assert administrator.get("/admin/").status_code == 200


def test_staff_without_any_right_of_the_admin_sees_what_it_may_ask_for_and_nothing_more(client, world, staff):
    version = world.version()
    client.force_login(staff)
    for name in ("modelversion", "run", "forecast", "mask"):
        app = "glacierweb" if name == "run" else "predictions"
        assert client.get(f"/admin/{app}/{name}/").status_code == 200
    assert client.get(f"/admin/predictions/modelversion/{version.pk}/change/").status_code == 200
    assert client.get("/admin/inventory/scene/").status_code == 200
    for private in ("auth/user", "authtoken/tokenproxy", "inventory/outline", "inventory/source"):
        assert client.get(f"/admin/{private}/").status_code == 403
    for verb in ("add/", f"{version.pk}/delete/"):
        assert client.get(f"/admin/predictions/modelversion/{verb}").status_code == 403


@pytest.mark.parametrize("verb", ["promote", "roll-back"])
def test_a_verb_of_the_admin_needs_its_token_and_a_post(world, staff, verb):
    address = f"/admin/predictions/modelversion/{world.version().pk}/{verb}/"
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(staff)
    assert careful.post(address).status_code == 403
    assert careful.get(address).status_code == 405
