"""Ice found in one scene: probability, outlines cut to glaciers and areas, written down once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from glacierweb import paths
from glacierweb.models import Run
from inventory.models import Scene
from predictions import results
from predictions.models import Mask, ModelVersion
from workers.imagery import bands, rasters
from workers.imagery.grid import Grid
from workers.imagery.rasters import Stack
from workers.learning import truth
from workers.segmentation.intervals import ErrorModel
from workers.segmentation.observation import Observation, area_error, observe
from workers.segmentation.segment import segment_stack
from workers.tasks import seasons, stored, taught

ICE, SNOW_ICE = Mask.Product.ICE, Mask.Product.SNOW_ICE


def mapped(run: Run, scene: Scene, version: ModelVersion, threshold: float) -> Mask:
    """The version's mask of a scene, or of the season that a radar scene stands for; computed only where it has none
    with every glacier in view."""
    domains = stored.domains_in(scene)
    known = Mask.objects.filter(scene=scene, version=version, product=ICE, threshold=threshold).first()
    if known and set(domains) <= set(known.areas.values_list("glacier__glac_id", flat=True)):
        return known
    probability, held_out = probability_of(version, scene)
    error = _error_of(version)
    remarks = [*scene.facts.get("flags", []), *(["held_out"] if held_out else [])]
    return _keep(run, scene, version, ICE, probability, Grid.from_dict(scene.grid), domains, error, threshold, remarks)


def probability_of(version: ModelVersion, scene: Scene) -> tuple[np.ndarray, bool]:
    """Probability of ice (H, W) on the scene's grid, and whether a fold gave it that never saw the scene's truth.

    A radar version maps the season that the scene belongs to.
    """
    if version.task == "sar":
        return seasons.of(scene).probability(taught.load(version)), False
    return _probability(version, scene, stored.stack_of(scene))


def _probability(version: ModelVersion, scene: Scene, stack: Stack) -> tuple[np.ndarray, bool]:
    learned, held_out = taught.weights_for(version, scene)
    whole = truth.with_layers(stack, stored.relief(scene, learned.recipe.bands))
    return segment_stack(whole, learned), held_out


def keep_smoothed(run: Run, scene: Scene, version: ModelVersion, product: str, stack: Stack) -> None:
    """Map and keep a scene as its neighbours in time smoothed it: its areas, and no outlines of ice of no one date."""
    probability, held_out = _probability(version, scene, stack)
    remarks = [*scene.facts.get("flags", []), "smoothed_in_time", *(["held_out"] if held_out else [])]
    seen = observe(probability, stack.grid, stored.domains_in(scene), _error_of(version), 0.5, remarks)
    _save(run, scene, version, product, probability, stack.grid, 0.5, replace(seen, outlines=[]))


def _error_of(version: ModelVersion) -> ErrorModel | None:
    return area_error(version.metrics.get("area_errors", []), version.metrics.get("area_sizes_km2"))


def snow_and_ice(run: Run, scene: Scene) -> Mask:
    """The NDSI mask of a scene: snow and clean ice, never to be called a glacier outline."""
    known = Mask.objects.filter(scene=scene, version=None, product=SNOW_ICE).first()
    if known:
        return known
    stack = stored.stack_of(scene)
    index = bands.ndsi(stack.band("green"), stack.band("swir1"))
    kept = bands.snow_ice(index)
    sure = np.where(np.isnan(kept), np.nan, kept > 0).astype(np.float32)
    remarks = [*scene.facts.get("flags", []), "snow_and_ice"]
    return _keep(run, scene, None, SNOW_ICE, sure, stack.grid, stored.domains_in(scene), None, 0.5, remarks)


def _keep(run, scene, version, product, probability, grid, domains, error, threshold, remarks) -> Mask:
    seen = observe(probability, grid, domains, error, threshold, remarks, stored.ground(scene))
    return _save(run, scene, version, product, probability, grid, threshold, seen)


def _save(run, scene, version, product, probability, grid, threshold, seen: Observation) -> Mask:
    raster = paths.scratch(".tif")
    rasters.write(Stack(probability[None], ("probability",), grid, scene.acquired), raster, encode="probability")
    return results.save_mask(
        run, scene, version, product, raster, threshold, [tuple(vars(o).values()) for o in seen.outlines],
        [tuple(vars(a).values()) for a in seen.areas], seen.valid_fraction,
    )  # fmt: skip
