from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ASK = """
import json, rasterio
import workers.imagery.rasters
with rasterio.Env() as env:
    print(json.dumps(sorted(env.drivers())))
"""


def test_a_fresh_process_opens_only_the_listed_formats() -> None:
    answer = subprocess.run([sys.executable, "-c", ASK], cwd=ROOT, capture_output=True, text=True, check=True)
    allowed = {"COG", "ESRI Shapefile", "FlatGeobuf", "GPKG", "GTiff", "GeoJSON", "GeoJSONSeq", "MEM", "Memory"}
    assert set(json.loads(answer.stdout)) - allowed <= {"PNG", "WEBP"}


def test_an_operators_own_setting_is_kept() -> None:
    ask = "import os; os.environ['GDAL_CACHEMAX']='64'; from workers.imagery.drivers import gdal_environment as g; print(g()['GDAL_CACHEMAX'], g()['PROJ_NETWORK'])"  # noqa: E501
    answer = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["64", "OFF"]
