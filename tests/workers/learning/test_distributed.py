"""Several processes under torchrun teach one network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import os, sys
import torch
from torch import nn
from workers.learning.training import TrainSettings, fit

class Points:
    x = torch.linspace(-1, 1, 24)[:, None]
    def __len__(self):
        return 24
    def batch(self, indices, rng):
        if rng is not None:
            seen.append(sorted(indices.tolist()))
        return self.x[indices], 2 * self.x[indices] - 1

def loss(network, batch, teacher_forcing=0.0):
    return (network(batch[0]) - batch[1]).square().mean()

seen = []
torch.manual_seed(0)
settings = TrainSettings(epochs=60, batch=6, lr=0.1, patience=None)
network, history = fit(nn.Linear(1, 1), Points(), Points(), loss, settings)
print(os.environ["RANK"], network.weight.item().hex(), network.bias.item().hex(), seen[0], flush=True)
"""


def test_two_processes_share_the_samples_and_end_with_the_same_weights(tmp_path):
    program = tmp_path / "teach.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(program)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, timeout=300,
                             env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}).stdout
    lines = sorted(line.split(maxsplit=3) for line in printed.splitlines() if line[:2] in ("0 ", "1 "))
    (_, weight, bias, first), (_, weight_2, bias_2, other) = lines
    assert (weight, bias) == (weight_2, bias_2)
    assert abs(float.fromhex(weight) - 2) < 0.2
    assert not set(eval(first)) & set(eval(other))
