"""The real collection: where it lies, and the row that stands for a check whose files are absent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from pathlib import Path

from machine import ROOT
from science_page import Row, told

DATA = Path(os.environ.get("GLACIERWEB_DATA", ROOT.parent / "shared" / "data"))

Part = Callable[[Sequence[int]], Iterator[Row]]


def needs(folder: str) -> Callable[[Part], Part]:
    """A part that reads this folder or file of the collection; without it one row says so by name."""

    def around(part: Part) -> Part:
        @wraps(part)
        def run(seeds: Sequence[int]) -> Iterator[Row]:
            if (DATA / folder).exists():
                yield from part(seeds)
            else:
                yield told(f"{part.__name__} (real)", "not run", f"{folder} is absent: set GLACIERWEB_DATA")

        return run

    return around
