"""Series as CSV: every cell quoted, and none that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import HttpResponse

CSV = "text/csv; charset=utf-8"
COLUMNS = (
    "glac_id", "series", "label", "version", "date", "date_end", "decimal_year", "km2", "lo", "hi", "soft_km2",
    "interval_method", "flags", "outlier", "sensor", "scene", "outline", "valid_fraction", "simulated",
)  # fmt: skip


FRAME_COLUMNS = ("start", "end", "lead", "member", "observed", "snow_ice_km2", "lo_km2", "hi_km2")


def area_rows(areas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One row an observation, of every series."""
    for series in areas["series"]:
        for one in series["observations"]:
            scene = one["scene"]["key"] if one["scene"] else ""
            yield {
                **one,
                "glac_id": areas["glac_id"],
                "series": series["source"],
                "label": series["label"],
                "version": series["version"],
                "flags": " ".join(one["flags"]),
                "scene": scene,
                "simulated": series["simulated"],
            }


def text(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> str:
    """The rows as CSV with a header."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell(row.get(column)) for column in columns])
    return stream.getvalue()


def attachment(rows: Iterable[dict[str, Any]], columns: Sequence[str], name: str) -> HttpResponse:
    """The rows as a CSV file of this name."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text(rows, columns), content_type=CSV, headers=headers)


def cell(value: Any) -> Any:
    """A value as it may stand in a spreadsheet: text that begins like a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.lstrip()[:1] in ("=", "+", "-", "@"):
        return f"'{value}"
    return value
