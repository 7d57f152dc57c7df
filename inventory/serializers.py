"""Rows as JSON, in the words of conventions of the field (GLIMS and RGI column names)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework_gis.serializers import GeoFeatureModelSerializer

from inventory.colour_maps import style_hash
from inventory.models import AreaOfInterest, Glacier, Lineage, Outline, Region, Scene
from inventory.winding import Drawn, WoundField


def address(serializer: serializers.Serializer, name: str, *args: Any) -> str:
    """Absolute address of a named route."""
    path = reverse(name, args=args)
    request = serializer.context.get("request")
    return request.build_absolute_uri(path) if request else path


class RegionSerializer(serializers.ModelSerializer):
    """A first-order region with what it holds."""

    n_glaciers = serializers.IntegerField(read_only=True)
    bbox = serializers.SerializerMethodField()

    class Meta:
        model = Region
        fields = ["code", "name", "trend_region", "n_glaciers", "bbox"]

    @extend_schema_field(serializers.ListField(child=serializers.FloatField()))
    def get_bbox(self, region: Region) -> list[float] | None:
        box = getattr(region, "extent", None)
        return [round(value, 5) for value in box] if box else None


class GlacierSerializer(serializers.ModelSerializer):
    """A glacier in a list."""

    region = serializers.SerializerMethodField()
    lon = serializers.FloatField(source="point.x")
    lat = serializers.FloatField(source="point.y")
    bbox = serializers.SerializerMethodField()
    newest_date = serializers.DateField(allow_null=True)
    newest_area_km2 = serializers.FloatField(allow_null=True)
    oldest_date = serializers.DateField(allow_null=True)
    n_outlines = serializers.IntegerField()
    url = serializers.SerializerMethodField()
    page = serializers.SerializerMethodField()

    class Meta:
        model = Glacier
        fields = [
            "glac_id", "name", "region", "id_source", "simulated", "status", "lon", "lat", "bbox", "aliases",
            "newest_date", "newest_area_km2", "oldest_date", "n_outlines", "url", "page",
        ]  # fmt: skip

    @extend_schema_field(serializers.DictField(child=serializers.CharField(), allow_null=True))
    def get_region(self, glacier: Glacier) -> dict[str, str] | None:
        return {"code": glacier.region.code, "name": glacier.region.name} if glacier.region else None

    @extend_schema_field(serializers.ListField(child=serializers.FloatField()))
    def get_bbox(self, glacier: Glacier) -> list[float]:
        box = glacier.domain.extent if glacier.domain else (*glacier.point.coords, *glacier.point.coords)
        return [round(value, 6) for value in box]

    def get_url(self, glacier: Glacier) -> str:
        return address(self, "glacier-detail", glacier.glac_id)

    def get_page(self, glacier: Glacier) -> str:
        return reverse("glacier", args=[glacier.glac_id])


class GlacierDetailSerializer(GlacierSerializer):
    """A glacier with its domain and the addresses of all that belongs to it."""

    domain = WoundField(allow_null=True)
    notes = serializers.SerializerMethodField()
    outlines_url = serializers.SerializerMethodField()
    areas_url = serializers.SerializerMethodField()
    scenes_url = serializers.SerializerMethodField()
    lineage_url = serializers.SerializerMethodField()
    downloads = serializers.SerializerMethodField()

    class Meta(GlacierSerializer.Meta):
        fields = [
            *GlacierSerializer.Meta.fields, "domain", "notes", "outlines_url", "areas_url", "scenes_url",
            "lineage_url", "downloads",
        ]  # fmt: skip

    def _below(self, glacier: Glacier, what: str) -> str:
        return f"{address(self, 'glacier-detail', glacier.glac_id)}{what}/"

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_notes(self, glacier: Glacier) -> list[str]:
        found = []
        if glacier.simulated:
            found.append("Simulated: this glacier does not exist.")
        if glacier.id_source == Glacier.IdSource.DERIVED:
            found.append("It has no GLIMS identifier; this one was derived from a point inside its first outline.")
        if getattr(glacier, "n_outlines", None) == 1:
            found.append("Only one outline is known, so nothing is said about its change.")
        return found

    def get_outlines_url(self, glacier: Glacier) -> str:
        return self._below(glacier, "outlines")

    def get_areas_url(self, glacier: Glacier) -> str:
        return self._below(glacier, "areas")

    def get_scenes_url(self, glacier: Glacier) -> str:
        return self._below(glacier, "scenes")

    def get_lineage_url(self, glacier: Glacier) -> str:
        return self._below(glacier, "lineage")

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_downloads(self, glacier: Glacier) -> list[dict[str, str]]:
        base = address(self, "outline-download")
        labels = {"geojson": "Outlines, GeoJSON", "gpkg": "Outlines, GeoPackage", "csv": "Outlines, CSV"}
        return [
            {"label": label, "format": name, "href": f"{base}?format={name}&glac_id={glacier.glac_id}"}
            for name, label in labels.items()
        ]


class OutlineSerializer(GeoFeatureModelSerializer):
    """An outline as a GeoJSON feature (RFC 7946); its rows come from `filters.drawn`."""

    geometry = Drawn()
    glac_id = serializers.CharField(source="glacier.glac_id")
    glac_name = serializers.CharField(source="glacier.name")
    region = serializers.CharField(source="glacier.region_id", allow_null=True)
    valid_from = serializers.SerializerMethodField()
    valid_to = serializers.SerializerMethodField()
    area_lo_km2 = serializers.SerializerMethodField()
    area_hi_km2 = serializers.SerializerMethodField()
    area_interval_method = serializers.SerializerMethodField()
    source = serializers.SerializerMethodField()
    kind = serializers.SerializerMethodField()
    repaired = serializers.SerializerMethodField()

    class Meta:
        model = Outline
        geo_field = "geometry"
        fields = [
            "id", "geometry", "glac_id", "glac_name", "region", "src_date", "src_date_end", "src_date_precision",
            "valid_from", "valid_to", "preferred", "area_km2", "area_analyst_km2", "area_lo_km2", "area_hi_km2",
            "area_interval_method", "perimeter_km", "loc_unc_m", "glob_unc_m", "source", "analyst", "method",
            "anlys_time", "anlys_id", "release_date", "recorded_at", "aliases", "citation", "repaired", "simulated",
            "kind",
        ]  # fmt: skip

    def to_representation(self, outline: Outline) -> dict:
        """The feature; its id also among the properties, for clients that drop the other one."""
        feature = super().to_representation(outline)
        feature["properties"]["id"] = feature["id"]
        return feature

    @extend_schema_field(serializers.DateField(allow_null=True))
    def get_valid_from(self, outline: Outline) -> str | None:
        return outline.valid.lower.isoformat() if outline.valid else None

    @extend_schema_field(serializers.DateField(allow_null=True))
    def get_valid_to(self, outline: Outline) -> str | None:
        last = outline.last_shown
        return last.isoformat() if last else None

    def get_area_lo_km2(self, outline: Outline) -> float:
        return outline.area_interval()[0]

    def get_area_hi_km2(self, outline: Outline) -> float:
        return outline.area_interval()[1]

    def get_area_interval_method(self, outline: Outline) -> str:
        return outline.area_interval()[2]

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_source(self, outline: Outline) -> dict[str, str]:
        source = outline.source
        return {"name": source.name, "kind": source.kind, "licence": source.licence, "citation": source.citation}

    def get_kind(self, outline: Outline) -> str:
        return "outline"

    @extend_schema_field(serializers.ListField(child=serializers.DictField(), allow_null=True))
    def get_repaired(self, outline: Outline) -> list[dict] | None:
        return outline.attributes.get("repairs")


class SceneSerializer(serializers.ModelSerializer):
    """A scene with the tiles it can be seen in; predictions list its masks at scenes/{id}/masks/."""

    bbox = serializers.SerializerMethodField()
    refusals = serializers.JSONField()
    styles = serializers.SerializerMethodField()
    tiles = serializers.SerializerMethodField()
    raster = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    page = serializers.SerializerMethodField()

    class Meta:
        model = Scene
        fields = [
            "id", "key", "kind", "collection", "sensor", "acquired", "acquired_end", "date_precision",
            "cloud_percent", "missing_fraction", "state", "reason", "refusals", "facts", "simulated", "bbox", "bands",
            "styles", "tiles", "raster", "url", "page",
        ]  # fmt: skip

    @extend_schema_field(serializers.CharField(allow_null=True, help_text="GeoTIFF (COG) of a stored scene's bands."))
    def get_raster(self, scene: Scene) -> str | None:
        return address(self, "scene-raster", scene.pk) if scene.state == Scene.State.STORED else None

    @extend_schema_field(serializers.ListField(child=serializers.FloatField()))
    def get_bbox(self, scene: Scene) -> list[float]:
        return [round(value, 6) for value in scene.footprint.extent]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_styles(self, scene: Scene) -> list[str]:
        return scene.styles

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_tiles(self, scene: Scene) -> dict[str, str]:
        found = {}
        for style in scene.styles:
            folder = "hillshade" if style == "hillshade" else "scenes"
            query = f"?v={style_hash(style)}" if style == "hillshade" else f"?style={style}&v={style_hash(style)}"
            found[style] = f"/tiles/{folder}/{scene.pk}/{{z}}/{{x}}/{{y}}.png{query}"
        return found

    def get_url(self, scene: Scene) -> str:
        return address(self, "scene-detail", scene.pk)

    def get_page(self, scene: Scene) -> str:
        return reverse("scene", args=[scene.pk])


class AreaOfInterestSerializer(serializers.ModelSerializer):
    """An area of interest and its frozen grid."""

    polygon = WoundField()
    grid_shape = serializers.SerializerMethodField()
    glac_id = serializers.CharField(source="glacier.glac_id", allow_null=True, default=None)
    bbox = serializers.SerializerMethodField()

    class Meta:
        model = AreaOfInterest
        fields = ["id", "name", "polygon", "grid", "grid_shape", "glac_id", "simulated", "bbox"]

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_grid_shape(self, aoi: AreaOfInterest) -> list[int]:
        return [aoi.grid["height"], aoi.grid["width"]]

    @extend_schema_field(serializers.ListField(child=serializers.FloatField()))
    def get_bbox(self, aoi: AreaOfInterest) -> list[float]:
        return [round(value, 6) for value in aoi.polygon.extent]


class LineageSerializer(serializers.ModelSerializer):
    """One link; columns as in RGI 7's rgi6_links table."""

    from_date = serializers.DateField(source="from_outline.src_date")
    to_date = serializers.DateField(source="to_outline.src_date")
    from_glac_id = serializers.CharField(source="from_outline.glacier.glac_id")
    to_glac_id = serializers.CharField(source="to_outline.glacier.glac_id")

    class Meta:
        model = Lineage
        fields = [
            "from_outline", "to_outline", "from_date", "to_date", "from_glac_id", "to_glac_id", "overlap_area_km2",
            "from_area_fraction", "to_area_fraction", "n_from", "n_to", "cluster_id",
        ]  # fmt: skip
