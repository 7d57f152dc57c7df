"""Static files: kept for a year under an address of their content, found from every other address."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.templatetags.static import static

from glacierweb.static_version import version_of


def test_the_version_changes_with_a_content_with_a_name_and_with_a_file_more(tmp_path):
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "map.js").write_text("one")
    seen = {version_of(tmp_path)}
    (tmp_path / "js" / "map.js").write_text("two")
    seen.add(version_of(tmp_path))
    (tmp_path / "js" / "map.js").rename(tmp_path / "js" / "chart.js")
    seen.add(version_of(tmp_path))
    (tmp_path / "empty.js").touch()
    seen.add(version_of(tmp_path))
    assert len(seen) == 4
    assert version_of(tmp_path) == version_of(tmp_path)
    assert version_of(tmp_path / "missing") == version_of(tmp_path / "neither")


def test_a_static_file_is_kept_for_good_under_its_version(client):
    answer = client.get(static("js/map.js"))
    assert answer.status_code == 200
    assert "immutable" in answer["Cache-Control"]


@pytest.mark.parametrize("address", ["/static/js/map.js", "/static/0123456789ab/js/map.js"])
def test_a_page_of_an_older_version_still_finds_its_files(client, address):
    answer = client.get(address)
    assert (answer.status_code, answer["Location"]) == (302, static("js/map.js"))
    assert answer["Cache-Control"] == "no-cache"


def test_a_static_file_that_does_not_exist_is_404_and_no_circle(client):
    assert client.get("/static/js/nothing.js", follow=True).status_code == 404
    assert client.get(f"{settings.STATIC_URL}js/nothing.js").status_code == 404
