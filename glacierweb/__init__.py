"""The ground of the web half: settings, queue and runs."""

from glacierweb.celery import app as celery_app

__all__ = ["celery_app"]
