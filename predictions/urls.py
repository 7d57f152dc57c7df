"""Addresses of what the networks say: `api` under /api/v1/, `tiles` under /tiles/, `pages` at the root."""

from __future__ import annotations

from django.urls import path

from predictions import assets, tile_views
from predictions import pages as html
from predictions.api import glaciers, products, runs, status, versions

api = [
    path("runs/", runs.RunList.as_view(), name="runs"),
    path("runs/<int:pk>/", runs.RunDetail.as_view(), name="run"),
    path("runs/<int:pk>/cancel/", runs.RunCancel.as_view(), name="run-cancel"),
    path("training-runs/", runs.TrainingRunList.as_view(), name="training-runs"),
    path("jobs/<int:pk>/", runs.JobDetail.as_view(), name="job"),
    path("models/", versions.ModelList.as_view(), name="models"),
    path("models/<int:pk>/", versions.ModelDetail.as_view(), name="model"),
    path("models/<int:pk>/promote/", versions.ModelPromote.as_view(), name="model-promote"),
    path("models/<int:pk>/roll-back/", versions.ModelRollBack.as_view(), name="model-roll-back"),
    path("masks/", products.MaskList.as_view(), name="masks"),
    path("masks/<int:pk>/", products.MaskDetail.as_view(), name="mask"),
    path("masks/<int:pk>/raster.tif", assets.mask, name="mask-raster"),
    path("frames/<int:pk>/raster.tif", assets.frame, name="frame-raster"),
    path("predicted-outlines/", products.PredictedOutlineList.as_view(), name="predicted-outlines"),
    path("predicted-outlines/download/", products.PredictedOutlineDownload.as_view(), name="predicted-download"),
    path("predicted-outlines/<int:pk>/", products.PredictedOutlineDetail.as_view(), name="predicted-outline"),
    path("forecasts/", products.ForecastList.as_view(), name="forecasts"),
    path("forecasts/<int:pk>/", products.ForecastDetail.as_view(), name="forecast"),
    path("forecasts/<int:pk>/frames/", products.FrameList.as_view(), name="forecast-frames"),
    path("flows/", products.FlowList.as_view(), name="flows"),
    path("flows/<int:pk>/", products.FlowDetail.as_view(), name="flow"),
    path("flows/<int:pk>/raster.tif", assets.flow, name="flow-raster"),
    path("runs/<int:pk>/chips.tif", assets.chips, name="run-chips"),
    path("glaciers/<str:glac_id>/areas/", glaciers.GlacierAreas.as_view(), name="glacier-areas"),
    path("glaciers/<str:glac_id>/summary/", glaciers.GlacierSummary.as_view(), name="glacier-summary"),
    path(
        "glaciers/<str:glac_id>/predicted-outlines/",
        glaciers.GlacierPredictedOutlines.as_view(),
        name="glacier-predicted-outlines",
    ),
    path("glaciers/<str:glac_id>/forecasts/", glaciers.GlacierForecasts.as_view(), name="glacier-forecasts"),
    path("glaciers/<str:glac_id>/flow/", glaciers.GlacierFlow.as_view(), name="glacier-flow"),
    path("aois/<int:pk>/forecasts/", glaciers.AoiForecasts.as_view(), name="aoi-forecasts"),
    path("regions/<str:code>/trend/", glaciers.RegionTrend.as_view(), name="region-trend"),
    path("region-trends/", glaciers.RegionTotals.as_view(), name="region-trends"),
    path("predicted-years/", status.PredictedYears.as_view(), name="predicted-years"),
    path("status/", status.Status.as_view(), name="status"),
]
tiles = [
    path("predicted-outlines/<int:z>/<int:x>/<int:y>.mvt", tile_views.predicted_outlines, name="predicted-tile"),
    path("masks/<int:mask_id>/<int:z>/<int:x>/<int:y>.png", tile_views.mask, name="mask-tile"),
    path("flow/<int:flow_id>/<int:z>/<int:x>/<int:y>.png", tile_views.flow, name="flow-tile"),
    path(
        "forecasts/<int:forecast_id>/<str:start>/<int:z>/<int:x>/<int:y>.png",
        tile_views.forecast,
        name="forecast-tile",
    ),
]
pages = [
    path("runs/", html.runs, name="runs-page"),
    path("runs/<int:pk>/", html.run, name="run-page"),
    path("runs/<int:pk>/cancel/", html.cancel, name="run-cancel-page"),
    path("models/", html.models, name="models-page"),
    path("models/<int:pk>/", html.model, name="model-page"),
]
