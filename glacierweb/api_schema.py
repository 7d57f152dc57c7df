"""What the OpenAPI description says of every operation alike: anybody reads, refusals are problem documents."""

from __future__ import annotations

import inspect
from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer

from glacierweb.problems import CONTENT_TYPE

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
PROBLEM = {
    "type": "object",
    "description": "What was refused, why and what to do (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": TEXT | {"description": "Path of the page that explains this kind of problem."},
        "title": TEXT,
        "status": WHOLE,
        "detail": TEXT,
        "instance": TEXT | {"description": "The request id, also in X-Request-ID."},
        "errors": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
    },
}
REFUSED = {
    "description": "A problem document.",
    "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class GeoJSONRenderer(JSONRenderer):
    """Features under the media type that RFC 7946 registers."""

    media_type = "application/geo+json"
    format = "geojson"


class ResourceSchema(AutoSchema):
    """A resource is described by its class, and by its handler where that is its own."""

    def get_description(self) -> str:  # type: ignore[override]  # the stubs are of another AutoSchema
        """The words of the view, then those of a handler that the view wrote itself."""
        view, handler = type(self.view), getattr(self.view, getattr(self.view, "action", "") or self.method.lower())
        own = handler.__qualname__.startswith(f"{view.__name__}.")
        told = [inspect.getdoc(view), inspect.getdoc(handler) if own else ""]
        return " ".join(filter(None, told))

    def get_auth(self) -> list[dict[str, Any]]:
        """Reads need no credentials."""
        known = super().get_auth()
        return [{}, *known] if self.method in SAFE_METHODS else known


def with_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's hook: every operation may answer with a problem document."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= "4":
                    response["content"] = REFUSED["content"]
            operation["responses"]["default"] = REFUSED
    return result
