"""Displacement between two scenes."""

from __future__ import annotations

from typing import Any

import numpy as np

from glacierweb import paths
from glacierweb.delivery import report
from glacierweb.models import Run
from inventory.models import Scene
from predictions import params, results
from workers.imagery import rasters
from workers.motion import displacement
from workers.tasks import stored


def flow(run: Run) -> dict[str, Any]:
    """Displacement between two scenes: of the surface, or of the snow pattern where both are index rasters."""
    asked, tell = params.read(run.kind, run.params), report(run)
    first, second = Scene.objects.get(pk=asked.first), Scene.objects.get(pk=asked.second)
    (days,) = displacement.days_between([(scene.key, scene.middle) for scene in (first, second)])
    one, raster = stored.stack_of(first), paths.scratch(".tif")
    tell(0.2, f"following what moved in {days:.0f} days")
    slope = stored.relief(first, ("slope",)).get("slope")
    found = displacement.between(one, stored.stack_of(second, one.grid), days, stored.ice_near(second, one.grid), slope)
    rasters.write(displacement.as_stack(found, one.grid), raster, encode="float32")
    nmad = found.uncertainty if np.isfinite(found.uncertainty) else None
    kept = results.save_flow(run, first, second, found.label, raster, nmad, found.flags)
    return {"flow": kept.pk, "warnings": displacement.remarks(found, days)}
