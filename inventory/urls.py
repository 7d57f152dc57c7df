"""Addresses of the inventory: `api` under /api/v1/, `tiles` under /tiles/, `pages` at the root."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from inventory import assets, tile_views, views
from inventory import pages as html

router = SimpleRouter()
router.register("glaciers", views.GlacierViewSet, "glacier")
router.register("outlines", views.OutlineViewSet, "outline")
router.register("scenes", views.SceneViewSet, "scene")
router.register("aois", views.AreaOfInterestViewSet, "aoi")
router.register("regions", views.RegionViewSet, "region")

api = [
    path("outlines/download/", views.OutlineDownloadView.as_view(), name="outline-download"),
    path("glaciers/<str:glac_id>/outlines/", views.GlacierOutlinesView.as_view(), name="glacier-outlines"),
    path("glaciers/<str:glac_id>/scenes/", views.GlacierScenesView.as_view(), name="glacier-scenes"),
    path("glaciers/<str:glac_id>/lineage/", views.GlacierLineageView.as_view(), name="glacier-lineage"),
    path("aois/<int:pk>/scenes/", views.AreaOfInterestScenesView.as_view(), name="aoi-scenes"),
    path("scenes/<int:pk>/raster.tif", assets.scene, name="scene-raster"),
    path("years/", views.YearsView.as_view(), name="years"),
    path("colour-maps/", views.ColourMapsView.as_view(), name="colour-maps"),
    *router.urls,
]
tiles = [
    path("outlines/<int:z>/<int:x>/<int:y>.mvt", tile_views.outlines, name="outline-tile"),
    path("scenes/<int:scene_id>/<int:z>/<int:x>/<int:y>.png", tile_views.scene, name="scene-tile"),
    path("hillshade/<int:scene_id>/<int:z>/<int:x>/<int:y>.png", tile_views.hillshade, name="hillshade-tile"),
]
pages = [
    path("", html.map_page, name="map"),
    path("regions/", html.regions, name="regions-page"),
    path("regions/<str:code>/", html.region, name="region-page"),
    path("glaciers/<str:glac_id>/", html.glacier, name="glacier"),
    path("scenes/<int:scene_id>/", html.scene, name="scene"),
    path("about/", html.about, name="about"),
]
