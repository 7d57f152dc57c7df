"""Rows as JSON: versions, masks, predicted outlines, forecasts and flow fields."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework_gis.serializers import GeoFeatureModelSerializer

from inventory.colour_maps import COLOUR_MAPS, style_hash
from inventory.models import AreaOfInterest, Scene
from inventory.winding import Drawn
from predictions import versions
from predictions.models import FlowField, Forecast, Frame, Mask, ModelVersion, PredictedOutline, SkillScore


class VersionBrief(serializers.ModelSerializer[ModelVersion]):
    """Which network it was."""

    class Meta:
        model = ModelVersion
        fields = ("id", "architecture", "preset")


class SceneBrief(serializers.ModelSerializer[Scene]):
    """Which scene it was."""

    class Meta:
        model = Scene
        fields = ("id", "key", "acquired")


class AoiBrief(serializers.ModelSerializer[AreaOfInterest]):
    """Which area of interest it was."""

    bbox = serializers.SerializerMethodField()

    class Meta:
        model = AreaOfInterest
        fields = ("id", "name", "bbox")

    @extend_schema_field(serializers.ListField(child=serializers.FloatField()))
    def get_bbox(self, aoi: AreaOfInterest) -> list[float]:
        return [round(value, 6) for value in aoi.polygon.extent]


class VersionSerializer(serializers.ModelSerializer[ModelVersion]):
    """A trained network with its card."""

    bands = serializers.ListField(child=serializers.CharField())
    metrics = serializers.DictField()
    data_snapshot = serializers.DictField()
    run = serializers.IntegerField(source="trained_by_id")
    active_version = serializers.SerializerMethodField()
    objection = serializers.SerializerMethodField()
    page = serializers.SerializerMethodField()

    class Meta:
        model = ModelVersion
        fields = (
            "id", "task", "architecture", "preset", "scope", "state", "parameters", "bands", "metrics", "created",
            "promoted", "previous", "note", "run", "simulated", "active_version", "objection", "weights_sha256",
            "data_snapshot", "page",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known: dict[tuple[str, str], ModelVersion | None] = {}

    def _active(self, version: ModelVersion) -> ModelVersion | None:
        key = (version.task, version.scope)
        if key not in self._known:
            self._known[key] = versions.active(*key)
        return self._known[key]

    def get_active_version(self, version: ModelVersion) -> int | None:
        active = self._active(version)
        return active.pk if active else None

    @extend_schema_field(serializers.CharField(help_text="Why the gate would not promote it; empty when it would."))
    def get_objection(self, version: ModelVersion) -> str:
        active = self._active(version)
        return "" if active == version else versions.objection(version, active)

    def get_page(self, version: ModelVersion) -> str:
        return reverse("model-page", args=[version.pk])


class MaskSerializer(serializers.ModelSerializer[Mask]):
    """A raster of ice probability, or of snow and ice, for one scene."""

    scene = SceneBrief()
    version = VersionBrief(allow_null=True)
    n_outlines = serializers.IntegerField()
    simulated = serializers.BooleanField(source="scene.simulated")
    tiles = serializers.SerializerMethodField()
    raster = serializers.SerializerMethodField()

    class Meta:
        model = Mask
        fields = (
            "id", "scene", "version", "run", "product", "threshold", "valid_fraction", "created", "n_outlines",
            "simulated", "tiles", "raster",
        )  # fmt: skip

    def get_raster(self, mask: Mask) -> str:
        return reverse("mask-raster", args=[mask.pk])

    def get_tiles(self, mask: Mask) -> str:
        return f"/tiles/masks/{mask.pk}/{{z}}/{{x}}/{{y}}.png?v={style_hash('probability')}"


class PredictedOutlineSerializer(GeoFeatureModelSerializer):
    """A predicted outline as a GeoJSON feature; its rows come from `filters.drawn`."""

    geometry = Drawn()
    glac_id = serializers.CharField(source="glacier.glac_id", allow_null=True, default=None)
    version = VersionBrief(source="mask.version", allow_null=True)
    scene = SceneBrief(source="mask.scene")
    product = serializers.CharField(source="mask.product")
    flags = serializers.ListField(child=serializers.CharField())
    simulated = serializers.BooleanField(source="mask.scene.simulated")
    kind = serializers.SerializerMethodField()

    class Meta:
        model = PredictedOutline
        geo_field = "geometry"
        fields = (
            "id", "geometry", "glac_id", "date", "date_end", "area_km2", "area_lo_km2", "area_hi_km2",
            "mean_confidence", "flags", "relief", "version", "scene", "run", "mask", "product", "simulated", "kind",
        )  # fmt: skip

    def to_representation(self, outline: PredictedOutline) -> dict:
        """The feature; its id also among the properties, for clients that drop the other one."""
        feature = super().to_representation(outline)
        feature["properties"]["id"] = feature["id"]
        return feature

    def get_kind(self, outline: PredictedOutline) -> str:
        return "predicted"


class FrameSerializer(serializers.ModelSerializer[Frame]):
    """One date of a forecast."""

    tiles = serializers.SerializerMethodField()
    raster = serializers.SerializerMethodField()

    class Meta:
        model = Frame
        fields = ("start", "end", "lead", "member", "observed", "snow_ice_km2", "lo_km2", "hi_km2", "tiles", "raster")

    def get_raster(self, frame: Frame) -> str:
        return reverse("frame-raster", args=[frame.pk])

    def get_tiles(self, frame: Frame) -> str:
        return f"/tiles/forecasts/{frame.forecast_id}/{frame.start}/{{z}}/{{x}}/{{y}}.png?v={style_hash('ndsi')}"


class SkillSerializer(serializers.ModelSerializer[SkillScore]):
    """The hindcast beside one baseline; lead 0 pools all leads."""

    class Meta:
        model = SkillScore
        fields = ("baseline", "lead", "mse", "mse_baseline", "skill", "lo", "hi", "mae", "iou", "n_frames")


class ForecastSerializer(serializers.ModelSerializer[Forecast]):
    """A forecast of snow and ice with its frames and its skill."""

    aoi = AoiBrief()
    version = VersionBrief()
    notes = serializers.ListField(child=serializers.CharField())
    simulated = serializers.BooleanField(source="aoi.simulated")
    frames = FrameSerializer(many=True)
    skill = SkillSerializer(many=True)
    legend = serializers.SerializerMethodField()

    class Meta:
        model = Forecast
        fields = (
            "id", "aoi", "nature", "issued", "step_months", "useful", "sentence", "notes", "simulated", "version",
            "run", "created", "frames", "skill", "legend",
        )  # fmt: skip

    @extend_schema_field(serializers.DictField())
    def get_legend(self, forecast: Forecast) -> dict[str, Any]:
        return COLOUR_MAPS["ndsi"]


class FlowSerializer(serializers.ModelSerializer[FlowField]):
    """Displacement between two scenes."""

    first = SceneBrief()
    second = SceneBrief()
    flags = serializers.ListField(child=serializers.CharField())
    simulated = serializers.BooleanField(source="first.simulated")
    tiles = serializers.SerializerMethodField()
    raster = serializers.SerializerMethodField()

    class Meta:
        model = FlowField
        fields = (
            "id", "run", "first", "second", "nature", "stable_nmad_m_per_year", "flags", "created", "simulated",
            "tiles", "raster",
        )  # fmt: skip

    def get_raster(self, field: FlowField) -> str:
        return reverse("flow-raster", args=[field.pk])

    def get_tiles(self, field: FlowField) -> str:
        return f"/tiles/flow/{field.pk}/{{z}}/{{x}}/{{y}}.png?v={style_hash('speed')}"
