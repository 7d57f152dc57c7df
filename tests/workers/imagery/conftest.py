"""What the tests of the imagery share."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.imagery.datafolder import FolderReading, folder


@pytest.fixture(scope="session")
def real_folder(real_data: Path) -> FolderReading:
    """The real data collection, read once."""
    return folder(real_data)
