"""Chips of the ice are followed through a list of scenes."""

from __future__ import annotations

from typing import Any

from glacierweb import paths
from glacierweb.delivery import report
from glacierweb.models import Run
from inventory.models import Scene
from predictions import params
from predictions.models import ModelVersion
from workers.imagery import rasters
from workers.imagery.grid import Grid
from workers.motion import chip_futures, chip_paths, displacement
from workers.tasks import stored, taught


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
    if asked.version:
        guessed = _predicted(run, chain, asked.version, asked.c)  # refused before the long work, if it must be
    found = chip_paths.follow(frames, days, grid, asked.c, lambda fraction: tell(0.5 + fraction / 2, "following chips"))
    more = {"predicted": guessed} if asked.version else {}
    named = {"scenes": [scene.key for scene in chain], "days": days}
    return {**named, **found, **more, "warnings": chip_paths.warnings(found)}


def _predicted(run: Run, chain: list[Scene], version_pk: int, search: float) -> dict[str, Any]:
    """What a video version says comes after the first scenes; its frames are kept as a raster."""
    version, grid = ModelVersion.objects.get(pk=version_pk), Grid.from_dict(chain[0].grid)
    network = taught.load(version).network
    stacks = [stored.stack_of(scene, grid) for scene in chain[: network.config.frames]]
    band = displacement.followed_band(stacks[0], stacks[-1])
    found, frames = chip_futures.futures(
        stacks, band, network, search, report=lambda done: report(run)(0.1 + 0.4 * done, "predicting chips")
    )
    raster = paths.scratch(".tif")
    rasters.write(frames, raster, encode="float32")
    return {"version": version.pk, **found, "raster_sha256": paths.adopt(raster, "chips", ".tif")}
