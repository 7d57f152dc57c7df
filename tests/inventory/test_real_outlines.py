"""The real collection: Hochalmkees by year, Glacier National Park, and the odd ways of older inventories."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command

from inventory.folders import outlines_in
from inventory.models import Glacier, Outline

pytestmark = [pytest.mark.django_db, pytest.mark.real]


def load(*paths: Path) -> None:
    call_command("import_outlines", *map(str, paths))


# Geodesic areas published with the download (db_area taken once per analysis).
HOCHALMKEES_KM2 = {
    "357464": 4.68693, "345162": 3.13797, "346072": 2.90366, "1032284": 2.79092, "756422": 2.63382, "335966": 2.33089,
    "1035701": 2.57275, "346965": 2.70248, "1039082": 2.50553, "519702": 2.47042, "710616": 2.41000,
}  # fmt: skip


def test_hochalmkees_areas_agree_with_glims_within_a_thousandth(real_data):
    load(real_data / "outlines" / "glims_hochalmkees")
    glacier = Glacier.objects.get()
    assert glacier.glac_id == "G013332E47020N"
    assert glacier.name == "Hochalm Kees"
    assert glacier.region_id == "11"
    found = {outline.anlys_id: outline.area_km2 for outline in glacier.outlines.all()}
    assert found == pytest.approx(HOCHALMKEES_KM2, rel=1e-3)


def test_of_two_analyses_of_one_day_the_newer_is_preferred_and_the_other_kept(real_data):
    load(real_data / "outlines" / "glims_hochalmkees")
    same_day = Outline.objects.filter(src_date=date(2016, 8, 27)).order_by("anlys_time")
    assert [(o.anlys_id, o.preferred) for o in same_day] == [("519702", False), ("710616", True)]
    assert same_day[1].valid.upper is None


def test_a_glims_outline_carries_its_own_block_of_the_citations(real_data):
    load(real_data / "outlines" / "glims_hochalmkees")
    words = Outline.objects.get(anlys_id="756422").citation
    assert "Analysis_IDs 752390--756450" in words
    assert "Frey, Holger" in words


def test_the_same_import_again_stores_nothing_new(real_data):
    folder = real_data / "outlines" / "glims_hochalmkees"
    load(folder)
    before = sorted(Outline.objects.values_list("id", "valid", "preferred"))
    load(folder)
    assert sorted(Outline.objects.values_list("id", "valid", "preferred")) == before


def test_glacier_national_park_has_39_glaciers_on_four_dates(real_data):
    load(real_data / "outlines" / "usgs_glacier_national_park")
    assert Glacier.objects.count() == 39
    assert Outline.objects.count() == 156
    totals = {
        year: sum(Outline.objects.filter(src_date=date(year, 1, 1)).values_list("area_km2", flat=True))
        for year in (1966, 1998, 2005, 2015)
    }
    assert totals == pytest.approx({1966: 21.64, 1998: 16.28, 2005: 15.45, 2015: 14.18}, rel=1e-3)
    one = Outline.objects.filter(src_date=date(1966, 1, 1)).first()
    assert (one.src_date_end, one.src_date_precision) == (date(1966, 12, 31), "year")
    assert all(glacier.outlines.filter(preferred=True).count() == 4 for glacier in Glacier.objects.all())


def test_the_little_ice_age_layer_points_and_boundary_are_skipped_with_reasons(real_data):
    taken, skipped = outlines_in(real_data / "outlines" / "usgs_glacier_national_park")
    assert [path.name for path in taken] == ["polys05.json", "polys15.json", "polys66.json", "polys98.json"]
    reasons = {one.path.name: one.reason for one in skipped}
    assert "LIA" in reasons["lia-poly.json"]
    assert "points" in reasons["glacier-pts.json"]
    assert "linestrings" in reasons["boundary.json"]


def test_rgi_5_names_lose_their_padding_and_dates_with_day_99_become_the_interval(real_data):
    load(real_data / "outlines" / "rgi5_oetztal")
    assert Glacier.objects.filter(name="Hintereisferner").exists()
    assert not Glacier.objects.filter(name__contains="À").exists()
    outline = Outline.objects.first()
    assert (outline.src_date, outline.src_date_end, outline.src_date_precision) == (
        date(2003, 7, 1), date(2003, 9, 30), "interval",
    )  # fmt: skip


def test_every_outline_file_of_the_collection_is_taken_or_skipped_with_a_reason(real_data):
    load(real_data / "outlines")
    assert Outline.objects.count() > 280
    hintereis = Outline.objects.filter(aliases__rgi_id="RGI2000-v7.0-G-11-03116")
    assert hintereis.count() == 1
    assert Glacier.objects.filter(domain__isnull=True).count() == 0
