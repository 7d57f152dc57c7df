"""Scenes from catalogues (`search`, `fetch`) and from folders (`folder`)."""

from __future__ import annotations

from workers.imagery.catalogues import Catalogue, configured, fetch, search
from workers.imagery.datafolder import FolderReading, Skip, folder
from workers.imagery.fetching import FetchFailed, RefusedAddress
from workers.imagery.found import Asset, FoundScene, without_duplicates

__all__ = [
    "Asset",
    "Catalogue",
    "FetchFailed",
    "FolderReading",
    "FoundScene",
    "RefusedAddress",
    "Skip",
    "configured",
    "fetch",
    "folder",
    "search",
    "without_duplicates",
]
