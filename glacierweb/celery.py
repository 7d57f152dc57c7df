"""The Celery application, and the one way to hand work to the machine room: by name."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "glacierweb.settings")

app = Celery("glacierweb")
app.config_from_object("django.conf:settings", namespace="CELERY")
