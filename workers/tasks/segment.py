"""Ice is found in one scene."""

from __future__ import annotations

from typing import Any

from glacierweb.delivery import report
from glacierweb.models import Run
from inventory.models import Scene
from predictions import params
from workers.tasks import mapped, seasons, taught


def segment(run: Run) -> dict[str, Any]:
    """Find ice in one scene: probability raster, outlines cut to glaciers, areas. A radar scene stands for its season:
    one map is made of all acquisitions, and kept under the scene nearest the end of the melt."""
    asked = params.read(run.kind, run.params)
    scene = Scene.objects.get(pk=asked.scene)
    if scene.kind == "sar":
        return _season(run, scene, asked)
    version = taught.version_for(asked.version, "segment", scene)
    mask = mapped.mapped(run, scene, version, asked.threshold)
    return {"mask": mask.pk, "version": version.pk}


def _season(run: Run, scene: Scene, asked: params.SegmentParams) -> dict[str, Any]:
    version = taught.version_for(asked.version, "sar", scene)
    season = seasons.of(scene)
    report(run)(0.1, f"{len(season.scenes)} radar scenes of {season.year}")
    mask = mapped.mapped(run, season.standing, version, asked.threshold)
    told = f"the map of season {season.year}, of {len(season.scenes)} radar scenes, is kept under {season.standing.key}"
    return {"mask": mask.pk, "version": version.pk, "season": season.year, "scene": season.standing.pk,
            "warnings": [told] if scene != season.standing else []}  # fmt: skip
