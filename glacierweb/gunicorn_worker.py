"""The web server's own refusals (an address or header that is too long, a broken request line) as problem documents."""

from __future__ import annotations

import json
import socket
import uuid

from gunicorn import util
from gunicorn.workers import base
from gunicorn.workers.gthread import ThreadWorker

from glacierweb.problems import CONTENT_TYPE

KINDS = {414: "uri-too-long", 431: "request-header-fields-too-large", 500: "internal-error"}
DETAILS = {
    414: "The address is longer than this server reads; ask with fewer or shorter parameters.",
    431: "The headers are larger than this server reads; send fewer or shorter ones.",
    500: "This is a fault of the server; quote the request id when you report it.",
}


def problem(status: int) -> bytes:
    """A whole HTTP answer, written without Django: the request never got that far."""
    kind, instance = KINDS.get(status, "bad-request"), uuid.uuid4().hex
    title = kind.replace("-", " ").capitalize()
    body = json.dumps({
        "type": f"/problems/{kind}", "title": title, "status": status,
        "detail": DETAILS.get(status, "The request is malformed; see RFC 9112 for its form."), "instance": instance,
    }).encode()  # fmt: skip
    head = (
        f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nContent-Type: {CONTENT_TYPE}\r\n"
        f"X-Content-Type-Options: nosniff\r\nX-Request-ID: {instance}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("latin-1") + body


def _write_problem(client: socket.socket, status: int, reason: str, message: str) -> None:
    util.write_nonblock(client, problem(status))


class ProblemWorker(ThreadWorker):
    """gunicorn's threaded worker. It decides what is wrong with a request; only the words of the answer are ours."""

    def init_process(self) -> None:
        """Put our words in the place of gunicorn's page, in this process."""
        base.util.write_error = _write_problem
        super().init_process()
