"""manage.py check_integrity"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from tqdm import tqdm

from glacierweb.paths import data_path
from inventory.models import Glacier, Outline, Scene

_UNSOUND = "SELECT id FROM inventory_outline WHERE NOT ST_IsValid(geometry) OR ST_IsEmpty(geometry)"
# Another ellipsoid or a wrong winding would show here: the two halves must agree.
_AREAS = """
SELECT id, area_km2, ST_Area(geometry::geography) / 1e6 FROM inventory_outline
WHERE abs(ST_Area(geometry::geography) / 1e6 - area_km2) > 1e-5 * area_km2
"""
_PREFERRED = """
SELECT glacier_id, src_date FROM inventory_outline WHERE superseded_at IS NULL
GROUP BY glacier_id, src_date HAVING count(*) FILTER (WHERE preferred) <> 1
"""


class Command(BaseCommand):
    help = "Look for what should not be: lost rasters, unsound shapes, areas and preferences that do not agree."

    def handle(self, *args: Any, **options: Any) -> None:
        checks = (self._rasters, self._shapes, self._areas, self._preferences, self._glaciers)
        faults = [fault for check in tqdm(checks, disable=None, leave=False) for fault in check()]
        for fault in faults:
            self.stdout.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} faults")
        self.stdout.write(f"sound: {Outline.objects.count()} outlines, {Scene.objects.stored().count()} stored scenes")

    def _rasters(self) -> Iterator[str]:
        for scene in Scene.objects.stored().iterator():
            if not data_path(scene.raster).is_file():
                yield f"scene {scene.key}: its raster {scene.raster} is gone; fetch it again"

    def _shapes(self) -> Iterator[str]:
        return (f"outline {pk}: its shape is not valid" for (pk,) in _rows(_UNSOUND))

    def _areas(self) -> Iterator[str]:
        return (f"outline {pk}: {kept} km2 is stored, PostGIS says {found}" for pk, kept, found in _rows(_AREAS))

    def _preferences(self) -> Iterator[str]:
        return (f"glacier {pk} has not one preferred outline on {day}" for pk, day in _rows(_PREFERRED))

    def _glaciers(self) -> Iterator[str]:
        for glacier in Glacier.objects.filter(domain__isnull=True, outlines__isnull=False).distinct():
            yield f"glacier {glacier.glac_id} has outlines but no domain"


def _rows(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()
