"""Pages: complete, without duplicates, stable under inserts, and only with cursors that were made here."""

from __future__ import annotations

import pytest

from glacierweb.models import Run
from glacierweb.paging import MOST, Cursor, pack, read_limit, unpack
from glacierweb.problems import Problem

pytestmark = pytest.mark.django_db
MADE = pack(Cursor([1]), "/list/")


def asked(kind: str = "segment") -> Run:
    return Run.objects.create(kind=kind, queue="gpu", params={})


def walk(client, address: str, between=lambda: None) -> list[int]:
    found = []
    while address:
        page = client.get(address).json()
        found += [row["id"] for row in page["results"]]
        address = page["next"]
        between()
    return found


def test_all_rows_come_once_and_in_order(client):
    ids = [asked().pk for _ in range(7)]
    assert walk(client, "/api/v1/runs/?limit=3") == ids[::-1]


def test_rows_that_are_added_while_one_reads_neither_repeat_nor_hide_others(client):
    ids = [asked().pk for _ in range(6)]
    assert walk(client, "/api/v1/runs/?limit=2", between=asked) == ids[::-1]


def test_filters_stay_on_every_page(client):
    ids = [asked("train").pk for _ in range(3)]
    asked("segment")
    assert walk(client, "/api/v1/runs/?kind=train&limit=1") == ids[::-1]


def test_the_first_and_the_last_page_say_so(client):
    for _ in range(3):
        asked()
    first = client.get("/api/v1/runs/?limit=2").json()
    assert (first["count"], first["previous"]) == (3, None)
    last = client.get(first["next"]).json()
    assert last["next"] is None
    assert client.get(last["previous"]).json()["results"] == first["results"]


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "all", "", "١"])
def test_a_limit_that_is_no_whole_number_from_1_is_refused(text):
    with pytest.raises(Problem, match="limit"):
        read_limit(text)


def test_a_larger_limit_is_capped_not_refused():
    assert read_limit("99999999999999999999") == MOST
    assert read_limit(None) == 100
    assert read_limit("7") == 7


def test_one_walks_back_over_the_same_pages(client):
    for _ in range(7):
        asked()
    pages, address = [], "/api/v1/runs/?limit=3"
    while address:
        pages.append(client.get(address).json())
        address = pages[-1]["next"]
    back = client.get(pages[-1]["previous"]).json()
    assert back["results"] == pages[1]["results"]
    first = client.get(back["previous"]).json()
    assert first["results"] == pages[0]["results"]
    assert first["previous"] is None
    assert client.get(first["next"]).json()["results"] == pages[1]["results"]


def test_a_row_that_is_added_in_front_is_found_by_walking_back(client):
    ids = [asked().pk for _ in range(2)]
    last = client.get(client.get("/api/v1/runs/?limit=1").json()["next"]).json()
    newer = asked().pk
    before = client.get(last["previous"]).json()
    assert [row["id"] for row in before["results"]] == [ids[1]]
    assert [row["id"] for row in client.get(before["previous"]).json()["results"]] == [newer]


def test_a_cursor_gives_back_what_was_packed():
    cursor = Cursor(["2016-08-27", 12], back=True)
    assert unpack(pack(cursor, "/list/"), "/list/") == cursor


@pytest.mark.parametrize("cursor", ["made-up", "W10", MADE[:-1], MADE + "x", "a:b"])
def test_a_cursor_from_elsewhere_is_refused(cursor):
    with pytest.raises(Problem) as refused:
        unpack(cursor, "/list/")
    assert refused.value.status == 400


@pytest.mark.parametrize("resource", ["/api/v1/outlines/", "/api/v1/scenes/", "/api/v1/training-runs/"])
def test_a_cursor_of_another_list_is_refused(client, resource):
    asked()
    answer = client.get("/api/v1/runs/", {"cursor": pack(Cursor(["2016-08-27", 12]), resource)})
    assert answer.status_code == 400
    assert "cursor" in answer.json()["detail"]
