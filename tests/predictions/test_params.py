"""The door of every run: what is asked is completed and checked, and every mistake is named."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date

import pytest

from predictions import params
from predictions.training_defaults import DEFAULTS

TRAIN = {"architecture": "random-forest", "data": {"aois": [1]}}


def pointers(kind: str, payload: object) -> list[str]:
    with pytest.raises(params.ParamsError) as caught:
        params.read(kind, payload)
    return [error["pointer"] for error in caught.value.errors]


def test_a_segment_run_is_completed_with_its_defaults():
    assert params.read("segment", {"scene": 7}) == params.SegmentParams(scene=7, version=None, threshold=0.5)


def test_reserved_words_keep_their_public_name():
    read = params.read("area_series", {"glacier": "G007026E45991N", "from": "1985-01-01", "to": "2024-12-31"})
    assert read.from_ == date(1985, 1, 1)
    assert params.to_dict(read)["from"] == "1985-01-01"
    assert "from_" not in params.to_dict(read)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("segment", {"scene": 7, "threshold": 0.4}),
        ("area_series", {"glacier": "G1", "smoothing": "days", "from": "2000-01-01"}),
        ("forecast", {"aoi": 3, "step_months": 6}),
        ("flow", {"first": 1, "second": 2}),
        ("track", {"scenes": [1, 2, 3]}),
        ("train", {**TRAIN, "architecture": "lstm", "start": 4, "data": {"regions": ["11"], "to": "2020-12-31"}}),
        ("evaluate", {"version": 2, "data": {"aois": [1, 2], "sources": ["expert label"]}}),
    ],
)
def test_stored_parameters_read_back_as_they_were(kind, payload):
    read = params.read(kind, payload)
    stored = json.loads(json.dumps(params.to_dict(read)))
    assert params.read(kind, stored) == read


def test_a_recipe_fills_in_what_the_trainer_left_open():
    read = params.read("train", {"architecture": "conv-lstm", "preset": "paper", "data": {"aois": [1]}, "batch": 10})
    assert (read.epochs, read.lr, read.batch, read.split, read.seed) == (35, 1e-4, 10, "purged", 0)
    assert read.task == "forecast"


def test_going_on_from_a_version_has_the_rate_of_fine_tuning():
    asked = {"architecture": "glavitu", "preset": "paper", "data": {"aois": [1]}}
    fine, scratch = (params.read("train", {**asked, "start": start}) for start in (7, "scratch"))
    assert (fine.epochs, fine.lr) == (80, 5e-5)
    assert (scratch.epochs, scratch.lr) == (150, 5e-4)
    assert params.read("train", {**asked, "start": 7, "lr": 1e-3}).lr == 1e-3


def test_a_forest_has_no_epochs():
    assert params.read("train", TRAIN).epochs is None
    assert pointers("train", {**TRAIN, "epochs": 3, "lr": 0.1}) == ["/epochs", "/lr"]


def test_every_mistake_is_named_at_once():
    assert pointers("segment", {"scene": "7", "threshold": 2, "colour": "red"}) == ["/colour", "/scene", "/threshold"]


@pytest.mark.parametrize(
    ("kind", "payload", "pointer"),
    [
        ("paint", {}, "/kind"),
        (None, {}, "/kind"),
        (["train"], {}, "/kind"),
        ("segment", {}, "/scene"),
        ("segment", [], ""),
        ("segment", {"scene": True}, "/scene"),
        ("segment", {"scene": 0}, "/scene"),
        ("segment", {"scene": 1.0}, "/scene"),
        ("segment", {"scene": 1, "threshold": float("nan")}, "/threshold"),
        ("segment", {"scene": 1, "a/b~c": 1}, "/a~1b~0c"),
        ("area_series", {"glacier": "../etc"}, "/glacier"),
        ("area_series", {"glacier": "G1", "from": "2016-02-30"}, "/from"),
        ("area_series", {"glacier": "G1", "from": "20160230"}, "/from"),
        ("area_series", {"glacier": "G1", "from": "2016-01-02", "to": "2016-01-01"}, "/to"),
        ("area_series", {"glacier": "G1", "profile": "sunny"}, "/profile"),
        ("forecast", {"aoi": 1, "step_months": 4}, "/step_months"),
        ("flow", {"first": 1, "second": 1}, "/second"),
        ("track", {"scenes": [1]}, "/scenes"),
        ("track", {"scenes": [1, 1]}, "/scenes"),
        ("train", {"architecture": "random-forest"}, "/data"),
        ("train", {**TRAIN, "data": {}}, "/data"),
        ("train", {**TRAIN, "data": {"aois": [1], "where": 1}}, "/data/where"),
        ("train", {**TRAIN, "data": {"aois": ["x"]}}, "/data/aois"),
        ("train", {**TRAIN, "data": {"regions": ["Alps"]}}, "/data/regions"),
        ("train", {**TRAIN, "data": {"aois": [1], "from": "2020-01-01", "to": "2019-01-01"}}, "/data/to"),
        ("train", {**TRAIN, "preset": "huge"}, "/preset"),
        ("train", {**TRAIN, "split": "purged"}, "/split"),
        ("train", {**TRAIN, "start": "home"}, "/start"),
        ("train", {**TRAIN, "architecture": "oracle"}, "/architecture"),
        ("train", {**TRAIN, "architecture": ["lstm"]}, "/architecture"),
        ("evaluate", {"version": None, "data": {"aois": [1]}}, "/version"),
        ("train", {**TRAIN, "architecture": "sar-3d", "split": "purged"}, "/split"),
        ("train", {**TRAIN, "architecture": "svg-lp", "split": "years"}, "/split"),
        ("train", {**TRAIN, "architecture": "svg-lp", "start": 3}, "/start"),
        ("train", {**TRAIN, "architecture": "sar-convlstm", "start": 3}, "/start"),
    ],
)
def test_bad_parameters_are_refused_by_name(kind, payload, pointer):
    assert pointers(kind, payload) == [pointer]


def test_every_architecture_of_the_catalogue_may_be_asked_for():
    for name in DEFAULTS:
        assert params.read("train", {**TRAIN, "architecture": name}).architecture == name


def test_every_kind_has_its_queue():
    assert {kind: params.queue_of(kind) for kind in params.KINDS} == {
        "segment": "gpu", "area_series": "gpu", "forecast": "gpu", "flow": "gpu", "track": "gpu",
        "train": "train", "evaluate": "gpu",
    }  # fmt: skip


def test_params_need_no_django():
    code = "import sys, predictions.params; assert 'django' not in sys.modules, 'django was imported'"
    subprocess.run([sys.executable, "-c", code], check=True)
