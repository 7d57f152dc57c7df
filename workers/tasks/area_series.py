"""One glacier is measured in every scene that its profile accepts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Q

from glacierweb.delivery import report
from glacierweb.models import Run
from inventory.models import Glacier, Scene
from predictions import identity, params
from predictions.models import ModelVersion
from workers.segmentation.radar_series import TooFewScenes
from workers.tasks import lessons, mapped, seasons, smoothed, stored, taught


def area_series(run: Run) -> dict[str, Any]:
    """Map every scene that the profile accepts over one glacier; what is mapped already is taken as it is."""
    asked, tell = params.read(run.kind, run.params), report(run)
    glacier = Glacier.objects.get(glac_id=asked.glacier)
    version = taught.version_for(asked.version, "segment", glacier)
    if version.task == "sar":
        return _radar_series(run, glacier, version, asked)
    series = _series_scenes(glacier, asked)
    accepted = [scene for scene in series if not scene.refusals.get(asked.profile, ["not judged"])]
    if not accepted:
        rules = Counter(r["rule"] for scene in series for r in scene.refusals.get(asked.profile, []))
        raise ValueError(f"no scene of {len(series)} passed the profile {asked.profile}; refused by {dict(rules)}")
    if asked.smoothing != "none":
        smoothed.map_all(run, accepted, version, asked.smoothing, tell)
        return {"glacier": glacier.glac_id, "version": version.pk, "scenes": len(accepted)}
    for number, scene in enumerate(accepted, start=1):
        tell((number - 1) / len(accepted), f"scene {number} of {len(accepted)}: {scene.key}")
        mapped.mapped(run, scene, version, 0.5)
        mapped.snow_and_ice(run, scene)
    status = identity.refresh(glacier, version)
    return {"glacier": glacier.glac_id, "version": version.pk, "scenes": len(accepted), "status": status}


def _radar_series(run: Run, glacier: Glacier, version: ModelVersion, asked: params.AreaSeriesParams) -> dict[str, Any]:
    """Map every radar season over a glacier; one with too few acquisitions is left out, and said."""
    if asked.smoothing != "none":
        raise ValueError("radar seasons are not smoothed in time: a season is one map; ask with smoothing = none")
    found = seasons.over(_over(glacier))
    chosen, left_out = [season for season in found if lessons.within(season.standing.acquired.date(), asked)], []
    for number, season in enumerate(chosen, start=1):
        report(run)((number - 1) / len(chosen), f"radar season {season.year}, {number} of {len(chosen)}")
        try:
            mapped.mapped(run, season.standing, version, 0.5)
        except TooFewScenes as error:
            left_out.append(f"season {season.year} left out: {error}")
    if len(left_out) == len(chosen):
        why = "; ".join(left_out) or "none is stored in the span asked for"
        raise ValueError(f"no radar season of {glacier.glac_id} could be mapped: {why}")
    done = len(chosen) - len(left_out)
    return {"glacier": glacier.glac_id, "version": version.pk, "scenes": done, "warnings": left_out}


def _over(glacier: Glacier) -> Q:
    return Q(footprint__intersects=glacier.domain or glacier.point, simulated=glacier.simulated)


def _series_scenes(glacier: Glacier, asked: params.AreaSeriesParams) -> list[Scene]:
    found = stored.usable(_over(glacier))
    if asked.from_:
        found = found.filter(acquired__date__gte=asked.from_)
    if asked.to:
        found = found.filter(acquired__date__lte=asked.to)
    return list(found)
