"""Every address, by app; apps are named as strings."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path, re_path
from django.utils.module_loading import import_string
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from glacierweb import health, problem_pages, static_version
from glacierweb.login import Login


def routes(name: str):
    """The address list that an app keeps under this name: named as text, so that the ground imports no app."""
    return include(import_string(name))


# What falls through before a view is found: a foreign host name, a form without its token, a fault of a middleware.
handler400 = handler403 = "glacierweb.problem_pages.refused"
handler404 = "glacierweb.problem_pages.refused"
handler500 = "glacierweb.problem_pages.broken"

urlpatterns = [
    re_path(r"^static/(?:(?P<version>[0-9a-f]{12})/)?(?P<path>.+)$", static_version.present),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("problems/", problem_pages.every, name="problems"),
    path("problems/<slug:kind>", problem_pages.one, name="problem"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api_docs.html"),
        name="docs",
    ),
    path("api/v1/", routes("inventory.urls.api")),
    path("api/v1/", routes("predictions.urls.api")),
    path("tiles/", routes("inventory.urls.tiles")),
    path("tiles/", routes("predictions.urls.tiles")),
    path("accounts/login/", Login.as_view(), name="login"),
    path("accounts/logout/", auth.LogoutView.as_view(), name="logout"),
    # One door for everybody: the admin's own sign-in page would not count tries.
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),
    path("admin/", admin.site.urls),
    path("", routes("inventory.urls.pages")),
    path("", routes("predictions.urls.pages")),
]
