"""No file that somebody brings is more than it seems: GDAL knows our formats and no other, in every library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from glacierweb.gdal_drivers import KEPT, skipped

ROOT = Path(__file__).resolve().parents[2]
LISTED = {
    "pyogrio": "import pyogrio; print(json.dumps(sorted(pyogrio.list_drivers())))",
    "rasterio": "import rasterio\nwith rasterio.Env() as here: print(json.dumps(sorted(here.drivers())))",
}


def in_a_process(code: str, ours: bool = True) -> subprocess.CompletedProcess:
    """Code in a process that has our settings, as the web and the workers have, or in one that knows nothing of us."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GDAL_")}
    environment |= {"DJANGO_SETTINGS_MODULE": "glacierweb.settings", "SECRET_KEY": "x" * 50}
    start = "import json, django; django.setup()\n" if ours else ""
    return subprocess.run(
        [sys.executable, "-c", start + code], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@pytest.mark.parametrize("library", LISTED)
def test_only_our_formats_are_known(library):
    answer = in_a_process(LISTED[library])
    assert answer.returncode == 0, answer.stderr
    known = set(json.loads(answer.stdout.splitlines()[-1]))
    assert known <= KEPT
    assert {"GPKG", "GeoJSON", "ESRI Shapefile"} <= known


def test_a_virtual_dataset_that_is_called_geojson_is_not_opened(tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("name\nhidden words\n")
    liar = tmp_path / "outlines.geojson"
    liar.write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer>'
        "</OGRVRTDataSource>"
    )
    code = f"import pyogrio\nprint(len(pyogrio.read_dataframe({str(liar)!r})))"
    assert "DataSourceError" in in_a_process(code).stderr
    assert in_a_process(code, ours=False).stdout.strip() == "1", "anywhere else it is"


def test_what_is_kept_is_not_left_out():
    assert not KEPT & set(skipped().split(","))


def test_a_process_says_nothing_of_drivers_that_it_never_had():
    code = (
        "import pyogrio, rasterio\n"
        "from django.contrib.gis.gdal import Driver\n"
        "with rasterio.Env(): print(Driver('GeoJSON'))"
    )
    answer = in_a_process(code)
    assert answer.stdout.strip() == "GeoJSON"
    assert answer.stderr == ""
