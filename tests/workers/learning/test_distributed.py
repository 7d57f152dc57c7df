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


INTERRUPTED = PROGRAM[:PROGRAM.index("seen = []")] + """
import itertools
from workers.learning.training import Stopped

def dropping():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Dropout(0.4), nn.Linear(16, 1))

seen, folder = [], Path(sys.argv[1], "checkpoint")
settings = TrainSettings(epochs=6, batch=6, lr=0.05, patience=None)
whole, _ = fit(dropping(), Points(), Points(), loss, settings)
calls = itertools.count(1)
try:
    fit(dropping(), Points(), Points(), loss, settings, checkpoint=folder, stop=lambda: next(calls) >= 5)
except Stopped:
    pass
torch.distributed.barrier()
torch.rand(7)
resumed, _ = fit(dropping(), Points(), Points(), loss, settings, checkpoint=folder)
same = all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True))
try:
    fit(nn.Linear(1, 1), type("One", (Points,), {"__len__": lambda self: 1})(), None, loss, settings)
except ValueError as error:
    refused = str(error)
said = {"same": same, "refused": refused, "steps": next(calls) - 1}
Path(sys.argv[1], os.environ["RANK"]).write_text(json.dumps(said))
"""


def launched(tmp_path: Path, text: str) -> list[dict]:
    """What each of two processes said. Each has a file of its own: two that print into one pipe mix their lines."""
    program = tmp_path / "teach.py"
    program.write_text(text)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(program)]
    subprocess.run([*command, str(tmp_path)], check=True, cwd=ROOT, timeout=300,
                   env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"})
    return [json.loads((tmp_path / rank).read_text()) for rank in "01"]


def test_an_interrupted_training_of_two_processes_ends_bit_for_bit_like_one_that_was_not(tmp_path):
    """With dropout: each process draws its own masks, and draws them again after the interruption."""
    for said in launched(tmp_path, INTERRUPTED):
        assert said == {"same": True, "steps": 5,
                        "refused": "1 samples cannot be shared out between 2 processes"}


def test_two_processes_share_the_samples_and_end_with_the_same_weights(tmp_path):
    one, other = launched(tmp_path, PROGRAM)
    assert (one["weight"], one["bias"]) == (other["weight"], other["bias"])
    assert abs(one["weight"] - 2) < 0.2
    assert not set(one["first_batch"]) & set(other["first_batch"])
