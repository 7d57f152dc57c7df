"""What every refusal of the API looks like: a problem document (RFC 9457)."""

from __future__ import annotations


def problem(response, status):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert {"type", "title", "status", "detail", "instance"} <= set(body)
    return body
