"""What the web server refuses before Django sees it is a problem document too: real bytes to a real server."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests_stack import free_port, wait_until

from glacierweb.problem_pages import KINDS

ROOT = Path(__file__).resolve().parents[2]
APP = "glacierweb.wsgi:application"


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    chosen = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", APP, "--bind", f"127.0.0.1:{chosen}", "--threads", "2",
         "--worker-class", "glacierweb.gunicorn_worker.ProblemWorker", "--no-control-socket"],
        cwd=ROOT, env={**os.environ, "SECRET_KEY": "x" * 50}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(lambda: answers(chosen), 30, "the server listening")
        yield chosen
    finally:
        server.terminate()
        server.wait(10)


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"GET /?q=" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-Many: 1\r\n" * 200 + b"\r\n", 431),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
    ],
)
def test_what_the_server_cannot_read_is_a_problem_document(port, request_text, status):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request_text)
        answer = client.makefile("rb").read()
    head, body = answer.split(b"\r\n\r\n", 1)
    told = json.loads(body)
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in head
    assert told["status"] == status
    assert told["instance"].encode() in head
    assert told["type"].removeprefix("/problems/") in KINDS
