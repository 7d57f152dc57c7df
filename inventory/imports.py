"""Import of outline files: each file as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction

from inventory import glims, outlines
from inventory.identifiers import is_glims_id
from inventory.models import Source
from inventory.records import OutlineRecord, WrongDate
from inventory.shapes import RefusedShape, outline_shape
from inventory.vector_files import RefusedFile, inspect, rows

MOST_ERRORS = 20


@dataclass(frozen=True)
class Asked:
    """How to read a file and what to write beside its outlines; empty means: as its layout says."""

    layout: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    """Our field name to the file's column."""
    repair: bool = False
    source: str = ""
    licence: str = ""
    citation: str = ""
    dry_run: bool = False


@dataclass(frozen=True)
class Parsed:
    """A file whose every row was read and checked, before anything is written."""

    path: Path
    layout: glims.Layout
    records: list[OutlineRecord]
    skipped: dict[str, int]
    warnings: list[str]


@dataclass(frozen=True)
class Imported:
    """What came of one file."""

    path: Path
    new: int
    known: int
    glaciers: int
    skipped: dict[str, int]
    warnings: list[str]


class _DryRun(Exception):
    """Undoes the transaction of a rehearsal."""


def read(path: Path, asked: Asked) -> Parsed:
    """Read and check a file. RefusedFile names each feature that is wrong (the first 20) and what to do."""
    layout = _layout(path, asked)
    skipped: dict[str, int] = {}
    errors: list[dict] = []
    warnings: list[str] = []
    records: list[OutlineRecord] = []
    cited = glims.citations(path.parent)
    clean = [_clean(row, index, asked, errors, warnings) for index, row in enumerate(rows(path))]
    for group in layout.grouped([row for row in clean if row is not None]):
        try:
            one = layout.read(group)
        except glims.SkippedRow as reason:
            skipped[str(reason)] = skipped.get(str(reason), 0) + len(group)
            continue
        except WrongDate as error:
            errors.append({"code": "date", "feature": group[0]["_feature"], "message": str(error), "location": None})
            continue
        one = replace(one, attributes=one.attributes | _repairs(group))
        if one.glac_id and not is_glims_id(one.glac_id):
            warnings.append(f"{one.feature}: '{one.glac_id}' is not a GLIMS identifier and was not used as one")
            one = replace(one, glac_id="")
        records.append(glims.with_citation(one, cited, asked.citation or layout.citation))
    _refuse(path, errors)
    return Parsed(path, layout, records, skipped, warnings)


def write(parsed: Parsed, asked: Asked) -> Imported:
    """Store a file's outlines in one transaction (rolled back in a rehearsal)."""
    counts = {"new": 0, "known": 0, "glaciers": 0}
    try:
        with transaction.atomic():
            if parsed.records:
                counts = outlines.store(parsed.records, _source(parsed, asked))
            if asked.dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return Imported(parsed.path, **counts, skipped=parsed.skipped, warnings=parsed.warnings)


def run(
    paths: list[Path], asked: Asked, report: Callable[[float, str], None] = lambda fraction, step: None
) -> tuple[list[Imported], list[RefusedFile]]:
    """Import files, the oldest outlines first; a file that is refused does not stop the others."""
    parsed, refused = [], []
    for number, path in enumerate(paths):
        report(number / (2 * len(paths)), f"reading {path.name}")
        try:
            parsed.append(read(path, asked))
        except RefusedFile as error:
            refused.append(error)
    parsed.sort(key=lambda one: min((r.when.start for r in one.records), default=date.max))
    done = []
    for number, one in enumerate(parsed):
        report(0.5 + number / (2 * len(parsed)), f"storing {len(one.records)} outlines of {one.path.name}")
        done.append(write(one, asked))
    return done, refused


def _layout(path: Path, asked: Asked) -> glims.Layout:
    about = inspect(path)
    if asked.layout and asked.layout not in glims.LAYOUTS:
        raise RefusedFile(f"--format {asked.layout} is not known; use one of {', '.join(glims.LAYOUTS)}")
    taken = {column.lower(): column for column in about.columns}
    missing = [column for column in asked.fields.values() if column.lower() not in taken]
    if missing:
        raise RefusedFile(f"{path.name} has no column {', '.join(missing)}; it has {', '.join(about.columns)}")
    columns = [*about.columns, *asked.fields]
    layout = glims.LAYOUTS[asked.layout] if asked.layout else glims.layout_of(columns)
    if layout is None or not layout.needs <= {column.lower() for column in columns}:
        wanted = f" as {layout.name}" if layout else ""
        raise RefusedFile(
            f"the columns of {path.name} are not recognised{wanted} ({', '.join(about.columns) or 'none'}); "
            "say which is which, for instance --map src_date=DATE --map glac_name=NAME"
        )
    return layout


def _clean(row: dict[str, Any], index: int, asked: Asked, errors: list, warnings: list) -> dict[str, Any] | None:
    """The row with lower-case columns and a sound geometry; None (and an error) where it has none."""
    found = {key.lower(): value for key, value in row.items()}
    found |= {name: found.get(column.lower()) for name, column in asked.fields.items()}
    found["_feature"] = index
    try:
        found["geometry"], found["_repair"] = outline_shape(row["geometry"], asked.repair)
    except RefusedShape as error:
        errors.append({"code": error.code, "feature": index, "message": str(error), "location": error.location})
        return None
    if repair := found["_repair"]:
        warnings.append(
            f"feature {index} was repaired ({repair.fault}): {repair.area_before_km2:.6f} km2 before, "
            f"{repair.area_after_km2:.6f} km2 after"
        )
    return found


def _repairs(group: list[dict[str, Any]]) -> dict[str, Any]:
    made = [vars(row["_repair"]) | {"feature": row["_feature"]} for row in group if row["_repair"]]
    return {"repairs": made} if made else {}


def _refuse(path: Path, errors: list[dict]) -> None:
    if errors:
        first = "; ".join(f"feature {error['feature']}: {error['message']}" for error in errors[:3])
        more = f" (and {len(errors) - 3} more)" if len(errors) > 3 else ""
        raise RefusedFile(f"{path.name} was not imported. {first}{more}", errors[:MOST_ERRORS])


def _source(parsed: Parsed, asked: Asked) -> Source:
    simulated = all(record.simulated for record in parsed.records)
    name = asked.source or parsed.layout.source or ("Simulated world" if simulated else parsed.path.stem)
    return Source.objects.get_or_create(
        name=name[:200],
        defaults={
            "kind": "simulated" if simulated else parsed.layout.kind,
            "licence": asked.licence or parsed.layout.licence,
            "citation": asked.citation or parsed.layout.citation,
        },
    )[0]
