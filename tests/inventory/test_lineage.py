"""Which outline continues which."""

from __future__ import annotations

import pytest
import shapely
from django.core.management import CommandError, call_command

from inventory import lineage, outlines
from inventory.models import Lineage, Outline

pytestmark = pytest.mark.django_db


def test_each_date_of_a_glacier_continues_the_one_before(glacier):
    links = [(str(link.from_outline.src_date), str(link.to_outline.src_date)) for link in Lineage.objects.all()]
    assert sorted(links) == [("1990-08-01", "2000-08-01"), ("2000-08-01", "2010-08-01")]
    first = Lineage.objects.get(from_outline__src_date="1990-08-01")
    assert first.to_area_fraction == pytest.approx(1.0, abs=1e-6)
    areas = {str(o.src_date): o.area_km2 for o in glacier.outlines.all()}
    assert first.from_area_fraction == pytest.approx(areas["2000-08-01"] / areas["1990-08-01"], rel=1e-6)


def test_a_glacier_that_fell_apart_is_continued_by_both_parts(source):
    whole = outlines.record(shapely.box(10.0, 46.0, 10.04, 46.01), "1990-01-01", source=source)
    west = outlines.record(shapely.box(10.0, 46.0, 10.01, 46.01), "2010-01-01", source=source, glacier=whole.glacier)
    other = outlines.record(shapely.box(12.0, 47.0, 12.01, 47.01), "1980-01-01", source=source).glacier
    outlines.record(shapely.box(10.03, 46.0, 10.04, 46.01), "2010-01-01", source=source, glacier=other)
    links = Lineage.objects.filter(from_outline=whole)
    assert links.count() == 2
    assert {link.n_to for link in links} == {2}
    assert {link.cluster_id for link in links} == {whole.glacier_id}
    assert Lineage.objects.get(to_outline=west).n_from == 1


def test_computing_again_changes_nothing(glacier):
    before = Lineage.objects.values_list("from_outline", "to_outline", "overlap_area_km2", "n_from", "n_to")
    rows = sorted(before)
    assert lineage.refresh() == len(rows)
    assert sorted(before.all()) == rows


def test_a_rehearsal_of_the_command_only_counts(glacier, capsys):
    Lineage.objects.all().delete()
    call_command("refresh_lineage", "--dry-run")
    assert "2 links would be written" in capsys.readouterr().out
    assert Lineage.objects.count() == 0


def test_a_sound_inventory_passes_the_check_and_a_damaged_one_is_named(glacier, capsys):
    call_command("check_integrity")
    assert "3 outlines" in capsys.readouterr().out
    Outline.objects.filter(src_date="2000-08-01").update(area_km2=99.0)
    with pytest.raises(CommandError, match="1 faults"):
        call_command("check_integrity")
    assert "99.0 km2 is stored" in capsys.readouterr().out


def test_redrawing_an_outline_computes_its_area_and_dates_anew(glacier):
    middle = glacier.outlines.get(src_date="2000-08-01")
    before = middle.area_km2
    outlines.redraw(middle, shapely.box(10.0, 46.0, 10.009, 46.009))
    middle.refresh_from_db()
    assert middle.area_km2 == pytest.approx(before / 4, rel=1e-3)
    assert middle.preferred
    assert glacier.outlines.get(src_date="1990-08-01").valid.upper == middle.src_date
