"""Runs over REST: asked for, read, cancelled, refused."""

from __future__ import annotations

import pytest
from problem_answers import problem

from glacierweb import runs
from glacierweb.models import Run

API = "/api/v1"


def test_asking_for_work_takes_no_query(signed_in, world):
    found = problem(signed_in.post(f"{API}/runs/?dry=1", {"kind": "segment", "scene": 1}, "application/json"), 400)
    assert "dry" in found["detail"]


def test_anybody_reads_runs_and_only_the_staff_asks_for_one(client, world):
    scene = world.scene()
    assert client.get(f"{API}/runs/").json() == {"count": 0, "next": None, "previous": None, "results": []}
    answer = client.post(f"{API}/runs/", {"kind": "segment", "scene": scene.pk}, "application/json")
    problem(answer, 401)
    assert answer["WWW-Authenticate"] == "Token"
    assert not Run.objects.exists()


def test_a_run_is_accepted_with_its_address(signed_in, world):
    scene = world.scene()
    answer = signed_in.post(f"{API}/runs/", {"kind": "segment", "scene": scene.pk}, "application/json")
    assert answer.status_code == 202
    run = Run.objects.get()
    assert answer["Location"].endswith(f"{API}/runs/{run.pk}/")
    body = answer.json()
    assert body["params"] == {"scene": scene.pk, "version": None, "threshold": 0.5}
    assert (body["state"], body["asked_by"]) == ("queued", "staff")
    assert {"self", "cancel", "page"} <= set(body["links"])


def test_wrong_parameters_are_each_named(signed_in, world):
    asked = {"kind": "segment", "scene": 99, "colour": "red"}
    body = problem(signed_in.post(f"{API}/runs/", asked, "application/json"), 422)
    assert [error["pointer"] for error in body["errors"]] == ["/colour"]
    body = problem(signed_in.post(f"{API}/runs/", {"kind": "segment", "scene": 99}, "application/json"), 422)
    assert "no stored scene 99" in body["detail"]
    assert not Run.objects.exists()


@pytest.mark.parametrize("body", ["[]", "3", '"train"', "null", "{}", '{"kind": ["train"]}'])
def test_a_body_that_is_no_request_for_a_run_is_refused(signed_in, db, body):
    problem(signed_in.post(f"{API}/runs/", body, "application/json"), 422)


def test_a_body_that_is_no_json_is_refused(signed_in, db):
    problem(signed_in.post(f"{API}/runs/", "{", "application/json"), 400)


def test_the_same_run_twice_is_a_conflict_that_names_the_first(signed_in, world):
    asked = {"kind": "segment", "scene": world.scene().pk}
    first = signed_in.post(f"{API}/runs/", asked, "application/json").json()
    answer = signed_in.post(f"{API}/runs/", asked, "application/json")
    assert f"Run {first['id']}" in problem(answer, 409)["detail"]
    assert answer["Location"] == f"{API}/runs/{first['id']}/"


def test_a_run_is_cancelled_once(signed_in, world):
    run = world.running()
    assert signed_in.post(f"{API}/runs/{run.pk}/cancel/").json()["state"] == "cancelled"
    assert "cancelled" in problem(signed_in.post(f"{API}/runs/{run.pk}/cancel/"), 409)["detail"]
    with pytest.raises(runs.Cancelled):
        runs.advance(run, 0.5)


def test_who_asked_is_not_told_to_everybody(client, world, staff):
    run = runs.request("segment", {}, queue="gpu", asked_by=staff)
    assert client.get(f"{API}/runs/{run.pk}/").json()["asked_by"] is None


def test_runs_are_filtered_and_trainings_are_a_list_of_their_own(client, world):
    world.running("train", queue="train")
    runs.cancel(world.running("segment").pk)
    assert client.get(f"{API}/training-runs/").json()["count"] == 1
    assert client.get(f"{API}/runs/?state=live").json()["results"][0]["kind"] == "train"
    assert client.get(f"{API}/runs/?kind=segment&state=cancelled").json()["count"] == 1
    problem(client.get(f"{API}/runs/?state=lost"), 400)
    problem(client.get(f"{API}/runs/?colour=red"), 400)


def test_a_run_shows_curves_log_and_links_to_what_it_made(client, world):
    run = world.running("train", queue="train")
    runs.advance(run, 0.5, "epoch 1 of 2", {"epoch": 1, "train": 0.5, "validation": None})
    version = world.version()
    runs.finish(run, {"version": version.pk})
    body = client.get(f"{API}/runs/{run.pk}/").json()
    assert body["curves"] == [{"epoch": 1, "train": 0.5, "validation": None}]
    assert body["log"] == ["epoch 1 of 2"]
    assert body["links"]["result"].endswith(f"{API}/models/{version.pk}/")
    job = client.get(f"{API}/jobs/{run.pk}/").json()
    assert set(job) == {"state", "progress", "step", "attempt", "error", "warnings", "links"}
