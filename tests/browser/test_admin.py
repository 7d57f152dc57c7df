"""An administrator in the browser: sign in, fill the Retrain form, and be told what was asked for."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.skipif(bool(os.environ.get("GLACIERWEB_SITE")), reason="it writes, so it needs its own site")
PASSWORD = "four words of ice"


@pytest.fixture
def signed_in(visit, django_user_model):
    """A member of the staff on the page of versions."""
    django_user_model.objects.create_superuser("ada", password=PASSWORD)
    page = visit.page
    page.goto(f"{visit.site}/admin/login/?next=/admin/predictions/modelversion/retrain/")
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_selector("select[name=architecture]")
    return page


def test_the_retrain_form_shows_the_figures_of_what_is_chosen(signed_in):
    page = signed_in
    rate = page.locator("[name=lr]")
    page.select_option("[name=architecture]", "random-forest")
    assert rate.is_disabled()
    page.select_option("[name=architecture]", "lstm")
    page.select_option("[name=preset]", "paper")
    scratch = float(rate.input_value())
    page.locator("[name=start] option").nth(1).evaluate("option => { option.selected = true; }")
    page.locator("[name=start]").dispatch_event("change")
    assert float(rate.input_value()) == pytest.approx(scratch / 10)


def test_what_the_door_refuses_stands_at_its_field_and_nothing_is_asked_for(signed_in):
    from glacierweb.models import Run

    page, before = signed_in, Run.objects.count()
    page.select_option("[name=architecture]", "lstm")
    page.fill("[name=epochs]", "-3")
    page.click("input[type=submit]")
    page.wait_for_selector(".errorlist")
    assert page.locator(".form-row:has([name=epochs]) .errorlist").count() == 1
    assert Run.objects.count() == before


def test_a_training_that_is_asked_for_has_a_page_of_its_own(signed_in):
    from glacierweb.models import Run
    from inventory.models import AreaOfInterest

    page = signed_in
    page.select_option("[name=architecture]", "lstm")
    page.select_option("[name=aois]", str(AreaOfInterest.objects.values_list("pk", flat=True)[0]))
    page.click("input[type=submit]")
    page.wait_for_url("**/runs/*/")
    run = Run.objects.filter(kind="train").latest("pk")
    assert page.url.endswith(f"/runs/{run.pk}/")
    assert run.params["architecture"] == "lstm"
    assert run.asked_by.username == "ada"
