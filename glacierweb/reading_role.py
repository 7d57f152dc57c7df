"""The database role of public reads: made and given its rights after each migration, from DATABASE_READ_URL."""

from __future__ import annotations

from typing import Any

import environ
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from psycopg import sql

from glacierweb.reads import PUBLIC_APPS

HIDDEN = {"glacierweb_outbox"}
LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    "jit": "off",  # as in settings.database
}


def after_migration(**_: Any) -> None:
    """Django's post_migrate: new tables become readable as soon as they are there."""
    if not settings.DATABASE_READ_URL:
        return
    asked = environ.Env.db_url_config(settings.DATABASE_READ_URL)
    if asked["USER"] == connection.settings_dict["USER"]:
        raise ImproperlyConfigured("DATABASE_READ_URL names the user of DATABASE_URL: give it a user of its own")
    grant(asked["USER"], asked["PASSWORD"])


def public_tables() -> list[str]:
    """The tables that anybody may read through the API."""
    names = {model._meta.db_table for model in apps.get_models() if model._meta.app_label in PUBLIC_APPS}
    return sorted(names - HIDDEN)


def grant(role: str, password: str) -> None:
    """Give the role SELECT on the public tables and nothing else, and make it where we may make roles. Repeatable.

    Raises ImproperlyConfigured where it is missing and we may not make it.
    """
    name = sql.Identifier(role)
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
        (may_make_roles,) = cursor.fetchone()
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        exists = cursor.fetchone() is not None
        if may_make_roles:
            for statement in _made(name, password, "ALTER" if exists else "CREATE"):
                cursor.execute(statement)
        elif not exists:
            raise ImproperlyConfigured(
                f"the role {role} of DATABASE_READ_URL does not exist and the user of DATABASE_URL may not make it: "
                "make it as docs/operations.md says, or leave DATABASE_READ_URL empty"
            )
        cursor.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name))
        tables = sql.SQL(", ").join(map(sql.Identifier, public_tables()))
        cursor.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(tables, name))


def _made(name: sql.Identifier, password: str, verb: str) -> list[sql.Composed]:
    """CREATE or ALTER of the role, and the limits of its sessions."""
    rights = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    made = sql.SQL(f"{verb} ROLE {{}} LOGIN PASSWORD {{}} {rights}").format(name, sql.Literal(password))
    limits = [
        sql.SQL(f"ALTER ROLE {{}} SET {setting} = {{}}").format(name, sql.Literal(value))
        for setting, value in LIMITS.items()
    ]
    return [made, *limits, sql.SQL("REVOKE CREATE ON SCHEMA public FROM PUBLIC, {}").format(name)]
