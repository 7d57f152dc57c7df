"""The state of a glacier: active, a candidate for extinct, or gone by the word of a source."""

from __future__ import annotations

from inventory.models import Glacier

ACTIVE, EXTINCT_CANDIDATE, GONE = "active", "extinct_candidate", "gone"


def keep_status(glacier: Glacier, status: str) -> bool:
    """Write down what a measured series says of a glacier; False where a source knows that it is gone already."""
    return bool(Glacier.objects.filter(pk=glacier.pk).exclude(status=GONE).update(status=status))
