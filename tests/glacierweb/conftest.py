"""Places that are given to the platform's tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def data_root(settings, tmp_path) -> Path:
    """An empty DATA_ROOT."""
    settings.DATA_ROOT = (tmp_path / "data").resolve()
    settings.DATA_ROOT.mkdir()
    return settings.DATA_ROOT


@pytest.fixture
def no_redis(settings) -> None:
    """A Redis address at which nobody listens."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
