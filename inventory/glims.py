"""Outline files <-> outlines: GLIMS v1/v2 downloads, RGI 5 to 7, USGS series, our own. Alone knows their columns.

GLIMS: conventions of the v2 schema (https://github.com/nsidc/glims-db-refactor). RGI: user guides of versions 5 to 7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import MultiPolygon

from inventory.geodesy import polygons_of
from inventory.identifiers import is_glims_id
from inventory.records import OutlineRecord, When, moment, name_text, number, period, text

Row = dict[str, Any]


class SkippedRow(ValueError):
    """A row that is no outline of a glacier at a date; the message says why."""


@dataclass(frozen=True)
class Layout:
    """One way of writing outlines: the (lower-case) columns that show it, and how its rows are read."""

    name: str
    needs: frozenset[str]
    read: Callable[[list[Row]], OutlineRecord]
    source: str
    licence: str = ""
    citation: str = ""
    kind: str = "inventory"
    one_of: frozenset[str] = frozenset()
    joins: tuple[str, ...] = ()
    """Columns that tell which rows are parts of one outline; none: each row is one."""

    def fits(self, columns: Iterable[str]) -> bool:
        """Whether a file with these columns is written this way."""
        have = {column.lower() for column in columns}
        return self.needs <= have and (not self.one_of or bool(self.one_of & have))

    def grouped(self, rows: list[Row]) -> Iterable[list[Row]]:
        """The rows of each outline, in the order of the file."""
        if not self.joins:
            return ([row] for row in rows)
        told = {id(row): self._told(row) for row in rows}
        first: dict[tuple, int] = {}
        for position, row in enumerate(rows):
            first.setdefault(told[id(row)], position)
        ordered = sorted(rows, key=lambda row: first[told[id(row)]])
        return (list(group) for _, group in groupby(ordered, key=lambda row: told[id(row)]))


    def _told(self, row: Row) -> tuple:
        """What the rows of one outline have in common; a row that names no glacier stands for itself."""
        told = tuple(text(row.get(column)) for column in self.joins)
        return told if all(told[:1]) else (id(row),)


def layout_of(columns: Iterable[str]) -> Layout | None:
    """The layout that a file's columns show; None for a file that needs a map of its fields."""
    columns = list(columns)
    return next((layout for layout in LAYOUTS.values() if layout.fits(columns)), None)


def is_complex(columns: Iterable[str]) -> bool:
    """Whether these are the columns of RGI 7's glacier complexes (product C): contiguous ice, not single glaciers."""
    have = {column.lower() for column in columns}
    return "rgi_id" in have and not have & {"glims_id", "src_date"}


def _glims(rows: list[Row]) -> OutlineRecord:
    """One analysis of one glacier: its parts are joined, its interior rocks (GLIMS v1) cut out.

    `db_area` stands on every part for the whole analysis and is never summed.
    """
    bounds = [row for row in rows if text(row["line_type"]) in {"glac_bound", ""}]
    rocks = [row["geometry"] for row in rows if text(row["line_type"]) == "intrnl_rock"]
    if not bounds:
        kinds = sorted({text(row["line_type"]) for row in rows})
        raise SkippedRow(f"line_type {', '.join(kinds)} is no glacier boundary")
    first, shape = bounds[0], shapely.union_all([row["geometry"] for row in bounds])
    if rocks:
        shape = shapely.difference(shape, shapely.union_all(rocks))
    return OutlineRecord(
        geometry=polygons_of(shape),
        when=period(first.get("src_date"), first.get("src_dt_end")),
        feature=f"anlys_id {text(first.get('anlys_id'))}",
        glac_id=text(first.get("glac_id")),
        name=name_text(first.get("glac_name")),
        aliases=_aliases(first, wgms_id="wgms_id", local_id="local_id", rgi_id="rgiid"),
        region=text(first.get("gtng_o1reg")),
        anlys_id=text(first.get("anlys_id")),
        anlys_time=moment(first.get("anlys_time")),
        release_date=moment(first.get("release_dt")),
        analyst=text(first.get("analysts"))[:300],
        method=text(first.get("proc_desc")),
        area_analyst_km2=number(first.get("area"), positive=True),
        loc_unc_m=_larger(first, "loc_unc_x", "loc_unc_y"),
        glob_unc_m=_larger(first, "glob_unc_x", "glob_unc_y"),
        status="gone" if text(first.get("glac_stat")) == "gone" else "",
        attributes=_attributes(first) | {"parts": len(bounds), "interior_rocks": len(rocks)},
    )


