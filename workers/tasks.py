"""Every task: claim, load rows, let the science work on plain records, write rows down. The one door between halves.

The web names these by text (`workers.segment`) and never imports them; neither does a worker's parent process, which
must not touch torch before it forks. Bodies stay short: what computes lives in
imagery/, segmentation/, forecasting/, motion/ and learning/, what writes lives in inventory/ and predictions/.
"""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import astuple
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from django.conf import settings
from django.contrib.gis.geos import GEOSGeometry
from django.db.models import Q, QuerySet

from glacierweb import paths, runs
from glacierweb.delivery import report
from glacierweb.models import Run
from inventory import aois, outlines, scenes
from inventory.models import AreaOfInterest, Glacier, Outline, Scene, Source
from inventory.records import When
from predictions import params, results, versions
from predictions.models import Forecast, Mask, ModelVersion
from workers.forecasting import issue
from workers.imagery import bands, cubes, datafolder, rasters, stac, terrain
from workers.imagery.filters import PROFILES, flags, judge
from workers.imagery.found import FoundScene
from workers.imagery.grid import Grid, rasterize
from workers.imagery.prepare import prepare
from workers.imagery.rasters import Stack
from workers.learning import evaluation, mapping_report, recipes, truth, weights
from workers.learning.forest_recipe import train_forest
from workers.learning.samples import folds
from workers.learning.truth import KnownOutline, KnownScene
from workers.motion import chip_paths, displacement
from workers.segmentation import outlines as tracing
from workers.segmentation.observation import area_error, observe
from workers.segmentation.segment import segment_stack

REFUSALS = (ValueError, KeyError, FileNotFoundError, NotADirectoryError, MemoryError)
PIXEL_M = 30.0
EXPERT = "expert label"
ICE, SNOW_ICE = Mask.Product.ICE, Mask.Product.SNOW_ICE


# Scenes arrive


def find_scenes(run: Run) -> dict[str, Any]:
    """Look into a folder or a catalogue and write down every scene that it offers; each is then fetched."""
    asked, tell = run.params, report(run)
    tell(0.0, "looking for scenes")
    found, skipped = _offered(asked)
    groups: dict[str, list[FoundScene]] = defaultdict(list)
    for scene in found:
        groups[scene.key if scene.kind == "dem" else scene.collection].append(scene)
    new = 0
    for number, group in enumerate(groups.values(), start=1):
        tell((number - 1) / len(groups), f"{len(group)} scenes of {group[0].collection}")
        try:
            area = None if group[0].kind == "dem" else _area_for(asked, group)
            grid = area.grid if area else datafolder.native_grid(group).to_dict()
        except rasters.UnreadableRaster as error:
            skipped += [(scene.key, str(error)) for scene in group]
            continue
        new += sum(_record(scene, grid, area) for scene in group)
    warnings = _by_reason(skipped)
    return {"found": len(found), "new": new, "skipped": len(skipped), "warnings": warnings}


def _by_reason(skipped: list[tuple[str, str]]) -> list[str]:
    """One line for each reason: how many files, and the first of them."""
    files: dict[str, list[str]] = defaultdict(list)
    for path, reason in skipped:
        files[reason].append(path)
    return [f"{len(some)} x {reason} ({some[0]}{', ...' if len(some) > 1 else ''})" for reason, some in files.items()]


def _offered(asked: dict[str, Any]) -> tuple[list[FoundScene], list[tuple[str, str]]]:
    if asked["folder"]:
        reading = datafolder.folder(asked["folder"])
        return reading.found[: asked["limit"]], [(skip.path, skip.reason) for skip in reading.skipped]
    found = stac.search(
        asked["catalogue"] or asked["stac"], settings.STAC_CATALOGUES, bbox=asked["bbox"], datetime=asked["datetime"],
        collections=asked["collections"], limit=asked["limit"],
    )  # fmt: skip
    return found, []


