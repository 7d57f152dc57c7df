"""HTTP for catalogues and their files: only to hosts an operator named, every hop checked, size and time limited.

GDAL never goes to the network here; what it reads was fetched to a file first. The address that is checked is the
address that is connected to, so a name cannot resolve to something else in between.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

BACKOFF_S = (1.0, 4.0, 16.0)
MAX_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
AGAIN = (429, 500, 502, 503, 504)
CHUNK = 1 << 18
DOCUMENT_BYTES = 64 * 2**20


class RefusedAddress(ValueError):
    """An address that is not ours to visit: scheme, host or resolved address."""


class FetchFailed(OSError):
    """The other side answered with an error, too much, too slowly or not at all; `status` is 0 without an answer."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Fetcher:
    """A client for the `hosts` (a leading dot takes every host below it). `private_hosts`, a part of them, may use
    http and resolve to loopback or private addresses; nothing else may. ValueErrors refuse, FetchFailed failed."""

    hosts: Sequence[str]
    private_hosts: Sequence[str] = ()
    timeout_s: float = 30.0
    total_s: float = 600.0
    max_bytes: int = 4 * 2**30
    sleep: Callable[[float], None] = time.sleep
    _pool: urllib3.PoolManager = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pool = urllib3.PoolManager(timeout=self.timeout_s, retries=False)
        pool.pool_classes_by_scheme = _checked_pools(tuple(self.private_hosts))
        object.__setattr__(self, "_pool", pool)

    def document(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> bytes:
        """Body of an answer of at most 64 MB, after retries and redirects."""
        return self._retried(lambda: b"".join(self._stream(method, url, headers or {}, body, DOCUMENT_BYTES)))

    def download(self, url: str, path: Path) -> Path:
        """Fetch a file; it is there whole or not at all."""
        return self._retried(lambda: self._to_file(url, path))

    def check(self, url: str) -> None:
        """RefusedAddress unless the scheme and host of the address are allowed."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not any(_matches(host, allowed) for allowed in (*self.hosts, *self.private_hosts)):
            raise RefusedAddress(f"{host or url[:60]} is not a host of this catalogue; add it to its asset hosts.")
        private = any(_matches(host, allowed) for allowed in self.private_hosts)
        if parts.scheme != "https" and not (private and parts.scheme == "http"):
            raise RefusedAddress(f"{url[:80]} is not https; only hosts listed as private may use http.")
        if parts.username or parts.password:
            raise RefusedAddress(f"The address at {host} carries a user name; give credentials by signing instead.")

    def _retried(self, attempt: Callable[[], Any]) -> Any:
        for wait in (*BACKOFF_S, None):
            try:
                return attempt()
            except FetchFailed as error:
                if wait is None or error.status not in (0, *AGAIN):
                    raise
                self.sleep(wait)
        raise AssertionError("unreachable")

    def _to_file(self, url: str, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".fetch.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                for chunk in self._stream("GET", url, {}, None, self.max_bytes):
                    stream.write(chunk)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        return path

    def _stream(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, limit: int
    ) -> Iterator[bytes]:
        until = time.monotonic() + self.total_s
        try:
            answer = self._followed(method, url, headers, body)
            try:
                yield from _limited(answer, url, limit, until)
            finally:
                answer.close()
        except HTTPError as error:
            refused = _cause(error)
            if refused is not None:
                raise refused from error
            raise FetchFailed(f"{urlsplit(url).hostname} did not answer ({type(error).__name__}).") from error

    def _followed(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Any:
        for _ in range(MAX_REDIRECTS + 1):
            self.check(url)
            answer = self._pool.request(
                method,
                url,
                headers={**headers, "Accept-Encoding": "identity"},
                body=body,
                redirect=False,
                preload_content=False,
            )
            if answer.status not in REDIRECTS:
                return answer
            answer.close()
            url = urljoin(url, answer.headers.get("Location", ""))
            if answer.status in (301, 302, 303):
                method, body = "GET", None
        raise FetchFailed(f"More than {MAX_REDIRECTS} redirects, the last to {urlsplit(url).hostname}.", status=310)


def _limited(answer: Any, url: str, limit: int, until: float) -> Iterator[bytes]:
    host = urlsplit(url).hostname
    if not 200 <= answer.status < 300:
        raise FetchFailed(f"{host} answered {answer.status}.", status=answer.status)
    declared = int(answer.headers.get("Content-Length") or 0)
    received = 0
    for chunk in answer.stream(CHUNK):
        received += len(chunk)
        if max(received, declared) > limit:
            raise FetchFailed(f"{host} sends more than {limit} bytes; the limit is a setting.", status=413)
        if time.monotonic() > until:
            raise FetchFailed(f"{host} is too slow; the time limit is a setting.", status=408)
        yield chunk


def _cause(error: BaseException) -> RefusedAddress | None:
    """The refusal that a connection met, out of what the library wrapped around it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, _RefusedConnection):
            return RefusedAddress(str(seen.refusal))
        seen = (
            getattr(seen, "reason", None)
            if isinstance(getattr(seen, "reason", None), BaseException)
            else seen.__cause__
        )
    return None


def _matches(host: str, allowed: str) -> bool:
    host, allowed = host.lower().rstrip("."), allowed.lower()
    return host.endswith(allowed) if allowed.startswith(".") else host == allowed


def public_address(text: str) -> bool:
    """True for an address of the open internet: no loopback, link-local, private, reserved or multicast range."""
    address = ipaddress.ip_address(text.split("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global and not (mapped or address).is_multicast


class _RefusedConnection(NewConnectionError):
    def __init__(self, connection: Any, refusal: str) -> None:
        super().__init__(connection, refusal)
        self.refusal = refusal


def _checked_pools(private_hosts: tuple[str, ...]) -> dict[str, Any]:
    """Connection pools that look at the resolved address before they connect, and connect to that very address."""

    class Checked:
        def _new_conn(self) -> socket.socket:
            host, port = self._dns_host, self.port  # type: ignore[attr-defined]
            private = any(_matches(host, allowed) for allowed in private_hosts)
            try:
                addresses = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
            except OSError as error:
                raise NewConnectionError(self, f"{host} cannot be resolved") from error  # type: ignore[arg-type]
            usable = [a for a in addresses if private or public_address(a)]
            if len(usable) < len(addresses) or not usable:
                raise _RefusedConnection(self, f"{host} resolves to a private address; list it as a private host.")
            try:
                return socket.create_connection((usable[0], port), timeout=self.timeout)  # type: ignore[attr-defined]
            except OSError as error:
                raise NewConnectionError(self, f"{host} does not answer") from error  # type: ignore[arg-type]

    plain = type("CheckedHTTPConnection", (Checked, HTTPConnection), {})
    secure = type("CheckedHTTPSConnection", (Checked, HTTPSConnection), {})
    return {
        "http": type("CheckedHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("CheckedHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
