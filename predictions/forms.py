"""The *Retrain...* form: exactly the parameters of a training, checked at the one door of every run."""

from __future__ import annotations

from typing import Any

from django import forms

from inventory.models import AreaOfInterest, Region, Source
from predictions.models import ModelVersion
from predictions.params import ParamsError, TrainParams, read
from predictions.training_defaults import DEFAULTS, SPLITS, going_on

SCRATCH = "scratch"
EMPTY_IS_DEFAULT = ("epochs", "lr", "batch", "split")
DATA = ("aois", "regions", "sources", "from", "to")


class RetrainForm(forms.Form):
    """Fields of TrainParams, in their words; an empty figure takes the recipe's."""

    architecture = forms.ChoiceField(choices=[(name, name) for name in DEFAULTS])
    preset = forms.ChoiceField(choices=[(name, name) for name in ("small", "paper", "wide")])
    start = forms.ChoiceField(help_text="From scratch, or from the weights of a version of the same kind.")
    aois = forms.ModelMultipleChoiceField(
        AreaOfInterest.objects.all(), required=False, label="Areas of interest", help_text="What it learns from."
    )
    regions = forms.ModelMultipleChoiceField(Region.objects.all(), required=False)
    sources = forms.ModelMultipleChoiceField(
        Source.objects.order_by("name"), required=False, to_field_name="name", help_text="Of outlines; none means all."
    )
    split = forms.ChoiceField(required=False, help_text="How test data are held out.")
    epochs = forms.IntegerField(required=False)
    lr = forms.FloatField(required=False, label="Learning rate")
    batch = forms.IntegerField(required=False, label="Samples a batch")
    seed = forms.IntegerField(initial=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (("from", "From (first day)"), ("to", "To (last day)")):
            self.fields[name] = forms.DateField(required=False, label=label, widget=forms.DateInput({"type": "date"}))
        versions = ModelVersion.objects.order_by("-pk")[:200]
        self.fields["start"].choices = [(SCRATCH, SCRATCH), *[(str(one.pk), str(one)) for one in versions]]  # type: ignore[attr-defined]
        splits = dict.fromkeys(split for task in SPLITS.values() for split in task)
        self.fields["split"].choices = [("", "the recipe's"), *[(name, name) for name in splits]]  # type: ignore[attr-defined]

    def payload(self) -> dict[str, Any]:
        """What is asked, in the words of the API."""
        given = self.cleaned_data
        data: dict[str, Any] = {
            "aois": [aoi.pk for aoi in given["aois"]],
            "regions": [region.pk for region in given["regions"]],
            "sources": [source.name for source in given["sources"]],
        }
        data |= {name: given[name].isoformat() for name in ("from", "to") if given[name]}
        start = given["start"] if given["start"] == SCRATCH else int(given["start"])
        found = {"architecture": given["architecture"], "preset": given["preset"], "start": start, "data": data}
        found |= {name: given[name] for name in EMPTY_IS_DEFAULT if given[name] not in ("", None)}
        return found | {"seed": given["seed"]}

    def clean(self) -> dict[str, Any]:
        """The parameters as a whole; every mistake stands at its field."""
        if not self.errors:
            try:
                read(TrainParams.kind, self.payload())
            except ParamsError as error:
                self.tell(error)
        return self.cleaned_data

    def tell(self, error: ParamsError) -> None:
        """Put what the door refused where it was typed."""
        for one in error.errors:
            names = [name for name in one["pointer"].split("/") if name and not name.isdigit()]
            field = next((name for name in reversed(names) if name in self.fields), None)
            self.add_error(field, one["message"])


def initial_of(version: ModelVersion | None) -> dict[str, Any]:
    """What the form shows first: the parameters by which a version was taught, its recipe's figures filled in."""
    asked = version.trained_by.params if version else {}
    if version is None or "architecture" not in asked:
        return {"architecture": "random-forest", "preset": "small", "start": SCRATCH}
    data = asked.get("data", {})
    recipe = DEFAULTS[asked["architecture"]][asked["preset"]]
    figures = {name: asked.get(name) or getattr(recipe, name) for name in ("epochs", "lr", "batch")}
    shown = {name: asked[name] for name in ("architecture", "preset", "split", "seed") if name in asked}
    return {**shown, **figures, "start": SCRATCH, **{name: data.get(name) for name in DATA}}


def recipes() -> dict[str, dict[str, dict[str, Any]]]:
    """The figures of every architecture and preset, from scratch and going on from a version, for the form to show."""
    return {
        name: {kind: {SCRATCH: vars(row), "going_on": vars(going_on(name, kind))} for kind, row in presets.items()}
        for name, presets in DEFAULTS.items()
    }