def _area_for(asked: dict[str, Any], group: list[FoundScene]) -> AreaOfInterest:
    """The area of interest on whose grid a group of scenes is kept: the named glacier's, or their footprint's."""
    if asked["glacier"]:
        glacier = Glacier.objects.get(glac_id=asked["glacier"])
        grid = Grid.around(aois.box_of(glacier), PIXEL_M)
        return aois.for_glacier(glacier, grid.to_dict())
    if asked["bbox"]:
        place = shapely.box(*asked["bbox"])
        return aois.for_footprint(str(asked["bbox"]), place, Grid.around(place, PIXEL_M).to_dict())
    grid = datafolder.native_grid(sorted(group, key=lambda one: one.kind != "reflectance"))
    return aois.for_footprint(_place_name(group[0]), grid.footprint(), grid.to_dict(), simulated=group[0].simulated)


def _place_name(scene: FoundScene) -> str:
    """What people call the place of a folder of scenes: given in its items, or the first word of the collection."""
    given = scene.properties.get("glacierweb:source")
    return str(given or scene.collection.split("_")[0]).strip().capitalize()


def _record(scene: FoundScene, grid: dict[str, Any], area: AreaOfInterest | None) -> bool:
    when = scene.interval or (scene.acquired, None)
    undated = datetime(1970, 1, 1, tzinfo=UTC)
    _, new = scenes.record(
        scene.key,
        footprint=scene.footprint,
        acquired=when[0] or undated,
        acquired_end=when[1],
        collection=scene.collection,
        kind=scene.kind,
        sensor=scene.sensor,
        date_precision=scene.date_precision,
        cloud_percent=scene.cloud_percent,
        item={"found": scene.to_dict(), "grid": grid, "aoi": area.pk if area else None},
        simulated=scene.simulated,
    )
    return new


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
    latitude = grid.centre[1]
    refusals = {name: [r._asdict() for r in judge(name, found.meta(), prepared.facts, latitude)] for name in PROFILES}
    facts = prepared.facts.to_dict() | {"flags": flags(found.meta(), prepared.facts)}
    with runs.fenced(run):
        scenes.mark_stored(
            scene, grid=grid.to_dict(), bands=list(prepared.stack.bands), facts=facts, refusals=refusals,
            missing_fraction=prepared.facts.nodata_fraction + prepared.facts.zero_fraction,
        )  # fmt: skip
        if scene.kind == "label":
            _keep_expert_outline(scene, prepared.stack)
    return {"scene": scene.pk}


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
        name=_place_name(FoundScene.from_dict(scene.item["found"])),
        analyst="expert who labelled the scenes",
        method=f"hand-drawn mask {scene.key}, vectorised along pixel edges",
        anlys_id=scene.key,
    )


# Ice is found


def segment(run: Run) -> dict[str, Any]:
    """Find ice in one scene: probability raster, outlines cut to glaciers, areas."""
    asked = _asked(run)
    scene = Scene.objects.get(pk=asked.scene)
    version = _version(asked.version, "segment", scene)
    mask = _mapped(run, scene, version, asked.threshold)
    return {"mask": mask.pk, "version": version.pk}


def area_series(run: Run) -> dict[str, Any]:
    """Map every scene that the profile accepts over one glacier; what is mapped already is taken as it is."""
    asked, tell = _asked(run), report(run)
    glacier = Glacier.objects.get(glac_id=asked.glacier)
    version = _version(asked.version, "segment", glacier)
    series = _series_scenes(glacier, asked)
    accepted = [scene for scene in series if not scene.refusals.get(asked.profile, ["not judged"])]
    if not accepted:
        rules = Counter(r["rule"] for scene in series for r in scene.refusals.get(asked.profile, []))
        raise ValueError(f"no scene of {len(series)} passed the profile {asked.profile}; refused by {dict(rules)}")
    for number, scene in enumerate(accepted, start=1):
        tell((number - 1) / len(accepted), f"scene {number} of {len(accepted)}: {scene.key}")
        _mapped(run, scene, version, 0.5)
        _snow_and_ice(run, scene)
    return {"glacier": glacier.glac_id, "version": version.pk, "scenes": len(accepted)}


