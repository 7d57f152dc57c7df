"""Where and under what load a figure was measured: one line for the head of every page of results."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a script is started by its path; what it measures lies one folder up


def processor() -> str:
    """The processor's own name for itself."""
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def here() -> str:
    """Date, processor, cores and the load of the last minute; a load above the cores means that others were at work."""
    load = os.getloadavg()[0]
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {processor()}, {os.cpu_count()} cores, load average {load:.1f}"


def write_page(name: str, lines: list[str]) -> None:
    """docs/benchmarks/NAME.md, whole or not at all."""
    page = ROOT / "docs" / "benchmarks" / f"{name}.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    draft = page.with_suffix(".tmp")
    draft.write_text("\n".join([*lines, ""]))
    draft.replace(page)
