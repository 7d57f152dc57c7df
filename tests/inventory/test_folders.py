"""What of a data folder is taken for outlines, and what is said of the rest."""

from __future__ import annotations

import geopandas
import pandas
import pyogrio
import shapely

from inventory.folders import outlines_in

BOX = shapely.box(10, 46, 10.02, 46.02)


def write(path, geometry=BOX, **columns):
    geopandas.GeoDataFrame([columns], geometry=[geometry], crs=4326).to_file(path)


def test_each_vector_file_is_taken_or_skipped_with_a_reason(tmp_path):
    write(tmp_path / "a.gpkg", glac_name="A", src_date="2000-01-01")
    write(tmp_path / "points.geojson", shapely.Point(10, 46), glac_name="A", src_date="2000-01-01")
    write(tmp_path / "strange.geojson", VALUE=1)
    write(tmp_path / "complex.geojson", rgi_id="RGI2000-v7.0-C-11-02192", o1region="11")
    write(tmp_path / "lia.geojson", Year="LIA", GLACNAME="A", num=1)
    pyogrio.write_dataframe(pandas.DataFrame({"src_date": ["2000-01-01"], "glac_name": ["A"]}), tmp_path / "table.gpkg")
    (tmp_path / "broken.shp").write_bytes(b"nothing")
    taken, skipped = outlines_in(tmp_path)
    assert [path.name for path in taken] == ["a.gpkg"]
    reasons = {one.path.name: one.reason for one in skipped}
    for name, words in {
        "points.geojson": "points, not polygons", "strange.geojson": "--map", "complex.geojson": "complexes",
        "lia.geojson": "no calendar date", "table.gpkg": "table without geometry", "broken.shp": "not a readable",
    }.items():  # fmt: skip
        assert words in reasons[name]
    assert len(reasons) == 6


def test_items_rasters_and_tables_are_none_of_its_business(tmp_path):
    (tmp_path / "scene.json").write_text('{"type": "Feature", "stac_version": "1.1.0"}')
    (tmp_path / "manifest.json").write_text("[]")
    (tmp_path / "scene.tif").write_bytes(b"II*\0")
    (tmp_path / "areas.csv").write_text("year,area\n")
    assert outlines_in(tmp_path) == ([], [])
