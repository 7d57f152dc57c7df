"""What a training hands over."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from workers.learning.training import History
from workers.learning.weights import Learned


@dataclass(frozen=True)
class Trained:
    """A network (or forest) with its recipe, what it reached on data it never saw, and how it got there."""

    learned: Learned
    metrics: dict[str, Any]
    """Plain numbers for JSON: None where something is undefined."""
    history: History


def plain(value: Any) -> Any:
    """Numbers fit for JSON, recursively: NaN and infinities become None, arrays lists, numpy scalars Python's."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