def _rgi(rows: list[Row]) -> OutlineRecord:
    """RGI 7 glacier product; parts that share a GLIMS id and an analysis are one outline."""
    row = rows[0]
    return OutlineRecord(
        geometry=_joined(rows),
        when=period(row["src_date"]),
        feature=text(row["rgi_id"]),
        glac_id=text(row["glims_id"]),
        name=name_text(row.get("glac_name")),
        aliases=_aliases(row, rgi_id="rgi_id", wgms_id="wgms_id"),
        region=text(row.get("o1region")),
        anlys_id=text(row.get("anlys_id")),
        also_rgi_ids=tuple(text(part["rgi_id"]) for part in rows[1:]),
        area_analyst_km2=_sum(rows, "area_km2"),
        method="Randolph Glacier Inventory 7.0",
        attributes=_attributes(row) | {"parts": len(rows)},
    )


def _old_rgi(rows: list[Row]) -> OutlineRecord:
    """RGI 4 to 6: BgnDate and EndDate as YYYYMMDD, 99 for what is not known, -9999999 for none."""
    row = rows[0]
    version = text(row["rgiid"])[3:5]
    return OutlineRecord(
        geometry=_joined(rows),
        when=period(row["bgndate"], row.get("enddate")),
        feature=text(row["rgiid"]),
        glac_id=text(row["glimsid"]),
        name=name_text(row.get("name")),
        aliases=_aliases(row, rgi_id="rgiid"),
        region=text(row.get("o1region")),
        also_rgi_ids=tuple(text(part["rgiid"]) for part in rows[1:]),
        area_analyst_km2=_sum(rows, "area"),
        method=f"Randolph Glacier Inventory {version[:1]}.{version[1:]}" if version.isdigit() else "",
        attributes=_attributes(row) | {"parts": len(rows)},
    )


def _usgs(rows: list[Row]) -> OutlineRecord:
    """USGS margin time series: `num` names the glacier in every file, only the year is known, AREA is in m2."""
    row = rows[0]
    year = text(row["year"])
    if not re.fullmatch(r"\d{4}", year):
        raise SkippedRow(f"Year is '{year}', not a calendar year (the Little Ice Age maximum has no date)")
    area_m2 = number(row.get("area"), positive=True)
    return OutlineRecord(
        geometry=row["geometry"],
        when=period(year),
        feature=f"num {text(row['num'])}",
        name=name_text(row["glacname"]),
        aliases={"local_id": text(row["num"])},
        area_analyst_km2=area_m2 / 1e6 if area_m2 else None,
        method="Digitised from aerial and satellite imagery",
        analyst="Fagre, D.; McKeon, L.; Dick, K.; Fountain, A.",
        attributes=_attributes(row),
    )


def _own(rows: list[Row]) -> OutlineRecord:
    """Our own exports, simulated worlds, and any file whose columns were mapped to these names."""
    row = rows[0]
    glac_id = text(row.get("glac_id"))
    when = period(row["src_date"], row.get("src_date_end"))
    precision = text(row.get("src_date_precision"))
    return OutlineRecord(
        geometry=row["geometry"],
        when=When(when.start, when.end, precision) if precision in {"day", "month", "year", "interval"} else when,
        feature=text(row.get("glac_name")) or glac_id or text(row.get("local_id")) or "a feature",
        glac_id=glac_id if is_glims_id(glac_id) else "",
        name=name_text(row.get("glac_name")),
        aliases=_aliases(row, local_id="local_id", rgi_id="rgi_id", wgms_id="wgms_id"),
        region=text(row.get("region")),
        anlys_id=text(row.get("anlys_id")),
        anlys_time=moment(row.get("anlys_time")),
        analyst=text(row.get("analyst") or row.get("analysts"))[:300],
        method=text(row.get("method") or row.get("proc_desc")),
        citation=text(row.get("citation")),
        area_analyst_km2=number(row.get("area_analyst_km2"), positive=True),
        loc_unc_m=number(row.get("loc_unc_m") or row.get("loc_unc"), positive=True),
        simulated=text(row.get("simulated")).lower() in {"true", "1", "yes"},
        attributes=_attributes(row),
    )


def _joined(rows: list[Row]) -> MultiPolygon:
    return rows[0]["geometry"] if len(rows) == 1 else polygons_of(shapely.union_all([row["geometry"] for row in rows]))


