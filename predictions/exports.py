"""Predicted outlines as a file: GeoJSON and CSV streamed from a server-side cursor, GeoPackage written in batches."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from glacierweb.reads import unhurried
from inventory.exports import FORMATS, begun
from inventory.winding import wound
from predictions import outline_record, tables
from predictions.models import PredictedOutline

OFFERED = ("geojson", "gpkg", "csv")
COLUMNS = (
    "id", "glac_id", "glac_name", "date", "date_end", "area_km2", "area_lo_km2", "area_hi_km2", "mean_confidence",
    "flags", "product", "version", "architecture", "preset", "scene", "run", "simulated", *outline_record.COLUMNS,
)  # fmt: skip
NUMBERS = ("area_km2", "area_lo_km2", "area_hi_km2", "mean_confidence", *outline_record.NUMBERS)
BATCH = 500


def attachment(outlines: QuerySet[PredictedOutline], name: str) -> StreamingHttpResponse:
    """The answer to a download: `name` is one of OFFERED."""
    pieces = begun({"geojson": _geojson, "csv": _csv, "gpkg": _geopackage}[name](outlines.using(outlines.db)))
    today = datetime.now(UTC).date().isoformat()
    filename = f"glacierweb-predicted-outlines-{today}{FORMATS[name].suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "X-Content-Type-Options": "nosniff"}
    return StreamingHttpResponse(pieces, content_type=FORMATS[name].content_type, headers=headers)


def properties(outline: PredictedOutline) -> dict[str, Any]:
    """The columns of one outline, flat, for every format."""
    mask, version, glacier = outline.mask, outline.mask.version, outline.glacier
    return {
        "id": outline.pk,
        "glac_id": glacier.glac_id if glacier else None,
        "glac_name": glacier.name if glacier else None,
        "date": outline.date.isoformat(),
        "date_end": outline.date_end.isoformat() if outline.date_end else None,
        "area_km2": outline.area_km2,
        "area_lo_km2": outline.area_lo_km2,
        "area_hi_km2": outline.area_hi_km2,
        "mean_confidence": outline.mean_confidence,
        "flags": " ".join(outline.flags),
        "product": mask.product,
        "version": version.pk if version else None,
        "architecture": version.architecture if version else "NDSI threshold",
        "preset": version.preset if version else None,
        "scene": mask.scene.key,
        "run": outline.run_id,
        "simulated": mask.scene.simulated,
        **outline_record.of(outline),
    }


def _rows(outlines: QuerySet[PredictedOutline]) -> Iterator[PredictedOutline]:
    with unhurried(outlines.db):
        yield from outlines.defer(None).order_by("date", "pk").iterator(chunk_size=BATCH)


def _geojson(outlines: QuerySet[PredictedOutline]) -> Iterator[bytes]:
    yield b'{"type":"FeatureCollection","name":"predicted-outlines","features":[\n'
    for number, outline in enumerate(_rows(outlines)):
        feature = {"type": "Feature", "id": outline.pk, "properties": properties(outline)}
        shape = wound(outline.geometry).geojson
        yield (",\n" if number else "").encode() + f'{json.dumps(feature)[:-1]},"geometry":{shape}}}'.encode()
    yield b"\n]}\n"


def _csv(outlines: QuerySet[PredictedOutline]) -> Iterator[bytes]:
    yield tables.text([], COLUMNS).encode()
    for outline in _rows(outlines):
        yield tables.text([properties(outline)], COLUMNS).split("\r\n", 1)[1].encode()


def _geopackage(outlines: QuerySet[PredictedOutline]) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="glacierweb-export-") as folder:
        path = Path(folder) / "predicted-outlines.gpkg"
        write_geopackage(outlines, path)
        with path.open("rb") as file:
            while block := file.read(1 << 16):
                yield block


def write_geopackage(outlines: QuerySet[PredictedOutline], path: Path) -> None:
    """Write a GeoPackage with one layer, a batch of rows at a time; an empty layer where there is none."""
    rows, number = iter(_rows(outlines)), 0
    while (batch := list(islice(rows, BATCH))) or not number:
        _layer(batch).to_file(path, layer="predicted_outlines", driver="GPKG", mode="a" if number else "w")
        number += 1


def _layer(batch: list[PredictedOutline]) -> Any:
    """A GeoDataFrame whose columns have the same types whatever the rows hold."""
    import geopandas
    import shapely

    shapes = [shapely.from_wkb(bytes(wound(outline.geometry).wkb)) for outline in batch]
    rows = [properties(outline) for outline in batch]
    frame = geopandas.GeoDataFrame(rows, columns=list(COLUMNS), geometry=shapes, crs="EPSG:4326")
    kinds = dict.fromkeys(("id", "version", "run", *outline_record.COUNTS), "Int64") | dict.fromkeys(NUMBERS, "float64")
    return frame.astype({name: kinds.get(name, "string") for name in COLUMNS})
