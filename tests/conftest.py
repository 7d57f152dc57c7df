"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


os.environ |= dict.fromkeys(("SEARCHES_PER_MINUTE", "ITEMS_PER_MINUTE", "TILES_PER_MINUTE", "TRAININGS_PER_DAY"), "0")


@pytest.fixture(autouse=True)
def _nobody_is_counted(settings) -> None:
    """Tests ask more in a minute than any reader; those about throttles set their own limits."""
    settings.READS_PER_MINUTE = dict.fromkeys(settings.READS_PER_MINUTE, 0)
    settings.TRAININGS_PER_DAY = 0


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real outlines, scenes and tables; the test is skipped by name where it is absent."""
    folder = Path(os.environ.get("GLACIERWEB_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "manifest.json").is_file():
        pytest.skip(f"real data collection not found at {folder}; set GLACIERWEB_DATA")
    return folder
