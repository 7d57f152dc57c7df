"""A query -> a file of outlines: streamed where the format allows it, else written in batches to a temporary file.

GeoJSON and CSV come straight out of PostgreSQL's COPY and never as a whole into memory; the formats of GDAL and
GeoParquet are written from a server-side cursor, a few thousand rows at a time.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.db import connections
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes

from glacierweb.reads import unhurried
from inventory.export_columns import csv_query, geojson_query
from inventory.models import Outline


@dataclass(frozen=True)
class Format:
    """How a format is called, sent and named."""

    content_type: str
    suffix: str
    streams: bool = False

    @property
    def described(self) -> OpenApiTypes:
        """What OpenAPI calls such a body."""
        return OpenApiTypes.OBJECT if self.suffix == ".geojson" else OpenApiTypes.BINARY


FORMATS = {
    "geojson": Format("application/geo+json", ".geojson", streams=True),
    "geojsonl": Format("application/geo+json-seq", ".geojsonl", streams=True),
    "csv": Format("text/csv; charset=utf-8", ".csv", streams=True),
    "gpkg": Format("application/geopackage+sqlite3", ".gpkg"),
    "geoparquet": Format("application/vnd.apache.parquet", ".parquet"),
    "fgb": Format("application/flatgeobuf", ".fgb"),
    "shp": Format("application/zip", ".zip"),
}
CHUNK = 1 << 16


def attachment(outlines: QuerySet[Outline], name: str, query: str) -> StreamingHttpResponse:
    """The answer to a download: `name` is a key of FORMATS, `query` the address that was asked for."""
    chosen = FORMATS[name]
    outlines = outlines.using(outlines.db)  # the body is written after the request has left the router's sight
    body = begun(stream(outlines, name) if chosen.streams else _sent(outlines, name, query))
    today = datetime.now(UTC).date().isoformat()
    return StreamingHttpResponse(
        body,
        content_type=chosen.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="glacierweb-outlines-{today}{chosen.suffix}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces, the first of them made now: what fails at once becomes a problem, not half a file."""
    return itertools.chain([next(pieces, b"")], pieces)


def write(outlines: QuerySet[Outline], path: Path, name: str, query: str = "") -> None:
    """Write a file in one step: a reader sees nothing, or all of it."""
    handle, part = tempfile.mkstemp(suffix=FORMATS[name].suffix, prefix=".export-", dir=path.parent)
    os.close(handle)
    try:
        if FORMATS[name].streams:
            with Path(part).open("wb") as file:
                file.writelines(stream(outlines, name))
                file.flush()
                os.fsync(file.fileno())
        else:
            _write_file(outlines, Path(part), name, query)
        Path(part).chmod(0o644)
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)


def stream(outlines: QuerySet[Outline], name: str) -> Iterator[bytes]:
    """GeoJSON, newline-delimited GeoJSON or CSV in pieces."""
    if name == "csv":
        yield from _gathered(_copied(outlines.db, *csv_query(outlines)))
    elif name == "geojsonl":
        yield from _gathered(_copied(outlines.db, *geojson_query(outlines)))
    else:
        yield b'{"type":"FeatureCollection","name":"outlines","features":[\n'
        yield from _gathered(_with_commas(_copied(outlines.db, *geojson_query(outlines))))
        yield b"\n]}\n"


def _copied(using: str, sql: str, params: tuple) -> Iterator[bytes]:
    """Rows as PostgreSQL writes them, one a piece."""
    with unhurried(using), connections[using].cursor() as cursor, cursor.cursor.copy(sql, params) as rows:
        for row in rows:
            yield bytes(row)


def _with_commas(rows: Iterator[bytes]) -> Iterator[bytes]:
    for number, row in enumerate(rows):
        yield (b",\n" if number else b"") + row.rstrip(b"\n")


def _gathered(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces joined to blocks that are worth a packet."""
    block = bytearray()
    for piece in pieces:
        block += piece
        if len(block) >= CHUNK:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def _sent(outlines: QuerySet[Outline], name: str, query: str) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="glacierweb-export-") as folder:
        path = Path(folder) / f"outlines{FORMATS[name].suffix}"
        _write_file(outlines, path, name, query)
        with path.open("rb") as file:
            while block := file.read(CHUNK):
                yield block


def _write_file(outlines: QuerySet[Outline], path: Path, name: str, query: str) -> None:
    from inventory import export_files  # pandas and pyarrow would double the web process's start

    export_files.write(outlines, path, name, query)
