#!/usr/bin/env python3
"""Management commands: `manage.py help` lists them. Settings come from the environment, .env, or bin/services."""

import os
import sys
from pathlib import Path


def take_private_services() -> None:
    """On one machine the settings of bin/services are the defaults: a command needs no environment of its own.

    What the environment says counts first, then .env, then the private services.
    """
    import environ

    here = Path(__file__).resolve().parent
    for written in (here / ".env", Path(os.environ.get("GLACIERWEB_VAR") or here / "var") / "services.env"):
        if os.access(written, os.R_OK) and "DATABASE_URL" not in os.environ:
            environ.Env.read_env(written)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "glacierweb.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    take_private_services()
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"manage.py: {error}")
