from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests_stack import running


@pytest.fixture
def stack(transactional_db, settings, tmp_path) -> Iterator:
    """Processes of a whole site, started by the test as it needs them; all are gone afterwards."""
    with running(tmp_path, settings) as found:
        yield found
