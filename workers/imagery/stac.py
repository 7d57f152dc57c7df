"""Scenes from catalogues and folders."""

from __future__ import annotations

from workers.imagery.datafolder import FolderReading, Skip, folder
from workers.imagery.found import Asset, FoundScene, without_duplicates

__all__ = ["Asset", "FolderReading", "FoundScene", "Skip", "folder", "without_duplicates"]
