"""Networks that the machine cannot hold are refused before they exist."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from workers.learning import memory
from workers.learning.memory import TooLittleMemory, needed_bytes, require_memory


def test_a_network_that_needs_more_than_sixty_percent_of_memory_is_refused():
    network = nn.Linear(1000, 1000, bias=False)
    assert needed_bytes(network) == 16_000_000
    require_memory(network, free=27_000_000)
    with pytest.raises(TooLittleMemory, match="small"):
        require_memory(network, free=26_000_000)


def test_a_network_too_large_is_refused_before_one_weight_of_it_exists(monkeypatch):
    devices = []

    def build(width):
        network = nn.Linear(width, width)
        devices.append(network.weight.device.type)
        return network

    monkeypatch.setattr(memory, "free_bytes", lambda device: 1_000_000)
    with pytest.raises(TooLittleMemory, match="small"):
        memory.built(build, 1000)
    assert devices == ["meta"]
    torch.manual_seed(4)
    expected = nn.Linear(9, 9).weight
    torch.manual_seed(4)
    assert torch.equal(memory.built(build, 9).weight, expected)


@pytest.mark.parametrize(("limit", "stat", "left"), [
    ("max", "inactive_file 5", []), ("1000", "anon 100\ninactive_file 500", [800]), ("1000", "anon 1", [300]),
])
def test_files_that_the_system_merely_remembers_do_not_count_as_used_memory(tmp_path, limit, stat, left):
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text(f"{stat}\n")
    assert memory._confined(tmp_path) == left
    assert memory._confined(tmp_path / "nowhere") == []
