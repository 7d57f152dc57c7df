"""What the broker holds right now: the one place that looks into Redis itself."""

from __future__ import annotations

import base64
import json

import redis
from django.conf import settings

QUEUES = ("io", "gpu", "train")


def connection() -> redis.Redis:
    """A connection that gives up within two seconds."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def held_run_ids() -> list[int]:
    """Ids of the runs whose message waits in a queue; empty when Redis does not answer.

    Messages that a worker took do not count: the worker may be dead, and its message would lie there for hours.
    """
    try:
        with connection() as client:
            waiting = [message for queue in QUEUES for message in client.lrange(queue, 0, -1)]
    except redis.RedisError:
        return []
    return [_run_id(json.loads(message)) for message in waiting]


def _run_id(message: dict) -> int:
    (run_id, *_), _keywords, _options = json.loads(base64.b64decode(message["body"]))
    return int(run_id)


def answers() -> bool:
    """Whether Redis answers a ping."""
    try:
        with connection() as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
