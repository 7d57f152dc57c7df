"""The form's defaults are those of the recipes, which the web process may not import."""

from __future__ import annotations

import pytest

from predictions.training_defaults import DEFAULTS, SPLITS, TASKS, going_on

catalog = pytest.importorskip("workers.learning.catalog")
recipes = pytest.importorskip("workers.learning.recipes")

PRESETS = [(one.name, preset) for one in catalog.ARCHITECTURES.values() for preset in one.presets]
TAUGHT = [(name, preset) for name, preset in PRESETS if catalog.ARCHITECTURES[name].fit is None]


def test_every_architecture_of_the_catalogue_can_be_asked_for():
    assert {(name, TASKS[name]) for name in DEFAULTS} >= {(a.name, a.task) for a in catalog.ARCHITECTURES.values()}
    assert set(SPLITS) >= {architecture.task for architecture in catalog.ARCHITECTURES.values()}


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_every_preset_can_be_asked_for(name, preset):
    assert preset in DEFAULTS[name]


@pytest.mark.parametrize(("name", "preset"), TAUGHT)
def test_the_defaults_are_those_of_the_recipe(name, preset):
    recipe, shown = recipes.defaults(name, preset), DEFAULTS[name][preset]
    assert (shown.epochs, shown.lr, shown.batch) == (recipe.epochs, recipe.lr, recipe.batch)


@pytest.mark.parametrize(("name", "preset"), [one for one in TAUGHT if TASKS[one[0]] in ("segment", "forecast")])
def test_the_defaults_of_going_on_are_those_of_fine_tuning(name, preset):
    recipe, shown = recipes.with_settings(name, preset, fine=True), going_on(name, preset)
    assert (shown.epochs, shown.lr, shown.batch) == (recipe.epochs, recipe.lr, recipe.batch)
