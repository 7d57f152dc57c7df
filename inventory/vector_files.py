"""Vector files as rows: Shapefile (folder member or zip), GeoPackage, GeoJSON, GeoParquet, FlatGeobuf; lon/lat out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError

SUFFIXES = {".shp", ".zip", ".gpkg", ".geojson", ".json", ".geojsonl", ".parquet", ".geoparquet", ".fgb"}
BATCH = 16_384


class RefusedFile(ValueError):
    """A vector file that cannot be taken; `errors` lists each fault as {code, feature, message, location}."""

    def __init__(self, message: str, errors: list[dict] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or []


@dataclass(frozen=True)
class Layer:
    """What a file says about itself before its rows are read."""

    path: Path
    columns: tuple[str, ...]
    geometry_type: str
    """As GDAL names it; empty for a table without geometry."""
    count: int


def inspect(path: Path) -> Layer:
    """Columns, geometry type and number of rows; RefusedFile when it is unreadable or says nothing about its CRS."""
    if path.suffix in {".parquet", ".geoparquet"}:
        frame = _parquet(path)
        kinds = sorted(set(frame.geometry.geom_type.dropna()))
        return Layer(path, tuple(c for c in frame.columns if c != frame.geometry.name), "/".join(kinds), len(frame))
    try:
        facts = pyogrio.read_info(_openable(path), force_feature_count=True)
    except (DataSourceError, DataLayerError, RuntimeError, UnicodeDecodeError) as error:
        raise RefusedFile(f"{path.name} is not a readable vector file: {_first_line(error)}") from error
    if facts["geometry_type"] is not None:
        _require_crs(path.name, facts["crs"])
    return Layer(path, tuple(facts["fields"]), facts["geometry_type"] or "", int(facts["features"]))


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Each feature as {column: value, "geometry": shapely geometry or None}, reprojected to lon/lat WGS 84."""
    for frame in _frames(path):
        frame = frame.to_crs("OGC:CRS84") if frame.crs.to_epsg() != 4326 else frame
        name = frame.geometry.name
        columns = [c for c in frame.columns if c != name]
        plain = frame[columns].astype(object).to_dict("records") if columns else [{} for _ in range(len(frame))]
        for row, geometry in zip(plain, frame.geometry, strict=True):
            yield {key: _plain(value) for key, value in row.items()} | {"geometry": geometry}


def _frames(path: Path) -> Iterator[geopandas.GeoDataFrame]:
    if path.suffix in {".parquet", ".geoparquet"}:
        yield _parquet(path)
        return
    skip = 0
    while True:
        try:
            frame = pyogrio.read_dataframe(
                _openable(path), skip_features=skip, max_features=BATCH, on_invalid="raise", datetime_as_string=True
            )
        except Exception as error:  # pyogrio passes on GEOS's and GDAL's own kinds
            raise RefusedFile(f"{path.name} cannot be read: {_first_line(error)}") from error
        if not isinstance(frame, geopandas.GeoDataFrame):
            raise RefusedFile(f"{path.name} holds a table without geometry; outlines are polygons")
        if len(frame):
            _require_crs(path.name, frame.crs)
            yield frame
        if len(frame) < BATCH:
            return
        skip += BATCH


def _parquet(path: Path) -> geopandas.GeoDataFrame:
    try:
        frame = geopandas.read_parquet(path)
    except Exception as error:
        raise RefusedFile(f"{path.name} is not a readable GeoParquet file: {_first_line(error)}") from error
    _require_crs(path.name, frame.crs)
    return frame


def _require_crs(name: str, crs: object) -> None:
    if not crs:
        raise RefusedFile(f"{name} has no coordinate reference system; add its .prj, or convert it to EPSG:4326")


def _openable(path: Path) -> str:
    return f"/vsizip/{path.resolve()}" if path.suffix == ".zip" else str(path)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0].split("; It might help")[0] if str(error) else type(error).__name__


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pandas.NaT or value is pandas.NA:
        return None
    if isinstance(value, np.generic):
        return value.item()
    return value.isoformat() if hasattr(value, "isoformat") else value


def is_geojson(path: Path) -> bool:
    """Whether a .json file is a FeatureCollection (a STAC Item, a manifest or a table is not)."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and found.get("type") == "FeatureCollection"
