"""Request ids, cross-origin reads, and answers that have not changed."""

from __future__ import annotations

import json
import logging

import pytest

from glacierweb.logs import JsonFormatter, request_id

pytestmark = pytest.mark.django_db


def test_a_request_id_that_is_given_comes_back(client):
    assert client.get("/healthz", HTTP_X_REQUEST_ID="from-the-proxy.7")["X-Request-ID"] == "from-the-proxy.7"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "a\r\nSet-Cookie: b=c"])
def test_a_request_id_of_another_form_is_replaced(client, given):
    found = client.get("/healthz", HTTP_X_REQUEST_ID=given)["X-Request-ID"]
    assert found != given and len(found) == 32


def test_two_requests_have_two_ids(client):
    assert client.get("/healthz")["X-Request-ID"] != client.get("/healthz")["X-Request-ID"]


def test_a_log_line_is_json_with_the_id_of_its_request():
    token = request_id.set("abc")
    try:
        record = logging.LogRecord("name", logging.WARNING, __file__, 1, "two\nlines of %s", ("ice",), None)
        line = JsonFormatter().format(record)
    finally:
        request_id.reset(token)
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["request_id"], entry["level"], entry["message"]) == ("abc", "WARNING", "two\nlines of ice")


def test_public_data_may_be_read_from_other_origins_without_credentials(client):
    answer = client.get("/api/v1/glaciers/", HTTP_ORIGIN="https://elsewhere.example")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize("address", ["/accounts/login/", "/admin/", "/"])
def test_pages_may_not(client, address):
    assert "Access-Control-Allow-Origin" not in client.get(address, HTTP_ORIGIN="https://elsewhere.example")


def test_writing_is_never_offered_to_other_origins(client):
    answer = client.post("/api/v1/runs/", {}, content_type="application/json", HTTP_ORIGIN="https://elsewhere.example")
    assert "Access-Control-Allow-Origin" not in answer


def test_an_unchanged_answer_is_304_without_a_body(client):
    first = client.get("/api/v1/colour-maps/")
    again = client.get("/api/v1/colour-maps/", HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")


def test_large_answers_are_compressed_where_that_is_understood(client):
    assert client.get("/api/v1/colour-maps/", HTTP_ACCEPT_ENCODING="gzip")["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in client.get("/api/v1/colour-maps/")


def test_head_is_get_without_a_body(client):
    answer = client.head("/api/v1/glaciers/")
    assert (answer.status_code, answer.content) == (200, b"")
