"""A whole site for a test: Redis, Celery workers and the sweeper as real processes on the test database."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(true: Callable[[], object], within_s: float, what: str) -> None:
    """Wait for something; fails the test with what it waited for."""
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, f"{what} did not happen within {within_s:.0f} s"
        time.sleep(0.2)


class Stack:
    """Processes that are started and killed by name: redis, sweeper, worker-io, worker-gpu, worker-train."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.redis_port = free_port()
        self.password = secrets.token_hex(8)
        self.processes: dict[str, subprocess.Popen] = {}

    @property
    def redis_url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.redis_port}/0"

    @property
    def environment(self) -> dict[str, str]:
        database = connection.settings_dict
        address = f"{database['HOST'] or 'localhost'}:{database['PORT']}"
        account = f"{database['USER']}:{database['PASSWORD']}"
        return {
            **os.environ,
            "DATABASE_URL": f"postgis://{account}@{address}/{database['NAME']}",
            "REDIS_URL": self.redis_url,
            "DATA_ROOT": str(self.folder),
            "SECRET_KEY": "x" * 50,
            "RESEND_AFTER_S": "3",
            "SWEEP_EVERY_S": "2",
            "TRAIN_NICE": "0",
            "REDIS_PORT": str(self.redis_port),
            "REDIS_PASSWORD": self.password,
            "GLACIERWEB_VAR": str(self.folder),
        }

    def start(self, *names: str) -> None:
        for name in names:
            log = (self.folder / f"{name}.log").open("ab")
            command = (
                [sys.executable, "manage.py", "sweep", "--every", "2"] if name == "sweeper" else ["bin/start", name]
            )
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        if "redis" in names:
            from glacierweb import broker

            wait_until(broker.answers, 10, "Redis answering")

    def kill(self, name: str) -> None:
        """kill -9 of a program and all its children, as when the machine loses it."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def children(self, name: str) -> list[int]:
        """Process ids of a worker's pool children."""
        parent = self.processes[name].pid
        found = []
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = status.read_text().rpartition(")")[2].split()
                if int(fields[1]) == parent:
                    found.append(int(status.parent.name))
        return found

    def stop(self) -> None:
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for name, process in self.processes.items():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill_quietly(process)
            print(f"--- {name}", (self.folder / f"{name}.log").read_text(errors="replace")[-3000:])

    def kill_quietly(self, process: subprocess.Popen) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def running(folder: Path, settings: object) -> Iterator[Stack]:
    """A stack whose Redis, data folder and database the test process uses too."""
    from glacierweb.celery import app

    stack = Stack(folder)
    settings.DATA_ROOT = folder  # type: ignore[attr-defined]
    settings.REDIS_URL = stack.redis_url  # type: ignore[attr-defined]
    before = app.conf.broker_url
    app.conf.broker_url = stack.redis_url
    try:
        yield stack
    finally:
        app.conf.broker_url = before
        stack.stop()
