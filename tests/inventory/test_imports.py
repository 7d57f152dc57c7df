"""Import of outline files: what is taken, how it is joined, and what is refused by name."""

from __future__ import annotations

import io
from datetime import date

import geopandas
import pytest
import shapely
from django.core.management import CommandError, call_command

from inventory.geodesy import area_km2_and_perimeter_km
from inventory.models import Glacier, Outline, Source

pytestmark = pytest.mark.django_db


def square(lon, lat, side=0.02):
    return shapely.box(lon, lat, lon + side, lat + side)


def glims_row(**told):
    return {
        "line_type": "glac_bound", "anlys_id": 1, "glac_id": "G010010E46010N", "anlys_time": "2005-01-01T00:00:00",
        "src_date": "2003-08-24T00:00:00", "area": 0, "db_area": 9.9, "glac_name": "Test Kees,",
        "analysts": "Paul, Frank",
    } | told  # fmt: skip


def load(*args):
    call_command("import_outlines", *map(str, args))


def test_parts_of_one_analysis_are_one_outline_and_interior_rocks_are_holes(geojson):
    left, right, rock = square(10.0, 46.0), square(10.02, 46.0), square(10.005, 46.005, 0.005)
    load(geojson([(left, glims_row()), (right, glims_row()), (rock, glims_row(line_type="intrnl_rock"))]))
    outline = Outline.objects.get()
    expected = sum(area_km2_and_perimeter_km(p)[0] for p in (left, right)) - area_km2_and_perimeter_km(rock)[0]
    assert outline.area_km2 == pytest.approx(expected, rel=1e-6)
    assert outline.geometry.num_geom == 1
    assert len(outline.geometry[0]) == 2  # the shell and one hole


def test_names_dates_and_analysts_come_over(geojson):
    load(geojson([(square(10.0, 46.0), glims_row())]))
    outline = Outline.objects.get()
    assert outline.glacier.name == "Test Kees"
    assert outline.src_date == date(2003, 8, 24)
    assert outline.analyst == "Paul, Frank"
    assert outline.area_analyst_km2 is None  # GLIMS writes 0 where the analyst gave none


def test_another_crs_is_reprojected(tmp_path):
    frame = geopandas.GeoDataFrame([{"glac_name": "A", "src_date": "2001-01-01"}], geometry=[square(10, 46)], crs=4326)
    frame.to_crs(32632).to_file(tmp_path / "utm.gpkg")
    load(tmp_path / "utm.gpkg")
    assert Outline.objects.get().area_km2 == pytest.approx(area_km2_and_perimeter_km(square(10, 46))[0], rel=1e-5)


@pytest.mark.parametrize("suffix", [".gpkg", ".fgb", ".parquet", ".shp", ".geojson"])
def test_every_format_of_the_list_is_read(tmp_path, suffix):
    frame = geopandas.GeoDataFrame([{"glac_name": "A", "src_date": "2001-01-01"}], geometry=[square(10, 46)], crs=4326)
    path = tmp_path / f"outlines{suffix}"
    frame.to_parquet(path) if suffix == ".parquet" else frame.to_file(path)
    load(path)
    assert Outline.objects.get().src_date == date(2001, 1, 1)


def test_a_file_without_a_crs_is_refused(tmp_path):
    frame = geopandas.GeoDataFrame([{"glac_name": "A", "src_date": "2001-01-01"}], geometry=[square(10, 46)], crs=4326)
    frame.to_file(tmp_path / "outlines.shp")
    (tmp_path / "outlines.prj").unlink()
    refused(tmp_path / "outlines.shp", "no coordinate reference system")


def test_an_unreadable_file_is_refused(tmp_path):
    (tmp_path / "broken.gpkg").write_bytes(b"not a database at all")
    refused(tmp_path / "broken.gpkg", "not a readable vector file")


