"""A version becomes active through a gate, one at a time for each task and scope, and rolls back in one step."""

from __future__ import annotations

import pytest

from glacierweb import runs
from predictions import requests, versions
from predictions.models import ModelVersion
from predictions.params import ParamsError


def test_the_second_delivery_of_a_training_registers_one_version(world):
    run = world.running("train", queue="train")
    first = world.version(run=run)
    assert world.version(run=run, weights_sha256="f" * 64).pk == first.pk
    assert ModelVersion.objects.count() == 1


def test_a_worker_that_lost_its_lease_registers_nothing(world):
    run = world.running("train", queue="train")
    run.lease_owner = "somebody else"
    with pytest.raises(runs.LeaseLost):
        world.version(run=run)
    assert not ModelVersion.objects.exists()


def test_the_first_version_is_promoted_and_the_second_waits(world):
    first, second = world.version(), world.version()
    assert versions.promote_if_first(first).state == "active"
    assert versions.promote_if_first(second).state == "candidate"
    assert versions.active("segment", "simulated") == first


def test_each_scope_has_its_own_active_version(world):
    for scope in ("simulated", "vinciguerra"):
        versions.promote_if_first(world.version(scope=scope))
    assert versions.active("segment", "vinciguerra").scope == "vinciguerra"
    assert ModelVersion.objects.filter(state="active").count() == 2


def test_a_version_without_figures_is_not_promoted(world):
    with pytest.raises(versions.Refused, match="no iou measured"):
        versions.promote(world.version(metrics={}))
    with pytest.raises(versions.Refused, match="no iou measured"):
        versions.promote(world.version(metrics={"overall": {"iou": float("nan")}, "groups": {}}))


def test_the_gate_refuses_a_clearly_worse_version_and_lets_a_slightly_worse_one_through(world):
    active = versions.promote(world.version(metrics={"overall": {"iou": 0.80}}))
    worse = world.version(metrics={"overall": {"iou": 0.70}})
    with pytest.raises(versions.Refused, match=r"iou 0\.7 of version"):
        versions.promote(worse)
    assert versions.active("segment", "simulated") == active
    slightly = versions.promote(world.version(metrics={"overall": {"iou": 0.79}}))
    assert versions.active("segment", "simulated") == slightly


def test_a_lower_error_wins_where_lower_is_better(world):
    versions.promote(world.version("forecast", metrics={"overall": {"mse": 0.010}}))
    with pytest.raises(versions.Refused, match="mse"):
        versions.promote(world.version("forecast", metrics={"overall": {"mse": 0.012}}))
    versions.promote(world.version("forecast", metrics={"overall": {"mse": 0.008}}))


def test_a_forced_promotion_needs_a_reason_and_keeps_it(world, staff):
    versions.promote(world.version(metrics={"overall": {"iou": 0.8}}))
    worse = world.version(metrics={"overall": {"iou": 0.5}})
    with pytest.raises(versions.Refused):
        versions.promote(worse, staff, force=True, reason="  ")
    note = versions.promote(worse, staff, force=True, reason="the test set was wrong").note
    assert "staff" in note
    assert "the test set was wrong" in note


def test_rolling_back_returns_step_by_step(world):
    first, second, third = (versions.promote(world.version()) for _ in range(3))
    assert versions.roll_back(third) == second
    assert versions.roll_back(second) == first
    with pytest.raises(versions.Refused, match="no version"):
        versions.roll_back(first)
    third.refresh_from_db()
    assert third.state == "retired"


def test_a_second_click_on_roll_back_goes_back_once(world):
    _, second, third = (versions.promote(world.version()) for _ in range(3))
    versions.roll_back(third)
    with pytest.raises(versions.Refused, match="retired"):
        versions.roll_back(third)
    assert versions.active("segment", "simulated") == second


def test_what_was_measured_outside_of_the_scope_is_no_headline(world):
    real = world.aoi("Vinciguerra", simulated=False)
    version = world.version(scope="vinciguerra", simulated=False, metrics={})
    elsewhere = world.aoi("Hochalm", simulated=False, west=13.0)
    found = {"overall": {"iou": 0.9}, "data": {"aois": [elsewhere.pk], "regions": []}}
    versions.keep_evaluation(world.running("evaluate"), version, found)
    version.refresh_from_db()
    assert versions.headline(version) is None
    assert len(version.metrics["evaluations"]) == 1
    versions.keep_evaluation(world.running("evaluate"), version, found | {"data": {"aois": [real.pk], "regions": []}})
    version.refresh_from_db()
    assert versions.headline(version) == 0.9


def test_promoting_the_active_version_changes_nothing(world):
    active = versions.promote(world.version())
    assert versions.promote(active).promoted == active.promoted


def test_simulated_places_and_real_ones_do_not_share_versions(world):
    simulated = versions.promote(world.version(scope="simulated"))
    real = world.aoi("Vinciguerra", simulated=False)
    assert versions.active_at("segment", world.glacier()) == simulated
    assert versions.active_at("segment", real) is None
    general = versions.promote(world.version(scope="general", simulated=False))
    assert versions.active_at("segment", real) == general
    own = versions.promote(world.version(scope="vinciguerra", simulated=False))
    assert versions.active_at("segment", real) == own
    assert versions.active_at("segment", world.scene(simulated=False)) == own


def test_the_scope_of_a_version_is_where_it_learned(world):
    region = world.region()
    alps = [
        world.aoi(f"Alps {n}", False, world.glacier(f"G{n}", simulated=False, region=region), west=10.0 + n)
        for n in range(2)
    ]
    assert versions.scope_of([world.aoi("a")]) == "simulated"
    assert versions.scope_of(alps[:1]) == "alps-0"
    assert versions.scope_of(alps) == "region-11"
    assert versions.scope_of([*alps, world.aoi("b", simulated=False)]) == "general"
    assert versions.scope_of([], ["16"]) == "region-16"


def test_the_same_work_is_not_queued_twice(world):
    scene = world.scene()
    run = requests.request("segment", {"scene": scene.pk})
    with pytest.raises(requests.AlreadyGoing) as caught:
        requests.request("segment", {"scene": scene.pk, "threshold": 0.5})
    assert caught.value.run == run
    runs.cancel(run.pk)
    assert requests.request("segment", {"scene": scene.pk}).pk != run.pk


def test_a_run_about_rows_that_do_not_exist_is_refused_by_name(world):
    pending = world.scene(state="found")
    with pytest.raises(ParamsError) as caught:
        requests.request("segment", {"scene": pending.pk, "version": 999})
    assert {error["pointer"] for error in caught.value.errors} == {"/scene", "/version"}
    with pytest.raises(ParamsError) as caught:
        versions.request_training({"architecture": "lstm", "start": 5, "data": {"aois": [world.aoi().pk, 77]}})
    assert {error["pointer"] for error in caught.value.errors} == {"/start", "/data/aois/1"}


def test_a_forecast_does_not_take_a_version_that_draws_outlines(world):
    version = world.version("segment")
    with pytest.raises(ParamsError) as caught:
        requests.request("forecast", {"aoi": world.aoi().pk, "version": version.pk})
    assert caught.value.errors[0]["pointer"] == "/version"
