"""The real collection: Hochalmkees by year, Glacier National Park, and the odd ways of older inventories."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import shapely
from django.core.management import call_command
from django.db import transaction

from inventory.folders import outlines_in
from inventory.models import Glacier, Outline

pytestmark = [pytest.mark.django_db, pytest.mark.real]


def load(*paths: Path) -> None:
    call_command("import_outlines", *map(str, paths))


@pytest.fixture(scope="module")
def folder(real_data, django_db_setup, django_db_blocker) -> Path:
    """The folder of outlines, imported once for this file and taken back at its end."""
    with django_db_blocker.unblock(), transaction.atomic():
        load(real_data / "outlines")
        yield real_data / "outlines"
        transaction.set_rollback(True)


@pytest.fixture
def hochalmkees(folder) -> Glacier:
    return Glacier.objects.get(glac_id="G013332E47020N")


@pytest.fixture
def park(folder):
    """Outlines of Glacier National Park."""
    return Outline.objects.filter(source__name__startswith="USGS Glacier National Park")


# Geodesic areas published with the download (db_area taken once per analysis).
HOCHALMKEES_KM2 = {
    "357464": 4.68693, "345162": 3.13797, "346072": 2.90366, "1032284": 2.79092, "756422": 2.63382, "335966": 2.33089,
    "1035701": 2.57275, "346965": 2.70248, "1039082": 2.50553, "519702": 2.47042, "710616": 2.41000,
}  # fmt: skip


def test_hochalmkees_areas_agree_with_glims_within_a_thousandth(hochalmkees):
    assert hochalmkees.name == "Hochalm Kees"
    assert hochalmkees.region_id == "11"
    found = {outline.anlys_id: outline.area_km2 for outline in hochalmkees.outlines.all()}
    assert found == pytest.approx(HOCHALMKEES_KM2, rel=1e-3)


def test_of_two_analyses_of_one_day_the_newer_is_preferred_and_the_other_kept(hochalmkees):
    same_day = hochalmkees.outlines.filter(src_date=date(2016, 8, 27)).order_by("anlys_time")
    assert [(o.anlys_id, o.preferred) for o in same_day] == [("519702", False), ("710616", True)]
    assert same_day[1].valid.upper is None


def test_a_glims_outline_carries_its_own_block_of_the_citations(hochalmkees):
    words = hochalmkees.outlines.get(anlys_id="756422").citation
    assert "Analysis_IDs 752390--756450" in words
    assert "Frey, Holger" in words


def test_rings_that_touch_themselves_were_repaired_and_say_so(hochalmkees):
    repaired = [o for o in hochalmkees.outlines.all() if "repairs" in o.attributes]
    assert {o.anlys_id for o in repaired} == {"346072", "346965", "1039082"}
    for outline in repaired:
        for repair in outline.attributes["repairs"]:
            assert repair["area_after_km2"] == pytest.approx(repair["area_before_km2"], rel=1e-6)


def test_the_same_import_again_stores_nothing_new(hochalmkees, folder):
    before = sorted(hochalmkees.outlines.values_list("id", "valid", "preferred"))
    load(folder / "glims_hochalmkees")
    assert sorted(hochalmkees.outlines.values_list("id", "valid", "preferred")) == before


def test_glacier_national_park_has_39_glaciers_on_four_dates(park):
    assert park.count() == 156
    assert park.values("glacier").distinct().count() == 39
    totals = {y: sum(park.filter(src_date=date(y, 1, 1)).values_list("area_km2", flat=True)) for y in PARK_KM2}
    assert totals == pytest.approx(PARK_KM2, rel=1e-3)
    one = park.filter(src_date=date(1966, 1, 1)).first()
    assert (one.src_date_end, one.src_date_precision) == (date(1966, 12, 31), "year")
    assert not park.filter(preferred=False).exists()


PARK_KM2 = {1966: 21.64, 1998: 16.28, 2005: 15.45, 2015: 14.18}


def test_the_little_ice_age_layer_points_and_boundary_are_skipped_with_reasons(real_data):
    taken, skipped = outlines_in(real_data / "outlines" / "usgs_glacier_national_park")
    assert [path.name for path in taken] == ["polys05.json", "polys15.json", "polys66.json", "polys98.json"]
    reasons = {one.path.name: one.reason for one in skipped}
    assert "LIA" in reasons["lia-poly.json"]
    assert "points" in reasons["glacier-pts.json"]
    assert "linestrings" in reasons["boundary.json"]


def test_rgi_5_names_lose_their_padding_and_dates_with_day_99_become_the_interval(folder):
    assert Glacier.objects.filter(name="Hintereisferner").count() == 1
    assert not Glacier.objects.filter(name__contains="À").exists()
    outline = Outline.objects.filter(source__name="RGI 5.0", glacier__region="11").first()
    assert (outline.src_date, outline.src_date_end, outline.src_date_precision) == (
        date(2003, 7, 1), date(2003, 9, 30), "interval",
    )  # fmt: skip


def test_an_outline_in_two_files_of_one_inventory_is_stored_once(folder):
    assert Outline.objects.filter(aliases__rgi_id="RGI2000-v7.0-G-11-03116").count() == 1


def test_rgi_5_and_rgi_7_meet_at_the_same_glacier(folder):
    hintereis = Glacier.objects.get(name="Hintereisferner")
    assert {o.source.name for o in hintereis.outlines.all()} == {"RGI 5.0", "RGI 7.0"}


def test_parts_of_one_glacier_in_an_inventory_are_one_outline(folder):
    vernagt = Outline.objects.get(source__name="RGI 5.0", glacier__name="Vernagtferner")
    assert vernagt.area_km2 == pytest.approx(6.536 + 2.017, abs=0.01)
    assert vernagt.area_analyst_km2 == pytest.approx(6.536 + 2.017, abs=0.001)
    assert {"RGI50-11.00719_d01", "RGI50-11.00719_d02"} <= set(vernagt.glacier.aliases["rgi_id"])


def test_every_glacier_of_the_collection_has_a_domain_that_holds_its_outlines(folder):
    for glacier in Glacier.objects.all():
        domain = shapely.from_wkb(bytes(glacier.domain.wkb))
        for outline in glacier.outlines.all():
            shape = shapely.from_wkb(bytes(outline.geometry.wkb))
            assert shape.intersection(domain).area > 0.9 * shape.area, f"{glacier} {outline}"
