"""Every address, by app; apps are named as strings."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from django.utils.module_loading import import_string
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from glacierweb import health


def routes(name: str):
    """The address list that an app keeps under this name: named as text, so that the ground imports no app."""
    return include(import_string(name))


urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/v1/", routes("inventory.urls.api")),
    path("api/v1/", routes("predictions.urls.api")),
    path("tiles/", routes("inventory.urls.tiles")),
    path("tiles/", routes("predictions.urls.tiles")),
    path("accounts/login/", auth.LoginView.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("", routes("inventory.urls.pages")),
    path("", routes("predictions.urls.pages")),
]
