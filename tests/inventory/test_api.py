"""The REST resources of the inventory: shapes, filters and refusals."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import geopandas
import pyarrow.parquet as pq
import pytest
import shapely

pytestmark = pytest.mark.django_db


def get(client, path, status=200):
    response = client.get(f"/api/v1/{path}")
    assert response.status_code == status, response.content
    return response.json()


def test_a_glacier_is_listed_with_its_newest_and_oldest_outline(client, glacier):
    found = get(client, "glaciers/")["results"]
    assert [one["glac_id"] for one in found] == [glacier.glac_id]
    one = found[0]
    assert (one["newest_date"], one["oldest_date"], one["n_outlines"]) == ("2010-08-01", "1990-08-01", 3)
    assert one["newest_area_km2"] == pytest.approx(glacier.outlines.get(src_date="2010-08-01").area_km2)
    assert one["region"] == {"code": "11", "name": "Central Europe"}


def test_a_glacier_has_a_domain_and_the_addresses_of_its_parts(client, glacier):
    one = get(client, f"glaciers/{glacier.glac_id}/")
    assert one["domain"]["type"] == "MultiPolygon"
    assert get(client, one["outlines_url"].partition("/api/v1/")[2])["numberMatched"] == 3


def test_outlines_of_a_glacier_carry_what_is_needed_to_trust_and_cite_them(client, glacier):
    features = get(client, f"glaciers/{glacier.glac_id}/outlines/")["features"]
    told = [feature["properties"] for feature in features]
    assert [(t["valid_from"], t["valid_to"]) for t in told] == [
        ("1990-08-01", "2000-07-31"), ("2000-08-01", "2010-07-31"), ("2010-08-01", None),
    ]  # fmt: skip
    assert told[0]["source"]["licence"] == "CC BY 4.0"
    assert told[0]["area_interval_method"] == "5 % assumed"
    assert told[0]["area_lo_km2"] == pytest.approx(0.95 * told[0]["area_km2"])
    ring = shapely.LinearRing(features[0]["geometry"]["coordinates"][0][0])
    assert ring.is_ccw


@pytest.mark.parametrize(
    "words", ["Grüner", "gruner", "GRUNER ferner", "grünr fernr", "G010", "g010010e46010n"]
)
def test_search_finds_names_with_and_without_diacritics_and_identifiers(client, glacier, words):
    found = get(client, f"glaciers/?q={words}")["results"]
    assert [one["glac_id"] for one in found] == [glacier.glac_id]


def test_search_for_something_else_finds_nothing(client, glacier):
    assert get(client, "glaciers/?q=zzzzzz")["results"] == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("year=1995", 1), ("year=1980", 0), ("year=2024", 1), ("datetime=2000-08-01", 1),
        ("datetime=1995-01-01T00:00:00Z/..", 2), ("datetime=../1999-12-31", 1), ("bbox=10,46,10.1,46.1", 3),
        ("bbox=11,46,12,47", 0), ("bbox=170,-90,-170,90", 0), ("area_min=2.5", 2), ("area_max=2.5", 1),
        ("region=11", 3), ("source=Test inventory", 3), ("source=elsewhere", 0), ("preferred=true", 3),
        ("limit=2", 3), ("simulated=true", 0),
    ],
)  # fmt: skip
def test_filters_of_outlines(client, glacier, query, count):
    found = get(client, f"outlines/?{query}")
    assert found["numberMatched"] == count
    assert found["numberReturned"] == min(count, 2 if "limit" in query else 100)


@pytest.mark.parametrize(
    "query",
    [
        "bbox=1,2,3", "bbox=a,b,c,d", "bbox=nan,0,1,1", "bbox=0,50,10,40", "bbox=0,0,190,1", "datetime=2000",
        "datetime=2000-01-01/2001-01-01/2002-01-01", "datetime=2001-01-01/2000-01-01", "datetime=2000-02-30", "year=x",
        "year=99999", "area_min=inf", "area_max=1e400", "region=99", "limit=0", "limit=-1", "limit=x", "cursor=x",
        "unknown=1", "filter=area_km2>1", "preferred=maybe", "year=1995&year=1996", "glac_id=%00",
    ],
)  # fmt: skip
def test_malformed_filters_are_refused_by_name(client, glacier, query):
    response = client.get(f"/api/v1/outlines/?{query}")
    assert response.status_code == 400, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert query.partition("=")[0] in response.json()["detail"]


def test_paging_by_cursor_gives_every_outline_once(client, glacier):
    seen, path = [], "outlines/?limit=2"
    while path:
        page = get(client, path)
        seen += [feature["id"] for feature in page["features"]]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        path = following[0].partition("/api/v1/")[2] if following else None
    assert len(seen) == len(set(seen)) == 3


def test_unknown_and_ill_formed_identifiers_are_not_found(client, glacier):
    for path in ("glaciers/G000000E00000N/", "glaciers/nonsense/outlines/", "outlines/nonsense/", "scenes/77/"):
        get(client, path, 404)


def download(client, name, query=""):
    response = client.get(f"/api/v1/outlines/download/?format={name}{query}")
    assert response.status_code == 200
    assert "attachment" in response["Content-Disposition"]
    return b"".join(response.streaming_content)


def test_geojson_download_is_a_feature_collection(client, glacier):
    found = json.loads(download(client, "geojson"))
    assert len(found["features"]) == 3
    assert found["features"][0]["properties"]["glac_id"] == glacier.glac_id


def test_an_empty_download_is_still_a_feature_collection(client, glacier):
    assert json.loads(download(client, "geojson", "&year=1900"))["features"] == []


def test_geojsonl_download_has_a_feature_a_line(client, glacier):
    assert [json.loads(line)["type"] for line in download(client, "geojsonl").splitlines()] == ["Feature"] * 3


@pytest.mark.parametrize(("name", "suffix"), [("gpkg", ".gpkg"), ("fgb", ".fgb"), ("geoparquet", ".parquet")])
def test_downloads_agree_with_the_rows(client, glacier, tmp_path, name, suffix):
    path = tmp_path / f"outlines{suffix}"
    path.write_bytes(download(client, name))
    frame = geopandas.read_parquet(path) if name == "geoparquet" else geopandas.read_file(path)
    assert len(frame) == 3
    assert frame.crs.to_epsg() == 4326 or frame.crs.to_authority() == ("OGC", "CRS84")
    areas = sorted(glacier.outlines.values_list("area_km2", flat=True))
    assert sorted(frame["area_km2"]) == pytest.approx(areas)
    assert set(frame["glac_name"]) == {"Grüner Ferner"}


def test_geoparquet_carries_the_metadata_of_version_1_1(client, glacier, tmp_path):
    (tmp_path / "o.parquet").write_bytes(download(client, "geoparquet"))
    geo = json.loads(pq.read_schema(tmp_path / "o.parquet").metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]


def test_a_shapefile_comes_with_citations_licences_and_a_manifest(client, glacier, tmp_path):
    (tmp_path / "o.zip").write_bytes(download(client, "shp"))
    with zipfile.ZipFile(tmp_path / "o.zip") as archive:
        papers = {"CITATIONS.txt", "LICENSE.txt", "README.txt", "manifest.json", "outlines.shp"}
        assert papers <= set(archive.namelist())
        assert "CC BY 4.0" in archive.read("LICENSE.txt").decode()
        assert json.loads(archive.read("manifest.json"))["outlines"] == 3
    assert len(geopandas.read_file(tmp_path / "o.zip")) == 3


def test_csv_cells_that_a_spreadsheet_would_run_are_quoted(client, glacier):
    glacier.name = "=HYPERLINK(1)"
    glacier.save()
    rows = list(csv.DictReader(io.StringIO(download(client, "csv").decode())))
    assert {row["glac_name"] for row in rows} == {"'=HYPERLINK(1)"}
    assert len(rows) == 3


def test_an_unknown_format_is_refused(client, glacier):
    assert "geojson" in get(client, "outlines/download/?format=kml", 400)["detail"]
    get(client, "outlines/download/?format=csv&bbox=1", 400)


def test_years_that_have_outlines_are_counted(client, glacier):
    found = get(client, "years/")
    assert found["outlines"] == {"1990": 1, "2000": 1, "2010": 1}
    assert found["span"] == [1990, 2010]


def test_regions_count_their_glaciers(client, glacier):
    assert [(one["code"], one["n_glaciers"]) for one in get(client, "regions/")["results"]] == [("11", 1)]


def test_colour_maps_say_where_the_threshold_is(client, db):
    found = get(client, "colour-maps/")
    assert found["ndsi"]["vmin"] < found["ndsi"]["threshold"] < found["ndsi"]["vmax"]
    assert len(found["ndsi"]["hash"]) == 8


@pytest.mark.parametrize("path", ["glaciers/", "outlines/", "outlines/?year=1995", "years/", "colour-maps/"])
def test_what_has_not_changed_is_not_sent_again(client, glacier, path):
    first = client.get(f"/api/v1/{path}")
    again = client.get(f"/api/v1/{path}", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.head(f"/api/v1/{path}").status_code == 200


def test_a_write_is_refused(client, glacier):
    response = client.post("/api/v1/glaciers/", {})
    assert response.status_code in {401, 403, 405}
    assert response["Content-Type"] == "application/problem+json"


def test_the_number_of_queries_does_not_grow_with_the_rows(client, glacier, django_assert_max_num_queries):
    for path in ("glaciers/", "outlines/", f"glaciers/{glacier.glac_id}/outlines/"):
        with django_assert_max_num_queries(4):
            get(client, path)


@pytest.mark.parametrize("name", ["geojson", "geojsonl", "csv", "gpkg", "geoparquet", "fgb", "shp"])
def test_a_download_of_nothing_is_a_whole_file_without_rows(client, db, tmp_path, name):
    answer = client.get(f"/api/v1/outlines/download/?format={name}")
    assert answer.status_code == 200
    body = b"".join(answer)
    if name == "geojson":
        assert json.loads(body)["features"] == []
    elif name in {"gpkg", "fgb"}:
        (tmp_path / f"none.{name}").write_bytes(body)
        assert len(geopandas.read_file(tmp_path / f"none.{name}")) == 0


@pytest.mark.parametrize("empty", ["bbox=", "year=", "datetime=", "area_min=", "simulated=", "region="])
def test_a_filter_that_is_left_empty_is_no_filter_that_can_be_taken(client, db, empty):
    assert empty.rstrip("=") in get(client, f"outlines/?{empty}", 400)["detail"]
    assert get(client, "glaciers/?q=&name=")["count"] == 0
