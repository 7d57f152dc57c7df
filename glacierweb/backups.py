"""A backup is a folder: the database as PostgreSQL dumps it, the media files, and a manifest that knows them all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from glacierweb import paths

DUMP, MANIFEST, MEDIA = "database.dump", "manifest.json", "media"
LEFT_OUT = ("scratch",)
"""Folders below DATA_ROOT that hold only unfinished files."""
Report = Callable[[str], None]


class BackupError(Exception):
    """What could not be saved or does not agree, in one sentence."""


def program(name: str) -> str:
    """pg_dump or pg_restore: beside the private cluster's programs, on the path, or where Debian puts them."""
    folders = [os.environ.get("POSTGRES_BIN", ""), *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")))[::-1]]
    found = shutil.which(name, path=folders[0] or None) or shutil.which(name, path=os.pathsep.join(folders[1:]))
    if not found:
        raise BackupError(f"{name} is missing: install postgresql-client of the server's version")
    return found


def run(name: str, *arguments: str) -> None:
    """Start a PostgreSQL program against our server; BackupError with its last words when it fails."""
    given = connection.settings_dict
    environment = {
        **os.environ,
        "PGHOST": given["HOST"] or "localhost",
        "PGPORT": str(given["PORT"] or 5432),
        "PGUSER": given["USER"],
        "PGPASSWORD": given["PASSWORD"],
    }
    done = subprocess.run([program(name), *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise BackupError(f"{name} failed: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}")


def count_rows(there: Any) -> dict[str, int]:
    """Rows of every table of ours in the database at the other end of a connection."""
    with there.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = 'public' order by tablename")
        names = [name for (name,) in cursor.fetchall() if name != "spatial_ref_sys"]
        found = {}
        for name in names:
            cursor.execute(f"select count(*) from {there.ops.quote_name(name)}")  # noqa: S608 - a table's own name
            found[name] = cursor.fetchone()[0]
        return found


def dump_database(target: Path) -> dict[str, Any]:
    """Write a custom-format dump; the rows are counted in the very snapshot that is dumped."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read")
        cursor.execute("select pg_export_snapshot(), current_setting('server_version'), postgis_lib_version()")
        snapshot, server, postgis = cursor.fetchone()
        rows = count_rows(connection)
        name = connection.settings_dict["NAME"]
        whole = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
        run("pg_dump", *whole, f"--file={target}", f"--dbname={name}")
    return {"name": name, "server_version": server, "postgis": postgis, "rows": rows, **facts(target)}


def facts(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file."""
    with path.open("rb") as stream:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def media_files(root: Path) -> Iterator[Path]:
    """Every finished file below DATA_ROOT, in order."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.relative_to(root).parts[0] not in LEFT_OUT:
            yield path


def keep(source: Path, target: Path, how: str) -> None:
    """Keep one media file: `link` (a copy where the disks differ), `copy` or `none`."""
    if how == "none":
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if how == "link":
        try:
            target.hardlink_to(source)
            return
        except OSError:  # another disk, or one without hard links
            pass
    shutil.copy2(source, target)


def save_media(folder: Path, how: str, report: Report) -> list[dict[str, Any]]:
    """Keep the media and list them; a file that a run replaces meanwhile is listed as it was kept."""
    listed = []
    for path in media_files(settings.DATA_ROOT):
        relative = path.relative_to(settings.DATA_ROOT)
        report(str(relative))
        try:
            keep(path, folder / MEDIA / relative, how)
            listed.append({"path": str(relative), **facts(path if how == "none" else folder / MEDIA / relative)})
        except FileNotFoundError:  # removed since it was found: no row of the dump can name it
            continue
    return listed


def make(to: Path, how: str, report: Report) -> Path:
    """Write a whole backup below `to`; it appears under its name only when it is complete."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    final, part = to / f"glacierweb-{stamp}", to / f".glacierweb-{stamp}.part"
    try:
        part.mkdir(parents=True)
        database = dump_database(part / DUMP)
        media = {"root": str(settings.DATA_ROOT), "kept": how, "files": save_media(part, how, report)}
        text = json.dumps({"version": 1, "created": stamp, "database": database, "media": media}, indent=1)
        with (part / MANIFEST).open("w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.rename(final)
        paths.sync_folder(to)
    except OSError as error:
        raise BackupError(f"cannot write {final}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return final


def read_manifest(backup: Path) -> dict[str, Any]:
    """The manifest of a backup; BackupError where there is none or it is damaged."""
    try:
        return json.loads((backup / MANIFEST).read_text())
    except FileNotFoundError:
        raise BackupError(f"{backup} holds no {MANIFEST}: give the folder that manage.py backup printed") from None
    except ValueError:
        raise BackupError(f"{backup / MANIFEST} is damaged: it is not JSON") from None


@contextmanager
def scratch_database() -> Iterator[str]:
    """An empty database beside ours, dropped at the end whatever happens."""
    name = f"restore_check_{os.urandom(6).hex()}"
    quoted = connection.ops.quote_name(name)
    with connection.cursor() as cursor:
        cursor.execute(f"create database {quoted} template template0")
    try:
        yield name
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"drop database {quoted} with (force)")


def restored_rows(backup: Path) -> dict[str, int]:
    """Restore the dump into a scratch database and count its rows."""
    with scratch_database() as name:
        run("pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={name}", str(backup / DUMP))
        there = connection.copy()
        there.settings_dict = {**connection.settings_dict, "NAME": name}
        try:
            return count_rows(there)
        finally:
            there.close()


def check_rows(backup: Path, manifest: dict[str, Any]) -> list[str]:
    """What is wrong with the dump: its bytes, or the rows that come out of it."""
    wanted = manifest["database"]
    if not (backup / DUMP).is_file():
        return [f"{DUMP} is missing"]
    if facts(backup / DUMP)["sha256"] != wanted["sha256"]:
        return [f"{DUMP} is damaged: its SHA-256 is not the manifest's"]
    found = restored_rows(backup)
    return [
        f"table {name}: {found.get(name, 'absent')} rows restored, {wanted['rows'].get(name, 'none')} in the manifest"
        for name in sorted(found.keys() | wanted["rows"].keys())
        if found.get(name) != wanted["rows"].get(name)
    ]


def check_media(backup: Path, manifest: dict[str, Any], report: Report) -> list[str]:
    """Media files that are missing or changed: in the backup, or below DATA_ROOT where it kept none."""
    media = manifest["media"]
    root = settings.DATA_ROOT if media["kept"] == "none" else backup / MEDIA
    wrong = []
    for listed in media["files"]:
        report(listed["path"])
        path = root / listed["path"]
        if not path.is_file():
            wrong.append(f"{listed['path']} is missing below {root}")
        elif facts(path)["sha256"] != listed["sha256"]:
            wrong.append(f"{listed['path']} is changed below {root}: its SHA-256 is not the manifest's")
    return wrong