def _sum(rows: list[Row], column: str) -> float | None:
    """The inventory's area of all parts; RGI gives each part its own figure."""
    areas = [area for row in rows if (area := number(row.get(column), positive=True)) is not None]
    return sum(areas) if len(areas) == len(rows) else None


def _aliases(row: Row, **columns: str) -> dict[str, str]:
    found = {name: text(row.get(column)) for name, column in columns.items()}
    return {name: value for name, value in found.items() if value}


def _larger(row: Row, *columns: str) -> float | None:
    values = [value for column in columns if (value := number(row.get(column), positive=True)) is not None]
    return max(values, default=None)


def _attributes(row: Row) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "geometry" and not key.startswith("_")}


RGI_LICENCE = "CC BY 4.0"
LAYOUTS: dict[str, Layout] = {
    "glims": Layout(
        "glims", frozenset({"line_type", "anlys_id", "glac_id", "src_date"}), _glims, "GLIMS Glacier Database",
        "GLIMS data: open, cite the analysts",
        "GLIMS Consortium, 2005. GLIMS Glacier Database, Version 1. Boulder Colorado, USA. NASA National Snow and Ice "
        "Data Center Distributed Active Archive Center. DOI: https://doi.org/10.7265/N5V98602",
        joins=("anlys_id", "glac_id"),
    ),
    "rgi7": Layout(
        "rgi7", frozenset({"rgi_id", "glims_id", "src_date"}), _rgi, "RGI 7.0", RGI_LICENCE,
        "RGI 7.0 Consortium, 2023. Randolph Glacier Inventory - A Dataset of Global Glacier Outlines, Version 7.0. "
        "Boulder, Colorado USA. NSIDC: National Snow and Ice Data Center. doi:10.5067/f6jmovy5navz",
        joins=("glims_id", "anlys_id", "src_date"),
    ),
    "rgi5": Layout(
        "rgi5", frozenset({"rgiid", "glimsid", "bgndate", "rgiflag"}), _old_rgi, "RGI 5.0", RGI_LICENCE,
        "Arendt, A., et al., 2015. Randolph Glacier Inventory - A Dataset of Global Glacier Outlines: Version 5.0. "
        "Global Land Ice Measurements from Space, Boulder Colorado, USA. Digital Media.",
        joins=("glimsid", "bgndate"),
    ),
    "rgi6": Layout(
        "rgi6", frozenset({"rgiid", "glimsid", "bgndate"}), _old_rgi, "RGI 6.0", RGI_LICENCE,
        "RGI Consortium, 2017. Randolph Glacier Inventory - A Dataset of Global Glacier Outlines, Version 6.0. "
        "Boulder, Colorado USA. NSIDC: National Snow and Ice Data Center. doi:10.7265/4m1f-gd79",
        joins=("glimsid", "bgndate"),
    ),
    "usgs": Layout(
        "usgs", frozenset({"year", "glacname", "num"}), _usgs, "USGS Glacier National Park margin time series",
        "Public domain (USGS)",
        "Fagre, D.B., McKeon, L.A., Dick, K.A., and Fountain, A.G., 2017, Glacier margin time series (1966, 1998, "
        "2005, 2015) of the named glaciers of Glacier National Park, MT, USA: U.S. Geological Survey data release, "
        "ScienceBase item 58af7022e4b01ccd54f9f542.",
    ),
    "own": Layout(
        "own", frozenset({"src_date"}), _own, "",
        one_of=frozenset({"glac_id", "glac_name", "local_id", "simulated"}),
    ),
}  # fmt: skip


def citations(folder: Path) -> Callable[[str], str]:
    """The citation of an analysis id out of a download's CITATIONS.txt; '' where there is none."""
    file = folder / "CITATIONS.txt"
    blocks: list[tuple[int, int, str]] = []
    if file.is_file():
        for block in re.split(r"\n\s*\n", file.read_text(errors="replace")):
            if found := re.search(r"\[Analysis_IDs (\d+)(?:--(\d+))?", block):
                first, last = int(found[1]), int(found[2] or found[1])
                blocks.append((first, last, " ".join(block.split())))

    def of(anlys_id: str) -> str:
        number_of = int(anlys_id) if anlys_id.isdigit() else -1
        return next((words for first, last, words in blocks if first <= number_of <= last), "")

    return of


def with_citation(record: OutlineRecord, of: Callable[[str], str], otherwise: str) -> OutlineRecord:
    """The record with the words to cite it by: its own, else its block of CITATIONS.txt, else its source's."""
    return replace(record, citation=record.citation or of(record.anlys_id) or otherwise)
