"""What of a data folder is a file of outlines, and what is not, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inventory import glims
from inventory.vector_files import SUFFIXES, RefusedFile, inspect, is_geojson, rows

JSON = {".json", ".geojson", ".geojsonl"}


@dataclass(frozen=True)
class Skipped:
    """A vector file that holds no outlines to import; a skip is no failure."""

    path: Path
    reason: str


def outlines_in(folder: Path) -> tuple[list[Path], list[Skipped]]:
    """The outline files below a folder (or the one file that it is), and the vector files that are skipped, with why.

    Rasters, tables and STAC Items are none of this function's business and are not listed.
    """
    files = [folder] if folder.is_file() else sorted(file for file in folder.rglob("*") if file.is_file())
    taken, skipped = [], []
    for file in files:
        if file.suffix.lower() not in SUFFIXES or (file.suffix == ".json" and not is_geojson(file)):
            continue
        reason = why_not(file)
        if reason:
            skipped.append(Skipped(file, reason))
        else:
            taken.append(file)
    return taken, skipped


def why_not(path: Path) -> str:
    """Why a vector file holds no outlines; '' for one that does."""
    try:
        about = inspect(path)
    except RefusedFile as error:
        return str(error)
    if about.count == 0:
        return "it is empty"
    if not about.geometry_type:
        return "it is a table without geometry"
    if about.geometry_type != "Unknown" and "Polygon" not in about.geometry_type:
        return f"it holds {about.geometry_type.split()[0].lower()}s, not polygons"
    layout = glims.layout_of(about.columns)
    if layout is None and glims.is_complex(about.columns):
        return "it holds RGI 7 glacier complexes, which have neither a GLIMS id nor a date"
    if layout is None:
        columns = ", ".join(about.columns[:8]) or "none"
        return f"its columns are not recognised ({columns}); import_outlines --map names them"
    return _no_dates(path, about.columns) if layout.name == "usgs" else ""


def _no_dates(path: Path, columns: tuple[str, ...]) -> str:
    """The Little Ice Age layer of the USGS series says 'LIA' where a year should stand."""
    column = next(name for name in columns if name.lower() == "year")
    years = {str(row[column]) for row in rows(path)}
    if any(year.isdigit() for year in years):
        return ""
    return f"its Year is {', '.join(sorted(years))}: the Little Ice Age maximum has no calendar date"
