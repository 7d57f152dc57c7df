"""Ice is found in one scene."""

from __future__ import annotations

from typing import Any

from glacierweb.models import Run
from inventory.models import Scene
from predictions import params
from workers.tasks import mapped, taught


def segment(run: Run) -> dict[str, Any]:
    """Find ice in one scene: probability raster, outlines cut to glaciers, areas."""
    asked = params.read(run.kind, run.params)
    scene = Scene.objects.get(pk=asked.scene)
    version = taught.version_for(asked.version, "segment", scene)
    mask = mapped.mapped(run, scene, version, asked.threshold)
    return {"mask": mask.pk, "version": version.pk}