def test_unknown_columns_are_refused_until_they_are_mapped(geojson, capsys):
    path = geojson([(square(10, 46), {"WHEN": "2001-07-01", "TITLE": "Mapped"})])
    refused(path, "--map")
    load(path, "--map", "src_date=WHEN", "--map", "glac_name=TITLE")
    assert Glacier.objects.get().name == "Mapped"


def test_a_bow_tie_is_refused_with_its_place_until_a_repair_is_asked_for(geojson):
    tie = shapely.Polygon([(10, 46), (10.02, 46.02), (10.02, 46), (10, 46.03)])
    path = geojson([(square(11, 46), glims_row(anlys_id=2)), (tie, glims_row())])
    refused(path, "feature 1: it is not valid: Self-intersection")
    assert Outline.objects.count() == 0
    load(path, "--repair")
    repair = Outline.objects.get(anlys_id="1").attributes["repairs"][0]
    assert repair["area_before_km2"] != pytest.approx(repair["area_after_km2"], rel=1e-3)


@pytest.mark.parametrize(
    ("shape", "told", "words"),
    [
        (square(10, 46), {"src_date": "2003-13-40"}, "not a date"),
        (square(10, 46), {"src_date": "2999-01-01"}, "not a date between"),
        (square(200, 46), {}, "check its CRS"),
        (shapely.Point(10, 46), {}, "outlines are polygons"),
        (None, {}, "no geometry"),
    ],
)
def test_one_wrong_feature_refuses_the_whole_file(geojson, shape, told, words):
    path = geojson([(square(12, 46), glims_row(anlys_id=7)), (shape, glims_row(**told))])
    refused(path, words)
    assert Outline.objects.count() == Glacier.objects.count() == Source.objects.count() == 0


def test_a_rehearsal_writes_nothing(geojson, capsys):
    load(geojson([(square(10, 46), glims_row())]), "--dry-run")
    assert "1 outlines would be new" in capsys.readouterr().out
    assert Outline.objects.count() == Glacier.objects.count() == Source.objects.count() == 0


def test_a_new_outline_of_a_known_glacier_takes_its_identifier_by_overlap(geojson):
    load(geojson([(square(10, 46), glims_row())], "glims.geojson"))
    load(geojson([(square(10, 46, 0.015), {"glac_name": "", "src_date": "2015-09-01"})], "mine.geojson"))
    assert Glacier.objects.get().outlines.count() == 2


def test_a_glacier_without_an_identifier_gets_one_from_its_first_outline_for_good(geojson):
    load(geojson([(square(10, 46), {"local_id": "x1", "src_date": "1990-01-01"})], "mine.geojson"))
    before = Glacier.objects.get()
    assert before.id_source == "derived"
    load(geojson([(square(10.011, 46.011, 0.005), {"local_id": "x1", "src_date": "2000-01-01"})], "mine.geojson"))
    assert Glacier.objects.get().glac_id == before.glac_id


def test_the_same_outline_from_the_same_source_is_stored_once(geojson):
    path = geojson([(square(10, 46), glims_row())])
    load(path)
    load(path)
    assert Outline.objects.count() == 1


def test_simulated_outlines_lie_in_a_region_of_their_own(geojson):
    told = {"glac_name": "World A", "local_id": "A", "src_date": "1985-08-01", "simulated": True}
    load(geojson([(square(-30, 46), told)]))
    glacier = Glacier.objects.get()
    assert (glacier.simulated, glacier.region_id, glacier.outlines.get().source.kind) == (True, "00", "simulated")


def refused(path, words):
    with pytest.raises(CommandError) as told:
        call_command("import_outlines", str(path), stderr=(out := io.StringIO()))
    assert words in out.getvalue() + str(told.value)


def test_an_ill_formed_identifier_is_reported_and_not_used(geojson, capsys):
    load(geojson([(square(10, 46), glims_row(glac_id="G10E46"))]))
    assert "'G10E46' is not a GLIMS identifier" in capsys.readouterr().out
    assert Glacier.objects.get().id_source == "derived"
