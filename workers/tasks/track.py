"""Chips of the ice are followed through a list of scenes."""

from __future__ import annotations

from typing import Any

from glacierweb.delivery import report
from glacierweb.models import Run
from inventory.models import Scene
from predictions import params
from workers.imagery.grid import Grid
from workers.motion import chip_paths, displacement
from workers.tasks import stored


def track(run: Run) -> dict[str, Any]:
    """Follow chips of the ice through a list of scenes; their paths are the run's result."""
    asked, tell = params.read(run.kind, run.params), report(run)
    rows = Scene.objects.in_bulk(asked.scenes)
    chain = [rows[pk] for pk in asked.scenes]
    days = displacement.days_between([(scene.key, scene.middle) for scene in chain])
    grid, frames = Grid.from_dict(chain[0].grid), []
    ice = stored.ice_near(chain[0], grid)
    for number, scene in enumerate(chain, start=1):
        tell(0.5 * number / len(chain), f"reading scene {number} of {len(chain)}")
        frames.append(displacement.on_ice(stored.stack_of(scene, grid), ice))
    found = chip_paths.follow(frames, days, grid, asked.c, lambda fraction: tell(0.5 + fraction / 2, "following chips"))
    return {"scenes": [scene.key for scene in chain], "days": days, **found, "warnings": chip_paths.warnings(found)}
