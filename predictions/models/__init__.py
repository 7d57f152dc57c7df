"""What the networks say. Every row names the run that wrote it."""

from predictions.models.forecasts import Forecast, Frame, SkillScore
from predictions.models.masks import AreaMeasurement, Mask, PredictedOutline
from predictions.models.motion import FlowField
from predictions.models.versions import ModelVersion

__all__ = [
    "AreaMeasurement",
    "FlowField",
    "Forecast",
    "Frame",
    "Mask",
    "ModelVersion",
    "PredictedOutline",
    "SkillScore",
]
