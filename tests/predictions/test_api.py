"""The REST resources of versions, predicted outlines, area series and forecasts."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest
import shapely
from django.core.management import call_command
from problem_answers import problem
from pyproj import Geod

from glacierweb import runs
from predictions import results, versions
from predictions.models import Mask, PredictedOutline

API = "/api/v1"
GLACIER = "G330000E46000N"


@pytest.fixture
def glacier(world):
    return world.glacier(GLACIER, region=world.region())


def predicted(world, version, year, product="ice", **values):
    scene = values.pop("scene", None) or world.scene(date(year, 8, 20))
    shapes = [
        (GLACIER, shapely.box(-30.0, 46.0, -29.99, 46.01), 0.86, 0.8, 0.9, 0.7, []),
        (None, shapely.box(-29.95, 46.0, -29.94, 46.01), 0.86),
    ]
    areas = [(GLACIER, 0.86, 0.87, 0.8, 0.9, "held-out", 1.0, [])]
    run = world.running()
    return results.save_mask(run, scene, version, product, world.raster(b"x%d" % year), 0.5, shapes, areas, 1.0)


def test_the_schema_builds_without_a_warning(db, tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


def test_the_schema_says_what_the_api_does(client):
    schema = client.get("/api/schema/", HTTP_ACCEPT="application/json").json()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert (({} in operation["security"]) == (method == "get")), path
            problem_at = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
            assert problem_at == {"$ref": "#/components/schemas/Problem"}
            assert operation["description"] not in {"A page.", "One object."}
    outlines = schema["paths"][f"{API}/outlines/"]["get"]
    assert set(outlines["responses"]["200"]["content"]) == {"application/geo+json", "application/json"}
    kinds = {one["name"]: one["schema"] for one in outlines["parameters"]}
    assert kinds["area_min"]["type"] == "number"
    assert kinds["year"]["type"] == "integer"
    assert kinds["preferred"]["type"] == "boolean"


def test_features_come_under_their_own_media_type_unless_plain_json_is_asked_for(client, glacier):
    assert client.get(f"{API}/outlines/")["Content-Type"] == "application/geo+json"
    assert client.get(f"{API}/outlines/", HTTP_ACCEPT="application/json")["Content-Type"] == "application/json"
    assert client.get(f"{API}/predicted-outlines/")["Content-Type"] == "application/geo+json"


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("runs/1/?colour=blue", "colour"), ("jobs/1/?colour=blue", "colour"), ("runs/?kind=dance", "dance"),
        ("runs/?format=xml", "xml"), ("models/?architecture=perceptron", "perceptron"), ("scenes/?kind=film", "film"),
        ("outlines/?glac_id=7", "glac_id=7"), ("predicted-outlines/?glac_id=7", "glac_id=7"),
        ("predicted-outlines/?region=77", "region=77"), ("glaciers/?format=csv", "csv"),
        ("predicted-outlines/download/?format=shp", "shp"), ("regions/11/?format=yaml", "yaml"),
    ],
)  # fmt: skip
def test_values_that_nothing_can_have_are_refused_instead_of_answered_by_an_empty_list(client, world, address, named):
    asked = runs.request("segment", {}, queue="gpu")
    world.region()
    found = problem(client.get(f"{API}/{address}".replace("/1/", f"/{asked.pk}/")), 400)
    assert named in found["detail"]


NOWHERE = (
    "runs/99/", "models/99/", "masks/99/", "forecasts/99/", "flows/99/", "jobs/99/", "glaciers/G9/areas/",
    "glaciers/G330000E46000N/areas/", "regions/99/trend/", "predicted-outlines/99/", "aois/99/forecasts/",
    "runs/99999999999999999999999/",
)  # fmt: skip


@pytest.mark.parametrize("path", NOWHERE)
def test_what_does_not_exist_is_404(client, db, path):
    problem(client.get(f"{API}/{path}"), 404)


def test_promoting_goes_through_the_gate(signed_in, world):
    first = world.version(metrics={"overall": {"iou": 0.8}})
    worse = world.version(metrics={"overall": {"iou": 0.5}})
    assert signed_in.post(f"{API}/models/{first.pk}/promote/").json()["state"] == "active"
    body = signed_in.get(f"{API}/models/{worse.pk}/").json()
    assert (body["active_version"], body["run"]) == (first.pk, worse.trained_by_id)
    assert "worse" in body["objection"]
    assert "worse" in problem(signed_in.post(f"{API}/models/{worse.pk}/promote/"), 409)["detail"]
    forced = {"force": True, "reason": "other test set"}
    assert signed_in.post(f"{API}/models/{worse.pk}/promote/", forced, "application/json").json()["state"] == "active"
    back = signed_in.post(f"{API}/models/{worse.pk}/roll-back/").json()
    assert (back["id"], back["state"]) == (first.pk, "active")
    problem(signed_in.post(f"{API}/models/{worse.pk}/roll-back/"), 409)
    problem(signed_in.post(f"{API}/models/{first.pk}/roll-back/"), 409)


def test_only_the_staff_promotes(client, world):
    version = world.version()
    problem(client.post(f"{API}/models/{version.pk}/promote/"), 401)
    assert versions.active("segment", "simulated") is None


def test_versions_are_filtered(client, world):
    world.version()
    world.version("forecast", architecture="lstm")
    assert client.get(f"{API}/models/?task=forecast").json()["results"][0]["architecture"] == "lstm"
    problem(client.get(f"{API}/models/?task=paint"), 400)


def test_predicted_outlines_are_those_of_the_active_version(client, world, glacier):
    old, new = versions.promote(world.version()), world.version()
    predicted(world, old, 2010)
    predicted(world, new, 2011)
    body = client.get(f"{API}/glaciers/{GLACIER}/predicted-outlines/").json()
    assert (body["type"], body["numberMatched"], body["numberReturned"]) == ("FeatureCollection", 1, 1)
    (feature,) = body["features"]
    found = feature["properties"]
    assert feature["geometry"]["type"] == "MultiPolygon"
    assert (found["date"], found["glac_id"], found["kind"], found["product"]) == (
        "2010-08-20", GLACIER, "predicted", "ice",
    )  # fmt: skip
    assert found["version"] == {"id": old.pk, "architecture": "random-forest", "preset": "small"}
    assert found["simulated"] is True
    every = client.get(f"{API}/glaciers/{GLACIER}/predicted-outlines/?version=all").json()
    assert [f["properties"]["version"]["id"] for f in every["features"]] == [old.pk, new.pk]
    assert (
        client.get(f"{API}/glaciers/{GLACIER}/predicted-outlines/?version=all&year=2011").json()["numberMatched"] == 1
    )


def test_predicted_outlines_are_filtered_and_paged(client, world, glacier):
    version = versions.promote(world.version())
    for year in (2010, 2011, 2012):
        predicted(world, version, year)
    listed = f"{API}/predicted-outlines/"
    assert client.get(listed).json()["numberMatched"] == 6
    assert client.get(f"{listed}?glac_id={GLACIER}&datetime=2011-01-01/..").json()["numberMatched"] == 2
    assert client.get(f"{listed}?bbox=-29.96,45.9,-29.9,46.1").json()["numberMatched"] == 3
    assert client.get(f"{listed}?bbox=10,45.9,11,46.1").json()["numberMatched"] == 0
    assert client.get(f"{listed}?area_min=2").json()["numberMatched"] == 0
    assert client.get(f"{listed}?product=snow_ice").json()["numberMatched"] == 0
    page = client.get(f"{listed}?limit=4").json()
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    rest = client.get(following).json()
    ids = [feature["id"] for feature in page["features"] + rest["features"]]
    assert len(set(ids)) == 6
    for wrong in ("bbox=1,2,3", "limit=0", "year=abc", "version=best", "colour=red", "product=rock"):
        problem(client.get(f"{listed}?{wrong}"), 400)
    one = client.get(f"{listed}{ids[0]}/").json()
    assert one["type"] == "Feature"


def test_unmatched_ice_is_listed_without_a_glacier(client, world, glacier):
    predicted(world, versions.promote(world.version()), 2010)
    found = [f["properties"] for f in client.get(f"{API}/predicted-outlines/").json()["features"]]
    assert {(one["glac_id"], tuple(one["flags"])) for one in found} == {(GLACIER, ()), (None, ("unmatched",))}


@pytest.mark.parametrize("name", ["geojson", "csv", "gpkg"])
def test_predicted_outlines_are_downloaded(client, world, glacier, tmp_path, name):
    predicted(world, versions.promote(world.version()), 2010)
    answer = client.get(f"{API}/predicted-outlines/download/?format={name}")
    assert "attachment" in answer["Content-Disposition"]
    body = b"".join(answer.streaming_content)
    if name == "geojson":
        assert len(json.loads(body)["features"]) == 2
    elif name == "csv":
        rows = list(csv.DictReader(io.StringIO(body.decode())))
        assert {row["glac_id"] for row in rows} == {GLACIER, ""}
    else:
        import geopandas

        path = tmp_path / "found.gpkg"
        path.write_bytes(body)
        frame = geopandas.read_file(path)
        assert frame.crs.to_epsg() == 4326
        assert sorted(frame["area_km2"]) == [0.86, 0.86]


def test_a_downloaded_outline_says_how_it_was_made_and_on_what_ground_it_lies(client, world, glacier):
    version = versions.promote(world.version())
    predicted(world, version, 2010)
    ground = {"dem_name": "GLO-30", "min_elev_m": 2100.0, "aspect_mean_deg": None}
    PredictedOutline.objects.filter(glacier=glacier).update(relief=ground)
    body = b"".join(client.get(f"{API}/predicted-outlines/download/?format=geojson").streaming_content)
    row = next(f["properties"] for f in json.loads(body)["features"] if f["properties"]["glac_id"])
    outline = PredictedOutline.objects.get(glacier=glacier)
    sides_km = Geod(ellps="WGS84").geometry_length(shapely.from_wkt(outline.geometry.wkt).boundary) / 1000
    assert row["perimeter_km"] == pytest.approx(sides_km, rel=1e-5)
    assert (row["n_parts"], row["n_holes"], row["line_type"]) == (1, 0, "glac_bound")
    assert (row["dem_name"], row["min_elev_m"], row["max_elev_m"]) == ("GLO-30", 2100.0, None)
    assert (row["weights_sha256"], row["inputs"]) == (version.weights_sha256, "green swir1")
    assert (row["threshold"], row["sensor"], row["review_status"]) == (0.5, "Landsat 8", "not reviewed")
    assert row["area_calc_method"].startswith("geodesic on WGS 84")


@pytest.mark.parametrize("name", ["geojson", "csv", "gpkg"])
def test_an_empty_download_is_a_sound_file(client, db, tmp_path, name):
    body = b"".join(client.get(f"{API}/predicted-outlines/download/?format={name}").streaming_content)
    path = tmp_path / f"empty.{name}"
    path.write_bytes(body)
    if name != "csv":
        import pyogrio

        assert pyogrio.read_info(path)["features"] == 0
    problem(client.get(f"{API}/predicted-outlines/download/?format=kml"), 400)


def test_areas_as_json_and_as_csv_say_the_same(client, world, glacier):
    version = versions.promote(world.version())
    for year in (2010, 2011):
        predicted(world, version, year)
    world.outline(glacier, date(2003, 8, 1), 1.0)
    body = client.get(f"{API}/glaciers/{GLACIER}/areas/").json()
    assert [one["source"] for one in body["series"]] == ["outlines", "network"]
    network = body["series"][1]
    assert network["version"] == version.pk
    assert network["observations"][0]["scene"]["key"].startswith("scene-")
    assert network["observations"][0]["outline"]
    answer = client.get(f"{API}/glaciers/{GLACIER}/areas/?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["km2"] for row in rows] == ["1.0", "0.86", "0.86"]
    assert answer.content.decode().splitlines()[1].startswith(f'"{GLACIER}","outlines"')
    problem(client.get(f"{API}/glaciers/{GLACIER}/areas/?version=777"), 400)
    problem(client.get(f"{API}/glaciers/{GLACIER}/areas/?format=xml"), 400)


def test_a_cell_that_begins_like_a_formula_is_made_harmless():
    from predictions import tables

    cells = tables.text([{"a": "=1+1", "b": -0.5}, {"a": " @x", "b": None}], ["a", "b"])
    assert cells == '"a","b"\r\n"\'=1+1","-0.5"\r\n"\' @x",""\r\n'


def test_the_summary_says_what_there_is(client, world, glacier):
    path = f"{API}/glaciers/{GLACIER}/summary/"
    before = client.get(path).json()
    assert (before["has_predicted"], before["has_forecast"]) == (False, False)
    predicted(world, versions.promote(world.version()), 2010)
    assert client.get(path).json()["has_predicted"] is True


def forecast(world, aoi, **changed):
    frames = [
        (date(2024, 10, 1), date(2024, 12, 31), 0, True, world.raster(b"a"), 30.0),
        (date(2025, 1, 1), date(2025, 3, 31), 1, False, world.raster(b"b"), 31.0, 29.0, 33.0),
    ]
    values = {
        "run": world.running("forecast"), "aoi": aoi, "version": world.version("forecast"), "nature": "forecast",
        "issued": date(2025, 1, 1), "frames": frames, "useful": False, "sentence": "Not better.", "notes": ["note"],
        "skill": [("climatology", 0, 0.02, 0.021, 0.05, -0.01, 0.08)], **changed,
    }  # fmt: skip
    return results.save_forecast(**values)


def test_forecasts_of_a_glacier_and_of_an_area_carry_frames_skill_and_legend(client, world, glacier):
    aoi = world.aoi(glacier=glacier)
    found = forecast(world, aoi)
    forecast(world, world.aoi("elsewhere", west=10.0))
    forecast(world, world.aoi("real", simulated=False))
    for path in (f"glaciers/{GLACIER}/forecasts/", f"aois/{aoi.pk}/forecasts/"):
        (body,) = client.get(f"{API}/{path}").json()["results"]
        assert (body["id"], body["useful"], body["nature"], body["simulated"]) == (found.pk, False, "forecast", True)
        assert body["frames"][1]["tiles"].startswith(f"/tiles/forecasts/{found.pk}/2025-01-01/")
        assert (body["skill"][0]["lo"], body["legend"]["label"]) == (-0.01, "snow and ice, not glacier")
    assert client.get(f"{API}/forecasts/").json()["count"] == 3
    frames = client.get(f"{API}/forecasts/{found.pk}/frames/").json()["results"]
    assert [(frame["start"], frame["observed"]) for frame in frames] == [("2024-10-01", True), ("2025-01-01", False)]
    answer = client.get(f"{API}/forecasts/{found.pk}/frames/?format=csv")
    first, second = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (first["observed"], second["lo_km2"], second["start"]) == ("true", "29.0", "2025-01-01")


def test_masks_are_listed_with_their_tiles(client, world, glacier):
    mask = predicted(world, versions.promote(world.version()), 2010)
    predicted(world, None, 2010, Mask.Product.SNOW_ICE, scene=mask.scene)
    body = client.get(f"{API}/masks/?scene={mask.scene_id}&product=ice").json()
    assert body["results"][0]["n_outlines"] == 2
    assert body["results"][0]["tiles"].startswith(f"/tiles/masks/{mask.pk}/")


def test_flow_fields_are_listed_for_a_glacier(client, world, glacier):
    field = results.save_flow(
        world.running("flow"), world.scene(), world.scene(), "surface displacement", world.raster(), 0.2
    )
    assert client.get(f"{API}/glaciers/{GLACIER}/flow/").json()["results"][0]["id"] == field.pk
    assert client.get(f"{API}/flows/{field.pk}/").json()["stable_nmad_m_per_year"] == 0.2


def test_the_trend_of_a_region_and_the_total_are_served(client, world, glacier):
    assert client.get(f"{API}/regions/11/trend/").json()["method_1"] is None
    assert client.get(f"{API}/region-trends/").json()["missing"][0] == "Europe"


def test_status_and_years_show_what_is_there_and_what_goes_on(client, world, glacier):
    before = client.get(f"{API}/status/").json()
    assert (before["first_outlines"], before["first_forecast"], before["runs_active"]) == (False, False, [])
    predicted(world, versions.promote(world.version()), 2010)
    forecast(world, world.aoi())
    after = client.get(f"{API}/status/").json()
    assert (after["first_outlines"], after["first_forecast"]) == (True, True)
    assert after["database"]["glaciers"] == 1
    assert after["runs_active"][0]["state"] == "running"
    assert client.get(f"{API}/predicted-years/").json() == {"predicted": {"2010": 2}, "forecasts": {"2025": 1}}
    assert client.get(f"{API}/predicted-years/?bbox=10,10,11,11").json() == {"predicted": {}, "forecasts": {}}
