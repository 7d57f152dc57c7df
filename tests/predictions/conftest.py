"""Rows of a tiny world, written through the models; rasters are real files below a temporary DATA_ROOT."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.gis.geos import MultiPolygon, Point, Polygon

from glacierweb import paths, runs
from inventory.models import AreaOfInterest, Glacier, Outline, Region, Scene, Source
from predictions import versions

counter = itertools.count(1)
GRID = {"crs": "EPSG:32626", "transform": [30.0, 0.0, 0.0, 0.0, -30.0, 0.0], "width": 4, "height": 4}


def square(west: float, south: float, side: float = 0.02) -> MultiPolygon:
    return MultiPolygon(Polygon.from_bbox((west, south, west + side, south + side)), srid=4326)


class World:
    """Makes rows, each with what a test does not care about filled in."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def region(self, code="11", trend_region="Europe") -> Region:
        return Region.objects.get_or_create(code=code, defaults={"name": f"R{code}", "trend_region": trend_region})[0]

    def glacier(self, glac_id="G330000E46000N", west=-30.0, simulated=True, **values) -> Glacier:
        shape = square(west, 46.0)
        point = Point(west + 0.01, 46.01, srid=4326)
        return Glacier.objects.create(
            glac_id=glac_id, simulated=simulated, point=point, domain=shape, name=values.pop("name", "Test"), **values
        )

    def aoi(self, name="sample", simulated=True, glacier=None, west=-30.0) -> AreaOfInterest:
        return AreaOfInterest.objects.create(
            name=name, polygon=square(west, 46.0, 0.1), grid=GRID, simulated=simulated, glacier=glacier
        )

    def scene(self, acquired=date(2016, 8, 31), simulated=True, end=None, **values) -> Scene:
        start = datetime(acquired.year, acquired.month, acquired.day, 10, tzinfo=UTC)
        stop = datetime(end.year, end.month, end.day, tzinfo=UTC) if end else None
        return Scene.objects.create(**{
            "key": f"scene-{next(counter)}", "collection": "c", "sensor": "Landsat 8", "acquired": start,
            "acquired_end": stop, "footprint": square(-30.0, 46.0, 0.1), "simulated": simulated, "state": "stored",
            "grid": GRID, **values,
        })  # fmt: skip

    def outline(self, glacier, src_date, area_km2, **values) -> Outline:
        source, _ = Source.objects.get_or_create(name=values.pop("source", "GLIMS"))
        return Outline.objects.create(**{
            "glacier": glacier, "geometry": square(-30.0, 46.0), "src_date": src_date, "area_km2": area_km2,
            "perimeter_km": 8.0, "source": source, "content_sha256": f"{next(counter):064d}", **values,
        })  # fmt: skip

    def running(self, kind="segment", params=None, queue="gpu"):
        run = runs.request(kind, params or {}, queue=queue)
        return runs.claim(run.pk, "tester")

    def version(self, task="segment", scope="simulated", metrics=None, architecture="random-forest", **values):
        metrics = {"overall": {"iou": 0.8, "mse": 0.1}} if metrics is None else metrics
        return versions.register(**{
            "run": self.running("train", queue="train"), "task": task, "architecture": architecture, "preset": "small",
            "weights_sha256": f"{next(counter):064d}", "metrics": metrics, "bands": ["green", "swir1"],
            "parameters": None, "data_snapshot": {"scenes": 3}, "scope": scope, "simulated": True, **values,
        })  # fmt: skip

    def raster(self, content=b"a raster") -> Path:
        path = paths.scratch(".tif")
        path.write_bytes(content)
        return path


@pytest.fixture
def data_root(settings, tmp_path) -> Path:
    settings.DATA_ROOT = tmp_path.resolve()
    return settings.DATA_ROOT


@pytest.fixture
def nobody_listens(settings):
    """A broker address at which nobody listens: runs that are committed here stay in the outbox."""
    from glacierweb.celery import app

    before = app.conf.broker_url
    settings.REDIS_URL = app.conf.broker_url = "redis://127.0.0.1:1/0"
    yield
    app.conf.broker_url = before


@pytest.fixture
def world(db, data_root, nobody_listens) -> World:
    return World(data_root)


@pytest.fixture
def staff(db):
    return get_user_model().objects.create_user("staff", password="a long password", is_staff=True)


@pytest.fixture
def signed_in(client, staff):
    client.force_login(staff)
    return client
