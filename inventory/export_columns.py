"""The columns of an exported outline: GLIMS and RGI names, at most ten characters where a Shapefile needs them so."""

from __future__ import annotations

from django.db.models import QuerySet

from inventory.models import Outline

# name: (SQL, type) in the order of the file. Types: text, real, date, flag.
COLUMNS: dict[str, tuple[str, str]] = {
    "outline_id": ("o.id::text", "text"),
    "glac_id": ("g.glac_id", "text"),
    "glac_name": ("g.name", "text"),
    "id_source": ("g.id_source", "text"),
    "region": ("g.region_id", "text"),
    "src_date": ("o.src_date::text", "text"),
    "src_date_end": ("o.src_date_end::text", "text"),
    "src_date_precision": ("o.src_date_precision", "text"),
    "valid_from": ("lower(o.valid)::text", "text"),
    "valid_to": ("(upper(o.valid) - 1)::text", "text"),
    "preferred": ("o.preferred", "flag"),
    "area_km2": ("o.area_km2", "real"),
    "area_analyst_km2": ("o.area_analyst_km2", "real"),
    "perimeter_km": ("o.perimeter_km", "real"),
    "loc_unc_m": ("o.loc_unc_m", "real"),
    "glob_unc_m": ("o.glob_unc_m", "real"),
    "anlys_id": ("o.anlys_id", "text"),
    "anlys_time": ("to_char(o.anlys_time at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')", "text"),
    "analyst": ("o.analyst", "text"),
    "method": ("o.method", "text"),
    "rgi_id": ("o.aliases ->> 'rgi_id'", "text"),
    "local_id": ("o.aliases ->> 'local_id'", "text"),
    "source": ("s.name", "text"),
    "licence": ("s.licence", "text"),
    "citation": ("o.citation", "text"),
    "simulated": ("o.simulated", "flag"),
}
SHORT = {
    "src_date_end": "src_dt_end", "src_date_precision": "date_prec", "area_analyst_km2": "area_anlst",
    "perimeter_km": "perim_km", "glob_unc_m": "globunc_m",
}  # fmt: skip

_FROM = """
FROM inventory_outline o
JOIN inventory_glacier g ON g.id = o.glacier_id
JOIN inventory_source s ON s.id = o.source_id
WHERE o.id IN ({chosen})
ORDER BY g.glac_id, o.src_date, o.id
"""
# Characters that never stand in a line of JSON, so that COPY writes the line as it is.
_RAW = r"(FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')"


def _chosen(outlines: QuerySet[Outline]) -> tuple[str, tuple]:
    return outlines.order_by().values("pk").query.sql_with_params()


def rows_query(outlines: QuerySet[Outline]) -> tuple[str, tuple]:
    """SELECT of all columns and the geometry as WKB (exterior rings counter-clockwise)."""
    chosen, params = _chosen(outlines)
    listed = ", ".join(f"{sql} AS {name}" for name, (sql, _) in COLUMNS.items())
    select = f"SELECT {listed}, ST_AsBinary(ST_ForcePolygonCCW(o.geometry)) AS geometry {_FROM.format(chosen=chosen)}"
    return select, params


def geojson_query(outlines: QuerySet[Outline]) -> tuple[str, tuple]:
    """COPY of one GeoJSON feature a line (RFC 7946, 7 decimals)."""
    chosen, params = _chosen(outlines)
    told = ", ".join(f"'{name}', {sql}" for name, (sql, _) in COLUMNS.items())
    feature = (
        "json_build_object('type', 'Feature', 'id', o.id::text, "
        "'geometry', ST_AsGeoJSON(ST_ForcePolygonCCW(o.geometry), 7)::json, "
        f"'properties', json_build_object({told}))::text"
    )
    return f"COPY (SELECT {feature} {_FROM.format(chosen=chosen)}) TO STDOUT {_RAW}", params


def csv_query(outlines: QuerySet[Outline]) -> tuple[str, tuple]:
    """COPY of CSV with a header and the geometry as WKT; a cell that a spreadsheet would run begins with a quote."""
    chosen, params = _chosen(outlines)
    cells = ", ".join(f"{_harmless(sql) if kind == 'text' else sql} AS {name}" for name, (sql, kind) in COLUMNS.items())
    select = f"SELECT {cells}, ST_AsText(o.geometry, 7) AS geometry {_FROM.format(chosen=chosen)}"
    return f"COPY ({select}) TO STDOUT (FORMAT csv, HEADER)", params


def _harmless(sql: str) -> str:
    return f"CASE WHEN ({sql}) ~ '^[=+@\\t\\r-]' THEN '''' || ({sql}) ELSE ({sql}) END"
