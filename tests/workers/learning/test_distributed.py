"""Several processes under torchrun teach one network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

PROGRAM = """
import json, os, sys
from pathlib import Path
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
said = {"weight": network.weight.item(), "bias": network.bias.item(), "first_batch": seen[0]}
Path(sys.argv[1], os.environ["RANK"]).write_text(json.dumps(said))
"""


def test_two_processes_share_the_samples_and_end_with_the_same_weights(tmp_path):
    program = tmp_path / "teach.py"
    program.write_text(PROGRAM)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(program)]
    # Each process answers in a file of its own: two that print into one pipe mix their lines.
    subprocess.run([*command, str(tmp_path)], check=True, cwd=ROOT, timeout=300,
                   env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"})
    one, other = (json.loads((tmp_path / rank).read_text()) for rank in "01")
    assert (one["weight"], one["bias"]) == (other["weight"], other["bias"])
    assert abs(one["weight"] - 2) < 0.2
    assert not set(one["first_batch"]) & set(other["first_batch"])
