"""A folder of rasters -> scenes: by a STAC Item beside the file, a row of scenes.csv, or a known product name.

What is none of these is skipped, counted and listed with the reason; a skip is no failure. Nothing outside the folder
is ever opened, whatever a file inside it says.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from workers.imagery import scenelist, stacitem
from workers.imagery.found import FoundScene, without_duplicates
from workers.imagery.grid import Grid, is_metric
from workers.imagery.products import by_product_name
from workers.imagery.rasters import UnreadableRaster, opened

RASTERS = {".tif", ".tiff"}
IMAGES = {".png", ".jpg", ".jpeg", ".jp2", ".vrt", ".img", ".nc", ".hdf", ".h5"}
MAX_ITEM_BYTES = 4 * 2**20  # a larger JSON file is no Item but a layer of outlines
TRUTH = "truth"  # what only the simulator may know; a simulated world is read like a real one


class Skip(NamedTuple):
    """A raster that was passed over, by its path in the folder, and why."""

    path: str
    reason: str


class FolderReading(NamedTuple):
    """Scenes of a folder, oldest first, and what was skipped."""

    found: list[FoundScene]
    skipped: list[Skip]


def folder(path: str | Path) -> FolderReading:
    """Read a data folder (headers only); NotADirectoryError when it is none."""
    root = Path(path).resolve()
    if not root.is_dir():
        raise NotADirectoryError(f"{path} is not a folder; give the folder that holds the rasters.")
    reader = _Reader(root)
    reader.run()
    scenes = without_duplicates(reader.found)
    undated = [scene for scene in scenes if scene.acquired is None]
    dated = sorted((scene for scene in scenes if scene.acquired), key=lambda scene: (scene.acquired, scene.key))
    return FolderReading(dated + undated, sorted(reader.skipped))


def native_grid(scenes: Sequence[FoundScene]) -> Grid:
    """The work grid of a folder of scenes: that of the first scene's file that can be read, when it is metric.

    A file in degrees (or Web Mercator) gives a grid in the work CRS of its place, with square pixels of the same area.
    Raises UnreadableRaster, for the last one tried, where none can be read.
    """
    refused: UnreadableRaster | None = None
    for scene in scenes:
        try:
            with opened(next(iter(scene.assets.values())).href) as dataset:
                own = Grid.of(dataset)
        except UnreadableRaster as error:
            refused = error
            continue
        return own if is_metric(own.crs) else Grid.around(own.footprint(), max(1, round(own.pixel_m)))
    raise refused or UnreadableRaster("there is no scene to take a grid from")


class _Reader:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.found: list[FoundScene] = []
        self.skipped: list[Skip] = []
        self.open = {file for file in _files(root) if file.suffix.lower() in RASTERS | IMAGES}

    def run(self) -> None:
        """Items first, then lists, then product names; each file is used once."""
        self._truth()
        for file in sorted(f for f in _files(self.root) if f.suffix.lower() in {".json", ".geojson"}):
            self._item(file)
        for file in sorted(f for f in _files(self.root) if f.name == "scenes.csv"):
            try:
                self._take(scenelist.read(file, self.root, self.open))
            except (ValueError, OSError, csv.Error) as error:
                self._skip(file, f"no list of scenes that can be read ({error})")
        for file in sorted(f for f in self.open if f.suffix.lower() in IMAGES):
            self._skip(file, "not a GeoTIFF")
        self._take(by_product_name(sorted(self.open), self.root))
        for file in sorted(self.open):
            self._skip(file, "no STAC Item, no row of scenes.csv and no known product name")

    def _truth(self) -> None:
        for file in sorted(self.open):
            if TRUTH in file.relative_to(self.root).parts[:-1]:
                self._skip(file, "truth of a simulated world, not an observation")

    def _item(self, file: Path) -> None:
        try:
            document = json.loads(file.read_text(encoding="utf-8")) if file.stat().st_size <= MAX_ITEM_BYTES else {}
        except (ValueError, OSError, RecursionError):
            return
        if not stacitem.is_item(document) or TRUTH in file.relative_to(self.root).parts[:-1]:
            return
        try:
            scene = stacitem.from_folder(document, file, self.root)
        except ValueError as error:
            beside = file.with_suffix(".tif")
            if beside in self.open:
                self._skip(beside, str(error))
            return
        self._take(([(scene, {Path(asset.href) for asset in scene.assets.values()})], []))

    def _take(self, answer: tuple[list[tuple[FoundScene, set[Path]]], list[tuple[Path, str]]]) -> None:
        for scene, files in answer[0]:
            self.found.append(scene)
            self.open -= files
        for file, reason in answer[1]:
            self._skip(file, reason)

    def _skip(self, file: Path, reason: str) -> None:
        self.skipped.append(Skip(str(file.relative_to(self.root)), reason))
        self.open.discard(file)


def _files(root: Path) -> Iterator[Path]:
    """Plain files under the root; hidden ones and links that lead out of it are not looked at."""
    for file in sorted(root.rglob("*")):
        inside = file.resolve().is_relative_to(root)
        if inside and file.is_file() and not any(part.startswith(".") for part in file.relative_to(root).parts):
            yield file
