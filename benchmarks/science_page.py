"""The table of the simulator's bars: rows that were measured, kept as JSON beside the page that shows them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from machine import ROOT, here

FOLDER = ROOT / "docs" / "science"
HEAD = """# Bars on simulated worlds

`bin/bench science SEED...` runs these checks on worlds made from the given seeds and rewrites the rows that it ran;
the other rows stay as an earlier run left them, each with its own seeds and date. Everything here is simulated unless
the row says otherwise. A bar that is missed stays in the table as missed; [tried.md](tried.md) says what was tried.
*CPU s* is the processor time of the whole part that a row belongs to (training and simulation included), because the
machines are shared.
"""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    check: str
    bar: str
    reached: str
    met: bool | None
    """None: reported only, there is no bar."""
    note: str = ""


def under(check: str, value: float, bar: float, text: str = "{:.3f}", note: str = "") -> Row:
    """A value that must not exceed its bar."""
    return Row(check, f"<= {bar:g}", text.format(value), bool(value <= bar), note)


def over(check: str, value: float, bar: float, text: str = "{:.3f}", note: str = "") -> Row:
    """A value that must reach its bar."""
    return Row(check, f">= {bar:g}", text.format(value), bool(value >= bar), note)


def told(check: str, reached: str, note: str = "") -> Row:
    """A value that is reported without a bar."""
    return Row(check, "reported", reached, None, note)


def keep(part: str, rows: Sequence[Row], seeds: Sequence[int], seconds: float) -> None:
    """Put the rows of one part in the place of its earlier ones and write the page anew."""
    store = FOLDER / "bars.json"
    known = json.loads(store.read_text()) if store.exists() else {}
    known[part] = {"rows": [asdict(row) for row in rows], "seeds": list(seeds), "seconds": round(seconds, 1),
                   "where": here()}  # fmt: skip
    FOLDER.mkdir(parents=True, exist_ok=True)
    _write(store, json.dumps(known, indent=1) + "\n")
    _write(FOLDER / "bars.md", page(known))


def page(known: dict) -> str:
    """The whole page."""
    lines = [HEAD, "| check | bar | reached | | seeds | CPU s | with |", "| --- | --- | --- | --- | --- | --- | --- |"]
    for found in known.values():
        seeds = ", ".join(str(seed) for seed in found["seeds"])
        lines += [_line(row, seeds, found["seconds"]) for row in found["rows"]]
    lines += ["", "Measured:", ""]
    lines += [f"* {part}: {found['where']}" for part, found in known.items()]
    lines += ["", "## Pictures", ""]
    lines += [f"![{path.stem.replace('_', ' ')}]({path.name})\n" for path in sorted(FOLDER.glob("*.png"))]
    return "\n".join(lines)


def _line(row: dict, seeds: str, seconds: float) -> str:
    met = {True: "met", False: "**missed**", None: ""}[row["met"]]
    return f"| {row['check']} | {row['bar']} | {row['reached']} | {met} | {seeds} | {seconds:.0f} | {row['note']} |"


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_text(text)
    draft.replace(path)
