"""Rasters as files: whole, in part, unchanged, gone."""

from __future__ import annotations

import pytest

from glacierweb.problems import Problem
from inventory.assets import byte_range
from predictions import results

CONTENT = bytes(range(256)) * 600


@pytest.fixture
def mask(world):
    return results.save_mask(
        world.running(), world.scene(), None, "ice", world.raster(CONTENT), 0.5, [], [], 1.0
    )  # fmt: skip


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def test_a_raster_is_sent_whole_with_its_name_and_tag(client, mask):
    address = client.get(f"/api/v1/masks/{mask.pk}/").json()["raster"]
    answer = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert body(answer) == CONTENT
    assert (answer["Accept-Ranges"], answer["ETag"]) == ("bytes", f'"{mask.raster_sha256}"')
    assert "cloud-optimized" in answer["Content-Type"]
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-15", 0, 15),
        ("bytes=100000-", 100_000, 153_599),
        ("bytes=-10", 153_590, 153_599),
        ("bytes=5-9999999", 5, 153_599),
    ],
)
def test_a_part_is_sent_where_a_part_is_asked_for(client, mask, asked, first, last):
    answer = client.get(f"/api/v1/masks/{mask.pk}/raster.tif", headers={"Range": asked, "Accept-Encoding": "gzip"})
    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes {first}-{last}/153600"
    assert body(answer) == CONTENT[first : last + 1]


@pytest.mark.parametrize("asked", ["bytes=a-b", "bytes=-", "bytes=9-5", "bytes=0-1,4-5", "lines=0-1", ""])
def test_what_is_no_single_range_gets_the_whole(asked):
    assert byte_range(asked, 100) is None


def test_a_range_behind_the_end_is_refused_with_the_size(client, mask):
    answer = client.get(f"/api/v1/masks/{mask.pk}/raster.tif", headers={"Range": "bytes=153600-"})
    assert (answer.status_code, answer["Content-Range"]) == (416, "bytes */153600")
    with pytest.raises(Problem):
        byte_range("bytes=-5", 0)


def test_a_raster_that_is_lost_is_gone(client, mask, data_root):
    (data_root / mask.raster).unlink()
    answer = client.get(f"/api/v1/masks/{mask.pk}/raster.tif")
    assert (answer.status_code, answer["Content-Type"]) == (410, "application/problem+json")


def test_the_bands_of_a_scene_are_sent_until_they_change(client, world):
    from glacierweb import paths

    scene = world.scene()
    path = paths.data_path(scene.raster)
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    address = client.get(f"/api/v1/scenes/{scene.pk}/").json()["raster"]
    answer = client.get(address)
    assert body(answer) == CONTENT
    assert "immutable" not in answer["Cache-Control"], "another delivery may replace the file"
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert client.get(address, headers={"Range": "bytes=0-9"}).status_code == 206
    path.write_bytes(CONTENT[:-1])
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 200
    assert client.get(f"{address}?bands=1").status_code == 400
    path.unlink()
    assert client.get(address).status_code == 410


def test_a_scene_that_is_not_stored_has_no_raster(client, world):
    scene = world.scene(state="failed")
    assert client.get(f"/api/v1/scenes/{scene.pk}/").json()["raster"] is None
    assert client.get(f"/api/v1/scenes/{scene.pk}/raster.tif").status_code == 404
