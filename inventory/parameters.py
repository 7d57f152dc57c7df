"""The query parameters of the API as OpenAPI describes them; `asking` reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from inventory.asking import MOST_CHARACTERS
from inventory.identifiers import GLIMS_ID
from inventory.models import Scene

_FLOAT = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2}))?"
_TEXT = {"type": "string", "maxLength": MOST_CHARACTERS, "pattern": "^[^\\x00]*$"}
_NUMBER, _BOOLEAN = {"type": "number"}, {"type": "boolean"}
_ROW = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
_CODE = {"type": "string", "pattern": "^[0-9]{1,2}$"}
_SPAN = {"type": "string", "pattern": rf"^({_DAY}|\.\.)?(/({_DAY}|\.\.)?)?$", "example": "2000-01-01/2003-08-24"}
_BOX = {"type": "string", "pattern": f"^{_FLOAT}(,{_FLOAT}){{3}}(,{_FLOAT},{_FLOAT})?$", "example": "12.9,47,13.5,47.3"}
_GLIMS = {"type": "string", "pattern": GLIMS_ID.pattern}
TOLD: dict[str, tuple[dict[str, Any], str]] = {
    "bbox": (_BOX, "west,south,east,north in degrees; west larger than east crosses the antimeridian"),
    "datetime": (_SPAN, "RFC 3339 instant, or interval with .. for an open end; whatever meets it"),
    "year": ({"type": "integer", "minimum": 1600, "maximum": 2200},
             "outlines: the preferred one of each glacier on 31 December; predictions: of this year"),
    "region": (_CODE, "two digits of an RGI first-order region that has glaciers here; 00 is simulated"),
    "glac_id": (_GLIMS, "GLIMS glacier identifier"),
    "name": (_TEXT, "part of a name"),
    "q": (_TEXT, "names and any identifier"),
    "source": (_TEXT, "name or kind of the source"),
    "status": (_TEXT, "status of the glacier"),
    "area_min": (_NUMBER, "km2"),
    "area_max": (_NUMBER, "km2"),
    "preferred": (_BOOLEAN, "true for the newest analysis of each date"),
    "simulated": (_BOOLEAN, "true or false"),
    "state": ({"type": "string", "enum": list(Scene.State.values)}, "how far a scene is"),
    "kind": ({"type": "string", "enum": list(Scene.KINDS)}, "what a scene holds"),
    "collection": (_TEXT, "catalogue collection"),
    "version": ({"type": "string", "pattern": "^([1-9][0-9]{0,8}|all|active)$"},
                "number of a version, `all`, or `active` (the default)"),
    "scene": (_ROW, "number of a scene"),
    "product": ({"type": "string", "enum": ["ice", "snow_ice"]}, "glacier ice by a network, or snow and ice by NDSI"),
}  # fmt: skip


def described(names: Iterable[str]) -> list[OpenApiParameter]:
    """The OpenAPI description of query parameters."""
    return [OpenApiParameter(name, TOLD[name][0], description=TOLD[name][1]) for name in sorted(names)]


def one_of(name: str, choices: Iterable[str], description: str = "") -> OpenApiParameter:
    """The description of a parameter that is one of a few words."""
    return OpenApiParameter(name, {"type": "string", "enum": list(choices)}, description=description)
