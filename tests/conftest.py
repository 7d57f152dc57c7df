"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real outlines, scenes and tables; the test is skipped by name where it is absent."""
    folder = Path(os.environ.get("GLACIERWEB_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "manifest.json").is_file():
        pytest.skip(f"real data collection not found at {folder}; set GLACIERWEB_DATA")
    return folder
