"""A small world for the browser, written through the models and real rasters: two glaciers, their outlines of three
years, scenes, predicted outlines with areas, a displacement, and two forecasts (one useful, one not); no worker needed.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import rasterio
import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon, Polygon
from rasterio.transform import from_bounds

from glacierweb import paths, runs
from glacierweb.models import Run
from inventory import outlines
from inventory.models import AreaOfInterest, Glacier, Region, Scene, Source
from predictions.models import (
    AreaMeasurement,
    FlowField,
    Forecast,
    Frame,
    Mask,
    ModelVersion,
    PredictedOutline,
    SkillScore,
)

BOX = (-30.05, 45.97, -29.95, 46.03)
SIZE = 64
NAMES = {"north": "Northern Test Glacier", "south": "Southern Test Glacier"}
CENTRES = {"north": (-30.00, 46.012), "south": (-30.00, 45.988)}
OUTLINE_YEARS = (1990, 2003, 2016)
NETWORK_YEARS = range(2000, 2016)


def shape(which: str, year: int) -> shapely.Polygon:
    """A lobed outline (lon/lat) that shrinks with the years."""
    lon, lat = CENTRES[which]
    turn = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    radius_km = (1.0 - 0.006 * (year - 1990)) * (0.75 + 0.15 * np.sin(3 * turn))
    x = lon + radius_km * np.cos(turn) / (111.3 * math.cos(math.radians(lat)))
    return shapely.Polygon(np.column_stack([x, lat + radius_km * np.sin(turn) / 111.3]))


def geos(polygon: shapely.Polygon) -> MultiPolygon:
    return MultiPolygon(GEOSGeometry(polygon.wkt, srid=4326), srid=4326)


def raster(folder: str, values: np.ndarray, names: tuple[str, ...], nodata: float = math.nan) -> str:
    """Write a float raster over BOX below DATA_ROOT under the hash of its content; returns the hash."""
    path = paths.scratch(".tif")
    bands, height, width = values.shape
    profile = {"driver": "GTiff", "width": width, "height": height, "count": bands, "dtype": "float32",
               "crs": "EPSG:4326", "transform": from_bounds(*BOX, width, height), "nodata": nodata}  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(values.astype("float32"))
        target.descriptions = names
    return paths.adopt(path, folder, ".tif")


def ndsi_field(shift: float) -> np.ndarray:
    """(1, H, W): a bump of snow that grows and shrinks with `shift`."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE - 0.5
    return (0.85 * np.exp(-(x**2 + y**2) / (0.05 + shift)) - 0.1)[None]


def finished(kind: str) -> Run:
    run = runs.request(kind, {}, queue="gpu")
    claimed = runs.claim(run.pk, "small world")
    assert claimed is not None
    runs.finish(claimed)
    return claimed


def build_outlines() -> dict[str, Glacier]:
    source = Source.objects.create(
        name="Test inventory", licence="CC BY 4.0", citation="Somebody (2020): Outlines for a test. Nowhere."
    )
    found: dict[str, Glacier] = {}
    for which, name in NAMES.items():
        for year in OUTLINE_YEARS:
            told: dict[str, Any] = {"analyst": "A. Nalyst", "method": "drawn by hand"}
            made = outlines.record(shape(which, year), f"{year}-08-31", source=source, glacier=found.get(which),
                                   name=name, simulated=True, **told)  # fmt: skip
            found[which] = made.glacier
    region, _ = Region.objects.get_or_create(code="00", defaults={"name": "Simulated"})
    Glacier.objects.update(region=region)
    return {which: Glacier.objects.get(pk=glacier.pk) for which, glacier in found.items()}


def build_scene(year: int, refused: bool = False) -> Scene:
    bands = ("blue", "green", "red", "swir1")
    snow = ndsi_field(0.002 * (2016 - year))[0]
    values = np.stack([0.3 + 0.5 * snow, 0.3 + 0.5 * snow, 0.3 + 0.5 * snow, np.full_like(snow, 0.12)])
    scene = Scene.objects.create(
        key=f"TEST_{year}", collection="test", sensor="TM" if year < 2013 else "OLI", simulated=True,
        acquired=datetime(year, 8, 20, 10, tzinfo=UTC), footprint=MultiPolygon(Polygon.from_bbox(BOX), srid=4326),
        cloud_percent=5.0, bands=list(bands), state="stored",
        refusals={"area": [{"rule": "cloud", "value": 44.0, "limit": 30.0}]} if refused else {},
    )  # fmt: skip
    digest = raster("scratch", values, bands)
    target = paths.data_path(scene.raster)
    target.parent.mkdir(parents=True, exist_ok=True)
    paths.data_path(f"scratch/{digest}.tif").replace(target)
    return scene


