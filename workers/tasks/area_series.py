"""One glacier is measured in every scene that its profile accepts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Q

from glacierweb.delivery import report
from glacierweb.models import Run
from inventory.models import Glacier, Scene
from predictions import params
from workers.tasks import mapped, stored, taught


def area_series(run: Run) -> dict[str, Any]:
    """Map every scene that the profile accepts over one glacier; what is mapped already is taken as it is."""
    asked, tell = params.read(run.kind, run.params), report(run)
    glacier = Glacier.objects.get(glac_id=asked.glacier)
    version = taught.version_for(asked.version, "segment", glacier)
    series = _series_scenes(glacier, asked)
    accepted = [scene for scene in series if not scene.refusals.get(asked.profile, ["not judged"])]
    if not accepted:
        rules = Counter(r["rule"] for scene in series for r in scene.refusals.get(asked.profile, []))
        raise ValueError(f"no scene of {len(series)} passed the profile {asked.profile}; refused by {dict(rules)}")
    for number, scene in enumerate(accepted, start=1):
        tell((number - 1) / len(accepted), f"scene {number} of {len(accepted)}: {scene.key}")
        mapped.mapped(run, scene, version, 0.5)
        mapped.snow_and_ice(run, scene)
    return {"glacier": glacier.glac_id, "version": version.pk, "scenes": len(accepted)}


def _series_scenes(glacier: Glacier, asked: params.AreaSeriesParams) -> list[Scene]:
    found = stored.usable(Q(footprint__intersects=glacier.domain or glacier.point))
    if asked.from_:
        found = found.filter(acquired__date__gte=asked.from_)
    if asked.to:
        found = found.filter(acquired__date__lte=asked.to)
    return list(found)
