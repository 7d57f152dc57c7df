"""Pages, the admin and the commands of the inventory."""

from __future__ import annotations

import json
import re

import pytest
from django.core.management import CommandError, call_command

from glacierweb.models import Run
from inventory import outlines
from inventory.models import Outline, Scene

pytestmark = pytest.mark.django_db


def test_the_page_of_a_glacier_lists_its_outlines(client, glacier):
    page = client.get(f"/glaciers/{glacier.glac_id}/").content.decode()
    assert "Grüner Ferner" in page
    assert all(year in page for year in ("1990-08-01", "2000-08-01", "2010-08-01"))


def test_a_page_of_nothing_is_not_found(client):
    assert client.get("/glaciers/G000000E00000N/").status_code == 404
    assert client.get("/scenes/1/").status_code == 404


def test_the_about_page_names_every_source_and_how_to_cite_it(client, source):
    page = client.get("/about/").content.decode()
    assert "Test inventory" in page
    assert "Somebody, 2020." in page


def first_view(client) -> dict:
    page = client.get("/").content.decode()
    return json.loads(re.search(r'<script id="first-view"[^>]*>(.*?)</script>', page)[1])


def test_the_map_page_says_where_and_when_it_begins(client, glacier):
    found = first_view(client)
    west, south, east, north = found["bbox"]
    lon, lat = glacier.point.coords
    assert west < lon < east
    assert south < lat < north
    assert set(found["years"]["outlines"]) == {"1990", "2000", "2010"}


def test_the_map_page_of_an_empty_database_begins_nowhere(client):
    assert first_view(client)["bbox"] is None


@pytest.mark.parametrize("name", ["region", "source", "glacier", "outline", "areaofinterest", "scene"])
def test_the_admin_lists_and_opens_every_table(admin_client, glacier, name):
    assert admin_client.get(f"/admin/inventory/{name}/").status_code == 200


def test_the_admin_opens_an_outline_on_a_map_whose_scripts_carry_the_nonce(admin_client, glacier):
    outline = glacier.outlines.first()
    page = admin_client.get(f"/admin/inventory/outline/{outline.pk}/change/").content.decode()
    assert "L.Map.djangoMap" in page
    assert '<script nonce="None"' not in page
    assert '<script nonce=""' not in page


def test_an_outline_saved_in_the_admin_keeps_its_area_true(admin_client, glacier):
    outline = glacier.outlines.get(src_date="2010-08-01")
    form = admin_client.get(f"/admin/inventory/outline/{outline.pk}/change/").context["adminform"].form
    values = {name: form.initial.get(name) for name in form.fields}
    ring = [[10, 46], [10.01, 46], [10.01, 46.01], [10, 46.01], [10, 46]]
    small = json.dumps({"type": "MultiPolygon", "coordinates": [[ring]]})
    data = {name: value for name, value in values.items() if value is not None} | {"geometry": small}
    response = admin_client.post(f"/admin/inventory/outline/{outline.pk}/change/", data)
    assert response.status_code == 302, response.context["adminform"].form.errors
    assert Outline.objects.get(pk=outline.pk).area_km2 == pytest.approx(0.861, abs=0.005)


def test_scenes_are_asked_for_by_command(tmp_path, capsys):
    call_command("ingest_scenes", "--folder", str(tmp_path), "--datetime", "2020-01-01/..", "--bbox", "1,2,3,4")
    run = Run.objects.get(kind="find_scenes")
    assert run.params["folder"] == str(tmp_path)
    assert run.params["bbox"] == [1.0, 2.0, 3.0, 4.0]
    assert f"run {run.pk}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--folder", "/nonexistent"], "is no folder"),
        (["--catalogue", "x", "--bbox", "1,2"], "bbox"),
        (["--catalogue", "x", "--datetime", "2000"], "datetime"),
        (["--catalogue", "x", "--glacier", "G000000E00000N"], "no glacier"),
        (["--catalogue", "x", "--limit", "0"], "limit"),
    ],
)
def test_a_wrong_request_for_scenes_is_refused_by_name(arguments, words):
    with pytest.raises(CommandError, match=words):
        call_command("ingest_scenes", *arguments)
    assert not Run.objects.exists()
    assert not Scene.objects.exists()


def test_outlines_are_exported_by_command(glacier, tmp_path, capsys):
    call_command("export_outlines", "--out", str(tmp_path / "o.csv"), "--year", "2005")
    assert "1 outlines written" in capsys.readouterr().out
    assert (tmp_path / "o.csv").read_text().count("Grüner Ferner") == 1
    with pytest.raises(CommandError, match="endings"):
        call_command("export_outlines", "--out", str(tmp_path / "o.kml"))
    with pytest.raises(CommandError, match="bbox"):
        call_command("export_outlines", "--out", str(tmp_path / "o2.csv"), "--bbox", "x")
    assert not (tmp_path / "o2.csv").exists()


def test_an_exported_file_comes_back_as_the_same_outlines(glacier, tmp_path):
    before = sorted(glacier.outlines.values_list("src_date", "area_km2"))
    call_command("export_outlines", "--out", str(tmp_path / "o.gpkg"))
    outlines.Outline.objects.all().delete()
    call_command("import_outlines", str(tmp_path / "o.gpkg"))
    after = sorted(glacier.outlines.values_list("src_date", "area_km2"))
    assert [day for day, _ in after] == [day for day, _ in before]
    assert [km2 for _, km2 in after] == pytest.approx([km2 for _, km2 in before], rel=1e-9)
