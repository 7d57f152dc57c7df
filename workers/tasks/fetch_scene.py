"""One scene is read onto its work grid, masked, measured and kept as a COG; an expert's mask becomes an outline."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from django.conf import settings

from glacierweb import paths, runs
from glacierweb.delivery import report
from glacierweb.models import Run
from inventory import outlines, scenes
from inventory.models import Scene, Source
from inventory.records import When
from workers.imagery import rasters, stac
from workers.imagery.filters import PROFILES, flags, judge
from workers.imagery.found import FoundScene
from workers.imagery.grid import Grid
from workers.imagery.prepare import Prepared, prepare
from workers.imagery.rasters import Stack
from workers.segmentation import outlines as tracing
from workers.tasks.refusals import REFUSALS

EXPERT = "expert label"


def fetch_scene(run: Run) -> dict[str, Any]:
    """Read one scene onto its work grid, mask and measure it, keep it as a COG; an expert's mask becomes an outline."""
    scene = scenes.claim(run.params["scene"])
    if scene is None:
        return {}
    found = FoundScene.from_dict(scene.item["found"])
    grid = Grid.from_dict(scene.item["grid"])
    report(run)(0.1, f"reading {scene.key}")
    try:
        with tempfile.TemporaryDirectory(dir=paths.scratch_folder()) as folder:
            prepared = prepare(stac.fetch(found, Path(folder), settings.STAC_CATALOGUES), grid)
        rasters.write(prepared.stack, paths.data_path(scene.raster), **_encoding(scene))
    except REFUSALS as error:
        scenes.mark_failed(scene, str(error))
        raise
    facts, refusals = _judged(found, prepared, grid.centre[1])
    with runs.fenced(run):
        scenes.mark_stored(
            scene, grid=grid.to_dict(), bands=list(prepared.stack.bands), facts=facts, refusals=refusals,
            missing_fraction=prepared.facts.nodata_fraction + prepared.facts.zero_fraction,
        )  # fmt: skip
        if scene.kind == "label":
            _keep_expert_outline(scene, prepared.stack)
    return {"scene": scene.pk}


def _judged(found: FoundScene, prepared: Prepared, latitude: float) -> tuple[dict[str, Any], dict[str, list]]:
    """What was measured with its remarks, and the verdict of each filter profile; no rule on clouds judges radar."""
    meta, facts = found.meta(), prepared.facts
    if found.kind == "sar":
        return facts.to_dict() | {"flags": ["day_unknown"] if found.date_precision != "day" else []}, {}
    refusals = {name: [r._asdict() for r in judge(name, meta, facts, latitude)] for name in PROFILES}
    return facts.to_dict() | {"flags": flags(meta, facts)}, refusals


def _encoding(scene: Scene) -> dict[str, Any]:
    return {"dem": {"encode": "float32"}, "ndsi": {"encode": "ndsi"}, "label": {"encode": "uint8"}}.get(scene.kind, {})


def _keep_expert_outline(scene: Scene, stack: Stack) -> None:
    label = np.nan_to_num(stack.pixels[0]) >= 0.5
    traced = tracing.trace(label, stack.grid)
    if not traced:
        return
    source, _ = Source.objects.get_or_create(
        name=f"{EXPERT}: {scene.collection}",
        defaults={"kind": EXPERT, "licence": "none stated; ask the author before publishing the labels"},
    )
    end = scene.acquired_end.date() if scene.acquired_end else None
    outlines.record(
        shapely.union_all([piece.geometry for piece in traced]),
        When(scene.acquired.date(), end, "year" if scene.date_precision == "year" else "day"),
        source=source,
        name=FoundScene.from_dict(scene.item["found"]).place,
        analyst="expert who labelled the scenes",
        method=f"hand-drawn mask {scene.key}, vectorised along pixel edges",
        anlys_id=scene.key,
    )
