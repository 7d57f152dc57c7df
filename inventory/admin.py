"""The inventory in Django's admin: what came in can be read, an outline can be redrawn, a scene fetched again."""

from __future__ import annotations

from typing import Any

import shapely
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from leaflet.admin import LeafletGeoAdmin

from inventory import outlines, scenes
from inventory.models import AreaOfInterest, Glacier, Outline, Region, Scene, Source


class ReadOnly:
    """Rows that only imports and workers write; like the API they are open to all of the staff."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.is_staff

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Region)
class RegionAdmin(ReadOnly, admin.ModelAdmin):
    """Regions of the Randolph Glacier Inventory."""

    list_display = ["code", "name", "trend_region"]


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):
    """Sources: their licence and citation may be corrected."""

    list_display = ["name", "kind", "licence"]
    list_filter = ["kind"]
    readonly_fields = ["recorded_at"]


@admin.register(Glacier)
class GlacierAdmin(admin.ModelAdmin):
    """Glaciers; identifiers and places are never edited."""

    list_display = ["glac_id", "name", "region", "id_source", "status", "simulated"]
    list_filter = ["region", "id_source", "status", "simulated"]
    search_fields = ["glac_id", "name", "alias_text"]
    fields = ["glac_id", "id_source", "name", "region", "status", "aliases", "simulated", "recorded_at"]
    readonly_fields = ["glac_id", "id_source", "aliases", "simulated", "recorded_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(Outline)
class OutlineAdmin(LeafletGeoAdmin):
    """Outlines: redrawing one computes its area, the preferred dates and the glacier's domain anew."""

    list_display = ["glacier", "src_date", "src_date_precision", "area_km2", "source", "analyst", "preferred"]
    list_filter = ["source", "preferred", "simulated", "src_date_precision"]
    search_fields = ["glacier__glac_id", "glacier__name", "anlys_id"]
    list_select_related = ["glacier", "source"]
    raw_id_fields = ["glacier"]
    readonly_fields = [
        "area_km2", "area_analyst_km2", "perimeter_km", "preferred", "valid", "recorded_at", "content_sha256",
        "attributes", "aliases", "simulated", "source",
    ]  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Outline, form: Any, change: bool) -> None:
        """Keep what follows from the shape and the date true."""
        outlines.redraw(obj, shapely.from_wkb(bytes(obj.geometry.wkb)))


@admin.register(AreaOfInterest)
class AreaOfInterestAdmin(ReadOnly, admin.ModelAdmin):
    """Areas of interest; their grids are frozen."""

    list_display = ["name", "glacier", "simulated", "recorded_at"]
    search_fields = ["name"]
    exclude = ["polygon"]


@admin.register(Scene)
class SceneAdmin(ReadOnly, admin.ModelAdmin):
    """Scenes and what became of them."""

    list_display = ["key", "kind", "collection", "sensor", "acquired", "cloud_percent", "state", "simulated"]
    list_filter = ["state", "kind", "collection", "simulated"]
    search_fields = ["key"]
    date_hierarchy = "acquired"
    exclude = ["footprint"]
    actions = ["fetch_again"]

    @admin.action(description="Fetch again the scenes that failed", permissions=["view"])
    def fetch_again(self, request: HttpRequest, chosen: QuerySet[Scene]) -> None:
        """Ask the workers once more for what could not be read."""
        asked = sum(scenes.retry(scene, request.user if request.user.is_authenticated else None) for scene in chosen)
        self.message_user(request, f"{asked} scenes are asked for again.", messages.SUCCESS)
