"""Outlines into files that cannot be streamed: GeoPackage, FlatGeobuf, GeoParquet, and the Shapefile's archive."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from django.db import connections
from django.db.models import QuerySet

from glacierweb.reads import unhurried
from inventory.export_columns import COLUMNS, SHORT, rows_query
from inventory.models import Outline

BATCH = 2_000
TYPES = {"text": pa.string(), "real": pa.float64(), "flag": pa.bool_()}
DRIVERS = {"gpkg": "GPKG", "fgb": "FlatGeobuf", "shp": "ESRI Shapefile"}


def write(outlines: QuerySet[Outline], path: Path, name: str, query: str) -> None:
    """Write outlines to `path` as gpkg, fgb, geoparquet or shp (a zip with citations and a manifest)."""
    with unhurried(outlines.db):  # the server-side cursor lives in its transaction
        if name == "geoparquet":
            _parquet(outlines, path)
        elif name == "shp":
            _archive(outlines, path, query)
        else:
            _with_gdal(outlines, path, name)


def _with_gdal(outlines: QuerySet[Outline], path: Path, name: str, shorten: bool = False) -> int:
    schema = _schema(shorten)
    counted = _Counted(_batches(outlines, schema))
    path.unlink(missing_ok=True)
    options = {"encoding": "UTF-8"} if name == "shp" else {}
    pyogrio.write_arrow(
        pa.RecordBatchReader.from_batches(schema, counted), path, driver=DRIVERS[name], layer="outlines",
        geometry_name="geometry", geometry_type="MultiPolygon", crs="EPSG:4326", **options,
    )  # fmt: skip
    return counted.rows


class _Counted:
    """Passes batches on and counts their rows."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self.rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            self.rows += batch.num_rows
            yield batch


def _schema(shorten: bool = False) -> pa.Schema:
    named = [(SHORT.get(name, name) if shorten else name, TYPES[kind]) for name, (_, kind) in COLUMNS.items()]
    if shorten:  # a Shapefile has no booleans
        named = [(name, pa.int32() if kind == pa.bool_() else kind) for name, kind in named]
    return pa.schema([*named, pa.field("geometry", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})])


def _batches(outlines: QuerySet[Outline], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Record batches from a server-side cursor: memory does not grow with the number of rows."""
    sql, params = rows_query(outlines)
    with connections[outlines.db].connection.cursor(name="outline_export") as cursor:
        cursor.execute(sql, params)
        while rows := cursor.fetchmany(BATCH):
            columns = list(zip(*rows, strict=True))
            arrays = [
                pa.array([None if v is None else _as(v, field.type) for v in column], field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _as(value: object, kind: pa.DataType) -> object:
    if kind == pa.int32():
        return int(value)  # type: ignore[call-overload]
    return bytes(value) if kind == pa.binary() else value  # type: ignore[call-overload]


def _parquet(outlines: QuerySet[Outline], path: Path) -> None:
    """GeoParquet 1.1: WKB, CRS84 (by omission), counter-clockwise, with a covering box; zstd."""
    plain = pa.schema([field.remove_metadata() for field in _schema()])
    corners = pa.struct([(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")])
    schema = plain.append(pa.field("bbox", corners))
    about = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {
            "geometry": {
                "encoding": "WKB", "geometry_types": ["MultiPolygon"], "orientation": "counterclockwise",
                "edges": "planar",
                "covering": {"bbox": {corner: ["bbox", corner] for corner in ("xmin", "ymin", "xmax", "ymax")}},
            }
        },
    }  # fmt: skip
    with pq.ParquetWriter(path, schema.with_metadata({"geo": json.dumps(about)}), compression="zstd") as writer:
        for batch in _batches(outlines, plain):
            boxes = shapely.bounds(shapely.from_wkb(batch.column("geometry").to_numpy(zero_copy_only=False)))
            covering = pa.StructArray.from_arrays([pa.array(side) for side in boxes.T], fields=list(corners))
            writer.write_batch(
                pa.RecordBatch.from_arrays([*batch.columns, covering], schema=writer.schema)
            )


def _archive(outlines: QuerySet[Outline], path: Path, query: str) -> None:
    """A zipped Shapefile with the words to cite it by, licences, a readme and a manifest of checksums."""
    with tempfile.TemporaryDirectory(prefix="glacierweb-shp-") as folder:
        rows = _with_gdal(outlines, Path(folder) / "outlines.shp", "shp", shorten=True)
        for name, text in papers(outlines).items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        files = sorted(Path(folder).iterdir())
        sums = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        made = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = {"query": query, "outlines": rows, "made": made, "sha256": sums}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.name)
            archive.writestr("manifest.json", json.dumps(manifest, indent=2))


def papers(outlines: QuerySet[Outline]) -> dict[str, str]:
    """CITATIONS.txt, LICENSE.txt and README.txt of a set of outlines."""
    told = outlines.order_by("source__name").values_list("source__name", "source__licence", "citation").distinct()
    citations = sorted({citation for _, _, citation in told if citation})
    licences = sorted({(name, licence or "no licence is stated by the source") for name, licence, _ in told})
    columns = "\n".join(f"  {name}" + (f" ({SHORT[name]} in a Shapefile)" if name in SHORT else "") for name in COLUMNS)
    return {
        "CITATIONS.txt": "Cite every source whose outlines you use.\n\n" + "\n\n".join(citations) + "\n",
        "LICENSE.txt": "".join(f"{name}: {licence}\n" for name, licence in licences),
        "README.txt": "Glacier outlines, longitude and latitude on WGS 84. One row per glacier, date and analysis; "
        "nunataks are holes.\narea_km2 is geodesic; area_analyst_km2 is the analyst's own figure. Rows with "
        f"simulated = true are not real glaciers.\n\nColumns:\n{columns}\n",
    }
