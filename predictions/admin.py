"""The admin of what the networks say: versions are retrained, promoted and rolled back here; results are only read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from glacierweb.models import Run
from predictions import cards, requests, versions
from predictions.forms import RetrainForm, initial_of, recipes
from predictions.models import Forecast, Mask, ModelVersion
from predictions.params import ParamsError


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that only the workers write; like the API they are open to all of the staff."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_staff

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Versions, with *Retrain...*, *Promote* and *Roll back*."""

    list_display = ("__str__", "task", "scope", "state", "headline", "created", "retrain")
    list_filter = ("task", "scope", "state", "architecture")
    fields = (
        "task", "architecture", "preset", "scope", "state", "trained_by", "previous", "note", "parameters", "bands",
        "simulated", "weights_sha256", "created", "promoted",
    )  # fmt: skip
    change_form_template = "admin/predictions/modelversion/change_form.html"

    @admin.display(description="held-out figure")
    def headline(self, version: ModelVersion) -> str:
        value = versions.headline(version)
        metric = versions.HEADLINES[version.task].metric
        return f"{metric} {value:.4f}" if value is not None else "not measured"

    @admin.display(description="")
    def retrain(self, version: ModelVersion) -> str:
        return format_html(
            '<a href="{}">Retrain…</a>', reverse("admin:predictions_modelversion_retrain", args=[version.pk])
        )

    def get_urls(self) -> list[Any]:
        """The three verbs beside the stock pages."""
        own = self.admin_site.admin_view
        name = "predictions_modelversion"
        return [
            path("retrain/", own(self.retrain_view), name=f"{name}_train"),
            path("<int:pk>/retrain/", own(self.retrain_view), name=f"{name}_retrain"),
            path("<int:pk>/promote/", own(require_POST(self.promote_view)), name=f"{name}_promote"),
            path("<int:pk>/roll-back/", own(require_POST(self.roll_back_view)), name=f"{name}_roll_back"),
            *super().get_urls(),
        ]

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The stock page with the comparison and the verbs."""
        version = ModelVersion.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        context = {"version": version, **cards.card(version)} if version else {}
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def retrain_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """The form of a training; what it asks for is a run like any other."""
        version = get_object_or_404(ModelVersion, pk=pk) if pk else None
        form = RetrainForm(request.POST or None, initial=initial_of(version))
        if request.method == "POST" and form.is_valid():
            try:
                return self._asked(request, versions.request_training(form.payload(), request.user))
            except requests.AlreadyGoing as error:
                messages.warning(request, f"{error}.")
                return redirect("run-page", pk=error.run.pk)
            except requests.TooManyTrainings as error:
                form.add_error(None, f"{error}.")
            except ParamsError as error:
                form.tell(error)
        title = f"Retrain {version}" if version else "Train a version"
        context = {"form": form, "version": version, "title": title, "recipes": recipes()}
        context |= self.admin_site.each_context(request)
        return render(request, "admin/predictions/modelversion/retrain.html", context)

    def _asked(self, request: HttpRequest, run: Run) -> HttpResponse:
        messages.success(request, f"Run {run.pk} is queued.")
        return redirect("run-page", pk=run.pk)

    def promote_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Promote; a version that the gate refuses needs a reason."""
        self._allowed(request)
        version, reason = get_object_or_404(ModelVersion, pk=pk), request.POST.get("reason", "")[:2000]
        try:
            versions.promote(version, request.user, force=bool(reason), reason=reason)
            messages.success(request, f"Version {pk} is active for {version.task}, {version.scope}.")
        except versions.Refused as error:
            messages.error(request, f"Not promoted: {error}.")
        return redirect("model-page", pk=pk)

    def roll_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return to the version before this one."""
        self._allowed(request)
        try:
            found = versions.roll_back(get_object_or_404(ModelVersion, pk=pk))
        except versions.Refused as error:
            messages.error(request, f"Not rolled back: {error}.")
            return redirect("model-page", pk=pk)
        messages.success(request, f"Version {found.pk} is active again.")
        return redirect("model-page", pk=found.pk)

    def _allowed(self, request: HttpRequest) -> None:
        if not request.user.is_staff:
            raise PermissionDenied


@admin.register(Mask)
class MaskAdmin(ReadOnlyAdmin):
    """Masks, for looking only."""

    list_display = ("__str__", "product", "version", "run", "valid_fraction", "created")
    list_filter = ("product", "version")


@admin.register(Forecast)
class ForecastAdmin(ReadOnlyAdmin):
    """Forecasts, for looking only."""

    list_display = ("__str__", "aoi", "version", "useful", "run")
    list_filter = ("nature", "useful")


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Runs: each has a page of its own with progress, curves and log."""

    list_display = ("__str__", "state", "percent", "step", "requested", "asked_by", "page")
    list_filter = ("kind", "state", "queue")
    exclude = ("curves", "log")

    @admin.display(description="done")
    def percent(self, run: Run) -> str:
        return f"{100 * run.progress:.0f} %"

    @admin.display(description="")
    def page(self, run: Run) -> str:
        return format_html('<a href="{}">Progress</a>', reverse("run-page", args=[run.pk]))
