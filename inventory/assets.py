"""Rasters as files: Cloud-Optimised GeoTIFFs that answer byte ranges (RFC 9110 section 14)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from glacierweb.paths import data_path
from glacierweb.problems import Problem
from inventory import asking
from inventory.models import Scene

COG = "image/tiff; application=geotiff; profile=cloud-optimized"
BLOCK = 1 << 16
FOR_A_YEAR = "public, max-age=31536000, immutable"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@require_safe
def scene(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The prepared bands of a stored scene on its work grid."""
    found = get_object_or_404(Scene, pk=pk)
    if found.state != Scene.State.STORED:
        raise Problem(404, "No raster", f"Scene {pk} is {found.state}: it has no raster (yet).")
    return raster(request, data_path(found.raster), f"{found.key}.tif")


def raster(request: HttpRequest, path: Path, name: str) -> HttpResponseBase:
    """The file, or the part of it that a Range header asks for; 410 where it is gone from the disk."""
    if not path.is_file():
        raise Problem(410, "Raster gone", f"{name} is not on disk any more; ask for its run again.", kind="gone")
    asking.known(request.GET, set())
    tag, size = _tag(path), path.stat().st_size
    response = get_conditional_response(request, etag=tag) or _body(request, path, tag, size)
    response["ETag"] = tag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = FOR_A_YEAR if _SHA256.fullmatch(path.stem) else "public, no-cache"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Encoding"] = "identity"  # a range of a compressed answer would be no range of the file
    return response


def _tag(path: Path) -> str:
    """Entity tag: the content's hash where the file is named by it, else what changes with the content."""
    if _SHA256.fullmatch(path.stem):
        return f'"{path.stem}"'
    about = path.stat()
    return f'"{hashlib.sha256(f"{path.name} {about.st_mtime_ns} {about.st_size}".encode()).hexdigest()[:32]}"'


def _body(request: HttpRequest, path: Path, tag: str, size: int) -> HttpResponseBase:
    asked = request.headers.get("Range", "")
    if request.headers.get("If-Range", tag) != tag or not (part := byte_range(asked, size)):
        return FileResponse(path.open("rb"), content_type=COG)
    first, last = part
    response = StreamingHttpResponse(_pieces(path, first, last), status=206, content_type=COG)
    response["Content-Range"] = f"bytes {first}-{last}/{size}"
    response["Content-Length"] = str(last - first + 1)
    return response


def byte_range(asked: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a single range; None for no range, a malformed one or several: the whole file is sent.

    Raises Problem 416 for a range that begins behind the end.
    """
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", asked.strip())
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        begin, end = max(0, size - int(last)), size - 1
    else:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and first and int(last) < int(first):
        return None
    if begin >= size:
        headers = {"Content-Range": f"bytes */{size}"}
        raise Problem(416, "Range not satisfiable", f"The file has {size} bytes.", headers=headers)
    return begin, end


def _pieces(path: Path, first: int, last: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        left = last - first + 1
        while left > 0 and (piece := file.read(min(BLOCK, left))):
            left -= len(piece)
            yield piece
