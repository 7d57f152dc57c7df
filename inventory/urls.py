from __future__ import annotations

api: list = []
tiles: list = []
pages: list = []
