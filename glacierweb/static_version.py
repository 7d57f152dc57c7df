"""Static files under an address that changes with their content, so that a browser keeps them for a year and asks for
none of them twice. Modules import each other by relative paths: all of them move together."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.templatetags.static import static

DIGITS = 12


def version_of(*places: Path) -> str:
    """Twelve hexadecimal digits of all names and contents below some folders, and of some files; what is missing counts
    as empty."""
    digest = hashlib.sha256()
    for place in places:
        for path in sorted([place, *place.rglob("*")]):
            if path.is_file():
                digest.update(f"{path.relative_to(place.parent)}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:DIGITS]


def present(request: HttpRequest, path: str, version: str = "") -> HttpResponseRedirect:
    """From an address of another version, or of none, to the present one; 404 where that has no such file."""
    if settings.STATIC_URL in {f"/static/{version}/", "/static/"}:
        raise Http404(f"There is no static file {path[:200]}.")
    return HttpResponseRedirect(static(path), headers={"Cache-Control": "no-cache"})
