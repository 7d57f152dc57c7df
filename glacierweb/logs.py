"""Structured logs: one JSON object a line, with the request's or run's id, without secrets."""

from __future__ import annotations

import contextvars
import json
import logging
from datetime import UTC, datetime

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")
run_id: contextvars.ContextVar[int | None] = contextvars.ContextVar("run_id", default=None)


class JsonFormatter(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id.get():
            entry["request_id"] = request_id.get()
        if run_id.get() is not None:
            entry["run_id"] = run_id.get()
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


class SkippedDrivers(logging.Filter):
    """Keeps away what GDAL tells of every driver on its skip list that it does not have."""

    def filter(self, record: logging.LogRecord) -> bool:
        """False for such a line."""
        return "GDAL_SKIP" not in record.getMessage()