def _series_scenes(glacier: Glacier, asked: params.AreaSeriesParams) -> list[Scene]:
    found = _usable(Q(footprint__intersects=glacier.domain or glacier.point))
    if asked.from_:
        found = found.filter(acquired__date__gte=asked.from_)
    if asked.to:
        found = found.filter(acquired__date__lte=asked.to)
    return list(found)


def _usable(where: Q, kind: str = "reflectance") -> QuerySet[Scene]:
    return Scene.objects.filter(where, state=Scene.State.STORED, kind=kind).order_by("acquired", "key")


def _mapped(run: Run, scene: Scene, version: ModelVersion, threshold: float) -> Mask:
    domains = _domains(scene)
    known = Mask.objects.filter(scene=scene, version=version, product=ICE, threshold=threshold).first()
    if known and set(domains) <= set(known.areas.values_list("glacier__glac_id", flat=True)):
        return known
    probability, held_out = _probability(version, scene)
    error = area_error(version.metrics.get("area_errors", []), version.metrics.get("area_sizes_km2"))
    remarks = [*scene.facts.get("flags", []), *(["held_out"] if held_out else [])]
    return _keep(run, scene, version, ICE, probability, Grid.from_dict(scene.grid), domains, error, threshold, remarks)


def _probability(version: ModelVersion, scene: Scene) -> tuple[np.ndarray, bool]:
    """Probability of ice (H, W) on the scene's grid, and whether a fold gave it that never saw the scene's truth."""
    learned, held_out = _weights_for(version, scene)
    return segment_stack(truth.with_layers(_stack(scene), _relief(scene, learned.recipe.bands)), learned), held_out


def _snow_and_ice(run: Run, scene: Scene) -> Mask:
    """The NDSI mask of a scene: snow and clean ice, never to be called a glacier outline."""
    known = Mask.objects.filter(scene=scene, version=None, product=SNOW_ICE).first()
    if known:
        return known
    stack = _stack(scene)
    index = bands.ndsi(stack.band("green"), stack.band("swir1"))
    kept = bands.snow_ice(index, 0.4)
    sure = np.where(np.isnan(kept), np.nan, kept > 0).astype(np.float32)
    remarks = [*scene.facts.get("flags", []), "snow_and_ice"]
    return _keep(run, scene, None, SNOW_ICE, sure, stack.grid, _domains(scene), None, 0.5, remarks)


def _keep(run, scene, version, product, probability, grid, domains, error, threshold, remarks) -> Mask:
    seen = observe(probability, grid, domains, error, threshold, remarks)
    raster = paths.scratch(".tif")
    rasters.write(Stack(probability[None], ("probability",), grid, scene.acquired), raster, encode="probability")
    return results.save_mask(
        run, scene, version, product, raster, threshold, [tuple(vars(o).values()) for o in seen.outlines],
        [tuple(vars(a).values()) for a in seen.areas], seen.valid_fraction,
    )  # fmt: skip


def _domains(scene: Scene) -> dict[str, Any]:
    """Domains of the glaciers in view; simulated scenes see only simulated glaciers, real ones only real."""
    found = Glacier.objects.filter(domain__intersects=scene.footprint, simulated=scene.simulated)
    return {glacier.glac_id: _shape(glacier.domain) for glacier in found}


def _stack(scene: Scene, grid: Grid | None = None) -> Stack:
    stack = rasters.read(paths.data_path(scene.raster), grid=grid)
    return Stack(stack.pixels, stack.bands, stack.grid, scene.acquired)