def version_of(task: str, architecture: str) -> ModelVersion:
    return ModelVersion.objects.create(
        task=task, architecture=architecture, scope="simulated", trained_by=finished("train"), metrics={},
        weights_sha256="0" * 64, simulated=True, state="active", bands=["green", "swir1"],
    )  # fmt: skip


def build_predictions(glaciers: dict[str, Glacier]) -> None:
    version, run = version_of("segment", "random-forest"), finished("segment")
    for year in NETWORK_YEARS:
        scene = build_scene(year)
        mask = Mask.objects.create(
            run=run, scene=scene, version=version, valid_fraction=1.0,
            raster_sha256=raster("masks", np.clip(ndsi_field(0.0), 0, 1), ("probability",)),
        )  # fmt: skip
        for which, glacier in glaciers.items():
            drawn = geos(shape(which, year).buffer(0.0003))
            size = 1.7 * (1.0 - 0.006 * (year - 1990)) ** 2 * (1 + 0.004 * math.sin(5 * year))
            PredictedOutline.objects.create(
                run=run, mask=mask, glacier=glacier, geometry=drawn, date=date(year, 8, 20), area_km2=size,
                area_lo_km2=0.96 * size, area_hi_km2=1.04 * size, mean_confidence=0.9,
            )  # fmt: skip
            AreaMeasurement.objects.create(
                run=run, glacier=glacier, mask=mask, date=date(year, 8, 20), km2=size, soft_km2=size,
                lo_km2=0.96 * size, hi_km2=1.04 * size, interval_method="test", valid_fraction=1.0,
            )  # fmt: skip
    build_scene(1999, refused=True)


def build_flow() -> FlowField:
    """Ice that moves at 120 m a year in the middle, and not at its edge."""
    first, second = (Scene.objects.get(key=f"TEST_{year}") for year in (2014, 2015))
    speed = 130 * np.clip(ndsi_field(0.0)[0] / 0.75, 0, 1)
    return FlowField.objects.create(
        run=finished("flow"), first=first, second=second, stable_nmad_m_per_year=4.2,
        raster_sha256=raster("flows", np.stack([speed, speed, 0 * speed]), ("v", "vx", "vy")),
    )  # fmt: skip


def build_forecast(aoi: AreaOfInterest, architecture: str, useful: bool) -> Forecast:
    version = version_of("forecast", architecture) if useful else ModelVersion.objects.get(task="forecast")
    forecast = Forecast.objects.create(
        run=finished("forecast"), aoi=aoi, version=version, issued=date(2016, 1, 1), useful=useful,
        sentence="Better than persistence by 38 % (hindcast)." if useful else "Worse than climatology by 6 %.",
        notes=["Snow and ice, not glacier."],
    )  # fmt: skip
    for index in range(12):
        year, quarter = divmod(index, 4)
        ahead = max(0, index - 7)
        km2 = 12 + 8 * math.cos(math.pi * (quarter + 0.5) / 2)
        Frame.objects.create(
            forecast=forecast, start=date(2014 + year, 3 * quarter + 1, 1),
            end=date(2014 + year + quarter // 3, (3 * quarter + 3) % 12 + 1, 1),
            lead=ahead, observed=not ahead, snow_ice_km2=km2, lo_km2=km2 - 2 if ahead else None,
            hi_km2=km2 + 2 if ahead else None,
            raster_sha256=raster("frames", ndsi_field(0.03 * (1 + math.cos(math.pi * (quarter + 0.5) / 2))), ("ndsi",)),
        )  # fmt: skip
    for name, skill in (("persistence", 0.38), ("seasonal persistence", 0.21), ("climatology", 0.06)):
        got = skill if useful else -skill
        SkillScore.objects.create(forecast=forecast, baseline=name, mse=0.011, mse_baseline=0.011 / (1 - got),
                                  skill=got, lo=got - 0.03, hi=got + 0.03, n_frames=24)  # fmt: skip
    return forecast


def build() -> dict[str, Glacier]:
    """Everything; returns the glaciers by their short names."""
    glaciers = build_outlines()
    build_predictions(glaciers)
    build_flow()
    aoi = AreaOfInterest.objects.create(
        name="Test area", polygon=MultiPolygon(Polygon.from_bbox(BOX), srid=4326), simulated=True,
        grid={"crs": "EPSG:32626", "transform": [30, 0, 0, 0, -30, 0], "width": SIZE, "height": SIZE},
    )  # fmt: skip
    build_forecast(aoi, "default", useful=True)
    build_forecast(aoi, "default", useful=False)
    return glaciers
