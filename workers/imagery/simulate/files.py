"""A world as a data folder: scenes with STAC Items, elevation, outlines, and the truth for those who check."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio

from workers.imagery.grid import Grid

from .analyst import outlines
from .calendar import Pass, radar_days
from .items import RADAR_BANDS, dem_item, item, radar_item, scaling
from .profiles import Profile
from .retreat import Step
from .worlds import Scene, World

Report = Callable[[float, str], None]
THREADS = 2
LATE_SUMMER = 0.65  # year fraction at which the yearly truth is written


class FolderInTheWay(ValueError):
    """The folder to be written exists already."""


def _silent(fraction: float, step: str) -> None:
    """Nobody listens."""


def write_world(
    path: str | Path,
    seed: int,
    profile: str | Profile = "easy",
    years: tuple[int, int] = (1985, 2024),
    size: int = 256,
    scenes_per_year: int | Literal["full"] = 6,
    report: Report = _silent,
    radar_years: Sequence[int] = (),
    rates: Sequence[float | Step] | None = None,
) -> World:
    """Write a world as a folder: scenes/, dem.tif, outlines.geojson, truth/. All of it appears at once, or nothing.

    The bytes depend on the arguments alone. `rates` as in World, one a glacier. In each of `radar_years` 15 radar
    acquisitions join the optical scenes. `report(fraction, step)` may raise to stop. FolderInTheWay when `path` exists
    and is not an empty folder; ValueError for settings that cannot be.
    """
    target = Path(path)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FolderInTheWay(f"{target} exists: choose another folder, or remove it first")
    if outside := sorted(set(radar_years) - set(range(years[0], years[1] + 1))):
        raise ValueError(f"radar years {outside[0]} to {outside[-1]} lie outside the world's, {years[0]} to {years[1]}")
    world = World(seed, profile, size, years, rates=rates)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        _fill(draft, world, world.passes(scenes_per_year), report)
        _write_echoes(draft / "scenes", world, radar_years)
        _sync(draft)
        draft.chmod(0o755)
        draft.replace(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _sync_one(target.parent)
    report(1.0, "simulated world written")
    return world


def _fill(draft: Path, world: World, passes: Sequence[Pass], report: Report) -> None:
    (draft / "scenes").mkdir()
    (draft / "truth").mkdir()
    scenes = _write_scenes(draft / "scenes", world, passes, report)
    _write_dem(draft, world)
    _write_json(draft / "outlines.geojson", outlines(world, passes))
    report(0.95, "writing the truth")
    _write_truth(draft / "truth", world, scenes)


def _write_scenes(folder: Path, world: World, passes: Sequence[Pass], report: Report) -> list[dict[str, Any]]:
    """Returns the truth of each scene."""
    truths = []
    with ThreadPoolExecutor(THREADS) as pool:
        for number, truth in enumerate(pool.map(lambda of: _write_scene(folder, world, of), passes), 1):
            truths.append(truth)
            report(0.94 * number / len(passes), f"simulating scene {number} of {len(passes)}")
    return truths


def _write_scene(folder: Path, world: World, of: Pass) -> dict[str, Any]:
    scene = world.scene(of)
    with _create(folder / f"{scene.id}.tif", world.grid, len(scene.BANDS), "uint16", 0) as file:
        file.write(scene.dn)
        file.descriptions = scene.BANDS
        file.scales, file.offsets = zip(*(scaling(band) for band in scene.BANDS), strict=True)
        file.update_tags(simulated="true", seed=world.seed, profile=world.profile.name)
    _write_json(folder / f"{scene.id}.json", item(world, scene))
    return _scene_truth(world, scene)


def _write_echoes(folder: Path, world: World, years: Sequence[int]) -> None:
    for day in (day for year in years for day in radar_days(year)):
        echo = world.echo(day)
        with _create(folder / f"{world.echo_id(day)}.tif", world.grid, 2, "float32", np.nan) as file:
            file.write(np.stack([echo.co_pol, echo.coherence]))
            file.descriptions = RADAR_BANDS
            file.update_tags(simulated="true", seed=world.seed, profile=world.profile.name)
        _write_json(folder / f"{world.echo_id(day)}.json", radar_item(world, day))


def _scene_truth(world: World, scene: Scene) -> dict[str, Any]:
    when = scene.of.decimal_year
    return {
        "id": scene.id,
        "decimal_year": round(when, 6),
        "shift_rows_px": scene.shift_px[0],
        "shift_columns_px": scene.shift_px[1],
        "cloud_fraction": float(scene.sky.cloud.mean()),
        "shadow_fraction": float(scene.sky.shadow.mean()),
        "snow_fraction": float(scene.snow.mean()),
        "missing_fraction": float((scene.dn[0] == 0).mean()),
        "pixels": {glacier.local_id: glacier.pixels(when) for glacier in world.glaciers},
        "area_km2": {g.local_id: world.area_km2(number, when) for number, g in enumerate(world.glaciers)},
    }


def _write_dem(draft: Path, world: World) -> None:
    with _create(draft / "dem.tif", world.grid, 1, "float32", -32768) as file:
        file.write(world.dem, 1)
        file.descriptions = ("elevation",)
        file.units = ("m",)
        file.update_tags(simulated="true", seed=world.seed)
    _write_json(draft / "dem.json", dem_item(world))


def _write_truth(folder: Path, world: World, scenes: list[dict[str, Any]]) -> None:
    years = range(world.years[0], world.years[1] + 1)
    for year in years:
        with _create(folder / f"labels_{year}.tif", world.grid, 1, "uint8", None) as file:
            file.write(world.labels(year + LATE_SUMMER), 1)
            file.descriptions = ("glacier_number",)
    with _create(folder / "velocity.tif", world.grid, 2, "float32", None) as file:
        file.write(world.velocity_m_per_year)
        file.descriptions = ("east_m_per_year", "north_m_per_year")
    _write_json(folder / "areas.json", _areas(world, years))
    _write_json(folder / "scenes.json", {"simulated": True, "seed": world.seed, "scenes": scenes})


def _areas(world: World, years: Sequence[int]) -> dict[str, Any]:
    glaciers = []
    for number, glacier in enumerate(world.glaciers):
        times = [year + LATE_SUMMER for year in years]
        series = {
            "label": number + 1,
            "local_id": glacier.local_id,
            "glac_name": glacier.name,
            "rate_per_year": glacier.rate,
            "start": glacier.start,
            "pixels_at_start": glacier.n_start,
            "years": list(years),
            "decimal_year": times,
            "pixels": [glacier.pixels(time) for time in times],
            "area_km2": [world.area_km2(number, time) for time in times],
        }
        glaciers.append(series)
    return {"simulated": True, "seed": world.seed, "profile": world.profile.name, "glaciers": glaciers}


def _create(path: Path, grid: Grid, bands: int, dtype: str, nodata: float | None) -> Any:
    """An open GeoTIFF, compressed without loss."""
    return rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=grid.width,
        height=grid.height,
        count=bands,
        dtype=dtype,
        crs=grid.crs,
        transform=grid.transform,
        nodata=nodata,
        compress="deflate",
        zlevel=4,
        predictor=3 if np.dtype(dtype).kind == "f" else 2,
        interleave="band",
        tiled=True,
        blockxsize=256,
        blockysize=256,
    )


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=False) + "\n", encoding="utf-8")


def _sync(folder: Path) -> None:
    """Everything written so far reaches the disk before the folder gets its name."""
    for each in [*folder.rglob("*"), folder]:
        _sync_one(each)


def _sync_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