def _relief(scene: Scene, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Elevation (m) and slope (degrees) on the scene's grid, where a version asks for them and a DEM is stored."""
    dem = _usable(Q(footprint__contains=scene.footprint), "dem").first()
    if dem is None or not {"elevation", "slope"} & set(names):
        return {}
    grid = Grid.from_dict(scene.grid)
    elevation = rasters.read_layer(paths.data_path(dem.raster), grid)
    return {"elevation": elevation, "slope": terrain.slope_degrees(elevation, grid)}


def _weights_for(version: ModelVersion, scene: Scene) -> tuple[weights.Learned, bool]:
    """The version's weights, or those of its fold that never saw this scene's truth."""
    for fold in version.data_snapshot.get("folds", []):
        if scene.key in fold["scenes"]:
            name = f"weights/{fold['weights_sha256']}.safetensors"
            return weights.load(paths.data_path(name), fold["weights_sha256"]), True
    return weights.load(paths.data_path(version.weights), version.weights_sha256), False


def _version(pk: int | None, kind: str, place: AreaOfInterest | Glacier | Scene) -> ModelVersion:
    version = ModelVersion.objects.get(pk=pk) if pk else versions.active_at(kind, place)
    if version is None:
        raise ValueError(f"there is no active version for {kind} at {place}: train one (Retrain...) and promote it")
    return version


def _asked(run: Run) -> Any:
    return params.read(run.kind, run.params)


# Futures


def forecast(run: Run) -> dict[str, Any]:
    """Forecast snow and ice for an area of interest, with the hindcast beside the baselines."""
    asked, tell = _asked(run), report(run)
    area = AreaOfInterest.objects.get(pk=asked.aoi)
    version = _version(asked.version, "forecast", area)
    learned = weights.load(paths.data_path(version.weights), version.weights_sha256)
    cube = _cube(area, asked.step_months, tell)
    tell(0.5, "forecasting, and forecasting the past beside the baselines")
    if learned.recipe.options.get("spatial_transfer"):
        issued, nature = issue.transfer(learned, cube, version.metrics), Forecast.Nature.SPATIAL_TRANSFER
    else:
        issued, nature = issue.issue(learned.network, learned.network.config, cube), Forecast.Nature.FORECAST
    frames = [_frame(frame, cube.grid) for frame in issued.frames]
    kept = results.save_forecast(
        run, area, version, nature, issued.issued, frames, [astuple(score) for score in issued.scores],
        issued.useful, issued.sentence, issued.notes, asked.step_months,
    )  # fmt: skip
    return {"forecast": kept.pk, "version": version.pk}


def _frame(frame: issue.IssuedFrame, grid: Grid) -> results.FoundFrame:
    raster = paths.scratch(".tif")
    moment = datetime.combine(frame.start, time(), UTC)
    rasters.write(Stack(frame.values[None], ("ndsi",), grid, moment), raster, encode="ndsi")
    return results.FoundFrame(
        frame.start, frame.end, frame.lead, frame.observed, raster, frame.snow_ice_km2, frame.lo_km2, frame.hi_km2
    )


def _cube(area: AreaOfInterest, step_months: int, tell: Callable[..., None]) -> cubes.Cube:
    """The record of an area: index rasters where there are any, else the scenes that the forecast profile accepts."""
    inside = Q(item__aoi=area.pk)
    ready = list(_usable(inside, "ndsi").exclude(date_precision="year"))  # a year has no place among quarters
    usable = ready or [scene for scene in _usable(inside) if not scene.refusals.get("forecast", ["not judged"])]
    if not usable:
        raise ValueError(f"no scene of {area.name} passed the profile forecast; add clear scenes of Landsat 8")

    def stacks() -> Iterator[Stack]:
        for number, scene in enumerate(usable, start=1):
            tell(0.4 * number / len(usable), f"reading scene {number} of {len(usable)}")
            yield _stack(scene)

    # Index rasters may leave whole years out; whoever reads them must see the hole instead of a shorter record.
    return cubes.stack(stacks(), step_months, cut=not ready)


# Networks are taught


def train(run: Run) -> dict[str, Any]:
    """Teach a network, keep its weights, register it as a candidate; goes on from its checkpoint after a loss."""
    asked, tell = _asked(run), report(run)
    areas = _areas(asked.data)
    folder = f"checkpoints/run-{run.pk}"
    runs.keep_checkpoint(run, folder)
    teach = _teach_segmenter if asked.task == "segment" else _teach_forecaster
    trained, snapshot = teach(asked, areas, tell, paths.data_path(folder))
    version = versions.register(
        run, asked.task, asked.architecture, asked.preset, _kept(trained.learned), _card(asked.task, trained),
        trained.learned.recipe.bands, trainable_parameters_of(trained.learned), snapshot,
        versions.scope_of(areas, asked.data.regions), all(area.simulated for area in areas),
    )  # fmt: skip
    versions.promote_if_first(version)
    return {"version": version.pk}


def _areas(data: params.DataParams) -> list[AreaOfInterest]:
    areas = list(AreaOfInterest.objects.filter(pk__in=data.aois))
    areas += [a for a in AreaOfInterest.objects.filter(glacier__region__in=data.regions) if a not in areas]
    if not areas:
        raise ValueError(f"regions {', '.join(data.regions)} have no area of interest with scenes: ingest some")
    return areas


def _card(task_name: str, trained: Any) -> dict[str, Any]:
    """The metrics with the one row by which versions are compared, and the curves of the training."""
    found = trained.metrics
    if task_name == "segment":
        overall = found.get("pooled", {})
    else:
        overall = {"mse": found["scores"]["pooled_mse"], "mae": found["scores"]["pooled_mae"]}
    return {**found, "overall": overall, "curves": trained.history.points}


def trainable_parameters_of(learned: weights.Learned) -> int | None:
    """The count of a network's trainable parameters; None for a forest."""
    if not hasattr(learned.network, "parameters"):
        return None
    return sum(p.numel() for p in learned.network.parameters() if p.requires_grad)


def _kept(learned: weights.Learned) -> str:
    draft = paths.scratch(".safetensors")
    weights.save(draft, learned.network, learned.recipe)
    return paths.adopt(draft, "weights", ".safetensors")


def _settings(asked: params.TrainParams) -> Any:
    known = {"epochs": asked.epochs, "lr": asked.lr, "batch": asked.batch, "seed": asked.seed}
    return recipes.with_settings(asked.architecture, asked.preset, **known)


def _teach_segmenter(asked, areas, tell, checkpoint: Path) -> tuple[Any, dict[str, Any]]:
    pairs = [pair for area in areas for pair in _pairs(asked, area)]
    keys, samples = [key for key, _ in pairs], [sample for _, sample in pairs]
    tell(0.02, f"{len(samples)} scenes with truth")
    trained = recipes.train_segmenter(
        asked.architecture, asked.preset, samples, _settings(asked), tell, checkpoint, start=_start(asked)
    )
    snapshot = {"scenes": keys, "groups": [sample.group for sample in samples]}
    if asked.architecture == "random-forest":
        snapshot["folds"] = list(_folds(asked, keys, samples, trained))
    return trained, snapshot


def _start(asked: params.TrainParams) -> weights.Learned | None:
    """The version that the training starts from. Raises ValueError for what can only be taught from scratch."""
    if asked.start == "scratch":
        return None
    if asked.architecture == "random-forest" or asked.task == "forecast":
        raise ValueError(f"{asked.architecture} is always taught from scratch: ask again with start = scratch")
    version = ModelVersion.objects.get(pk=asked.start)
    return weights.load(paths.data_path(version.weights), version.weights_sha256)


def _folds(asked, keys: list[str], samples: list, trained: Any) -> Iterator[dict[str, Any]]:
    """For each part of the groups a forest that never saw it: what predicts the scenes that were learned from."""
    for groups in folds([sample.group for sample in samples]):
        others = [sample for sample in samples if sample.group not in groups]
        if not others:
            continue
        one = train_forest(asked.preset, others, asked.seed, lambda *_, **__: None, trained.learned.recipe.bands, False)
        scenes_out = [key for key, sample in zip(keys, samples, strict=True) if sample.group in groups]
        yield {"groups": sorted(groups), "scenes": scenes_out, "weights_sha256": _kept(one.learned)}


def _pairs(asked: params.TrainParams | params.EvaluateParams, area: AreaOfInterest) -> list:
    labels = {scene.acquired: scene for scene in _usable(Q(item__aoi=area.pk), "label")}
    # Whoever learns from scenes with late snow learns to call snow ice: only the end of the melt season teaches.
    known = [
        _known_scene(scene, labels.get(scene.acquired))
        for scene in _usable(Q(item__aoi=area.pk))
        if not scene.refusals.get("outline", ["not judged"]) and _within(scene.acquired.date(), asked.data)
    ]
    glaciers = Glacier.objects.filter(domain__intersects=area.polygon, simulated=area.simulated)
    drawn = Outline.objects.filter(glacier__in=glaciers, preferred=True, superseded_at=None).select_related("glacier")
    if asked.data.sources:
        drawn = drawn.filter(source__name__in=asked.data.sources)
    outlines_known = [
        KnownOutline(o.glacier.glac_id, _shape(o.geometry), o.src_date, o.src_date_end or o.src_date) for o in drawn
    ]
    domains = {glacier.glac_id: _shape(glacier.domain) for glacier in glaciers}
    return truth.samples(known, outlines_known, domains)


def _known_scene(scene: Scene, label: Scene | None) -> KnownScene:
    end = (scene.acquired_end or scene.acquired).date()
    mask = paths.data_path(label.raster) if label else None
    return KnownScene(scene.key, paths.data_path(scene.raster), scene.acquired, scene.acquired.date(), end, mask)


def _within(day: date, data: params.DataParams) -> bool:
    return (data.from_ is None or day >= data.from_) and (data.to is None or day <= data.to)


def _shape(geometry: GEOSGeometry | None) -> Any:
    assert geometry is not None, "asked for a glacier without a domain"
    return shapely.from_wkb(bytes(geometry.wkb))


def _teach_forecaster(asked, areas, tell, checkpoint: Path) -> tuple[Any, dict[str, Any]]:
    _start(asked)
    series = [_cube(area, 3, lambda *_: None) for area in areas]
    frames = {a.name: [s.isoformat() for s in cube.starts] for a, cube in zip(areas, series, strict=True)}
    snapshot = {"frames": frames}
    if asked.split == "spatial":
        seen, target = issue.split_transfer(series[0])
        trained = recipes.train_transfer(
            asked.architecture, asked.preset, seen, target, _settings(asked), tell, checkpoint
        )
        return trained, snapshot
    return recipes.train_forecaster(
        asked.architecture, asked.preset, series, _settings(asked), tell, checkpoint
    ), snapshot


def evaluate(run: Run) -> dict[str, Any]:
    """Measure a version on data of one's choice, and put the figures on its card."""
    asked, tell = _asked(run), report(run)
    version = ModelVersion.objects.get(pk=asked.version)
    measure = _evaluated_mapper if version.task == "segment" else _evaluated_forecaster
    found = measure(asked, version, _areas(asked.data), tell)
    versions.keep_evaluation(run, version, {**found, "data": params.to_dict(asked.data)})
    return {"version": version.pk, **found, "warnings": evaluation.remarks(found)}


def _evaluated_mapper(asked, version: ModelVersion, areas: list[AreaOfInterest], tell) -> dict[str, Any]:
    pairs, judged = [pair for area in areas for pair in _pairs(asked, area)], []
    for number, (key, sample) in enumerate(pairs):
        tell(number / len(pairs), f"scene {number + 1} of {len(pairs)}: {key}")
        scene = Scene.objects.get(key=key)
        probability, held_out = _probability(version, scene)
        how = "held_out" if held_out else "seen" if _taught(version, scene, sample.group) else "unseen"
        judged.append((how, mapping_report.judge(probability, sample)))
    return evaluation.mapping(judged)


def _taught(version: ModelVersion, scene: Scene, group: str) -> bool:
    """Whether a scene, or another one of the same place and truth, shaped the version's weights."""
    snapshot, seed = version.data_snapshot, version.trained_by.params.get("seed", 0)
    taught = evaluation.taught_groups(snapshot.get("groups", []), seed, version.architecture)
    there = Scene.objects.filter(key__in=snapshot.get("scenes", []), footprint__intersects=scene.footprint)
    return group in taught and there.exists()


def _evaluated_forecaster(asked, version: ModelVersion, areas: list[AreaOfInterest], tell) -> dict[str, Any]:
    learned, records = weights.load(paths.data_path(version.weights), version.weights_sha256), []
    for number, area in enumerate(areas):
        tell(number / len(areas), f"forecasting the past of {area.name} beside the baselines")
        cube = _cube(area, learned.recipe.options.get("months", 3), lambda *_: None)
        past = evaluation.hindcast_within(learned, cube, asked.data.from_, asked.data.to)
        seen = evaluation.frames_taught(version.data_snapshot.get("frames", {}), area.name, past)
        records.append((area.name, past, seen))
    return evaluation.forecasts(records)


# Motion


def flow(run: Run) -> dict[str, Any]:
    """Displacement between two scenes: of the surface, or of the snow pattern where both are index rasters."""
    asked, tell = _asked(run), report(run)
    first, second = Scene.objects.get(pk=asked.first), Scene.objects.get(pk=asked.second)
    (days,) = displacement.days_between([(scene.key, scene.middle) for scene in (first, second)])
    one, raster = _stack(first), paths.scratch(".tif")
    tell(0.2, f"following what moved in {days:.0f} days")
    slope = _relief(first, ("slope",)).get("slope")
    found = displacement.between(one, _stack(second, one.grid), days, _ice(second, one.grid), slope)
    rasters.write(displacement.as_stack(found, one.grid), raster, encode="float32")
    nmad = found.uncertainty if np.isfinite(found.uncertainty) else None
    kept = results.save_flow(run, first, second, found.label, raster, nmad, found.flags)
    return {"flow": kept.pk, "warnings": displacement.remarks(found, days)}


def track(run: Run) -> dict[str, Any]:
    """Follow chips of the ice through a list of scenes; their paths are the run's result."""
    asked, tell = _asked(run), report(run)
    rows = Scene.objects.in_bulk(asked.scenes)
    chain = [rows[pk] for pk in asked.scenes]
    days = displacement.days_between([(scene.key, scene.middle) for scene in chain])
    grid, frames = Grid.from_dict(chain[0].grid), []
    ice = _ice(chain[0], grid)
    for number, scene in enumerate(chain, start=1):
        tell(0.5 * number / len(chain), f"reading scene {number} of {len(chain)}")
        frames.append(displacement.on_ice(_stack(scene, grid), ice))
    found = chip_paths.follow(frames, days, grid, asked.c, lambda fraction: tell(0.5 + fraction / 2, "following chips"))
    return {"scenes": [scene.key for scene in chain], "days": days, **found, "warnings": chip_paths.warnings(found)}


def _ice(scene: Scene, grid: Grid) -> np.ndarray:
    """(H, W) bool: the outlines nearest in time to a scene; of a glacier never drawn, its domain."""
    shapes = []
    for glacier in Glacier.objects.filter(domain__intersects=scene.footprint, simulated=scene.simulated):
        drawn = glacier.outlines.filter(preferred=True, superseded_at=None)
        nearest = min(drawn, key=lambda one: abs(one.src_date - scene.acquired.date()), default=None)
        shapes.append(_shape(nearest.geometry if nearest else glacier.domain))
    return rasterize(shapes, grid)


# What `glacierweb.delivery` finds here by the run's kind.
_ALL = (find_scenes, fetch_scene, segment, area_series, forecast, train, evaluate, flow, track)
WORK = {work.__name__: work for work in _ALL}
