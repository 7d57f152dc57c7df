"""The catalogue: every architecture by name, with the parameter counts of the specification."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from workers.learning import catalog
from workers.learning.memory import needed_bytes

COUNTS = {
    ("fusion-unet", "paper"): 32_593_922, ("fusion-unet", "small"): 515_842, ("resunet", "paper"): 32_593_922,
    ("setr", "paper"): 101_740_546, ("glavitu", "paper"): 10_046_276,
    ("resnet50-unet", "paper"): 85_763_266, ("resnet50-unet", "small"): 4_411_426,
    ("sar-3d", "paper"): 4_356_482, ("sar-3d", "small"): 273_506,
    ("sar-convlstm", "paper"): 1_456_034, ("sar-convlstm", "small"): 91_562,
    ("lstm", "paper"): 300_165_000, ("lstm", "small"): 5_137_600,
    ("conv-lstm", "paper"): 842_233, ("conv-lstm", "wide"): 1_554_593, ("conv-lstm", "small"): 60_841,
    ("unet", "paper"): 31_036_481, ("unet", "small"): 1_942_289,
    ("sa-lstm-h", "paper"): 200_095_000, ("sa-lstm-h", "small"): 3_850_800, ("svg-lp", "paper"): 23_626_753,
}
NETWORKS = [name for name, row in catalog.ARCHITECTURES.items() if row.fit is None]


@pytest.mark.parametrize(("name", "preset"), COUNTS)
def test_the_parameter_count_is_that_of_the_specification(name, preset):
    assert catalog.trainable_parameters(*catalog.preset(name, preset)) == COUNTS[name, preset]


@pytest.mark.parametrize("name", ["setr", "glavitu", "svg-lp"])
def test_small_presets_that_are_free_stay_below_five_million(name):
    assert catalog.trainable_parameters(*catalog.preset(name, "small")) <= 5_000_000


def test_the_command_line_prints_every_preset_as_json():
    printed = subprocess.run([sys.executable, "-m", "workers.learning.catalog", "--json"], check=True,
                             capture_output=True, text=True).stdout
    rows = {(row["name"], row["preset"]): row for row in json.loads(printed)}
    assert rows["random-forest", "small"]["trainable_parameters"] is None
    assert {key: rows[key]["trainable_parameters"] for key in COUNTS} == COUNTS
    assert all(set(row) == {"name", "preset", "task", "inputs", "trainable_parameters"} for row in rows.values())


@pytest.mark.parametrize("name", NETWORKS)
def test_every_small_network_answers_the_trial_input_with_finite_numbers(name):
    row, config = catalog.preset(name, "small")
    torch.manual_seed(0)
    network = row.build(config)
    output = row.trial(network)
    assert np.isfinite(output).all() and np.array_equal(output, row.trial(network))


def test_paper_presets_need_the_memory_that_the_specification_names():
    for name, gigabytes in (("lstm", 5), ("sa-lstm-h", 3)):
        row, config = catalog.preset(name, "paper")
        with torch.device("meta"):
            assert needed_bytes(row.build(config)) / 1e9 == pytest.approx(gigabytes, rel=0.1)


def test_an_unknown_name_is_answered_with_the_names_there_are():
    with pytest.raises(ValueError, match="random-forest"):
        catalog.preset("u-net-plus", "small")
    with pytest.raises(ValueError, match="paper, small"):
        catalog.preset("setr", "tiny")
