"""A backup can be restored, and restore_check says so only when that is true; on the real PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from glacierweb.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def backup(data_root, tmp_path, capsys) -> Path:
    """A backup of three runs and two files."""
    for number in range(3):
        Run.objects.create(kind="segment", queue="gpu", params={"scene": number})
    for name in ("masks/a.tif", "scenes/b.tif", "scratch/unfinished.tif"):
        (data_root / name).parent.mkdir(exist_ok=True)
        (data_root / name).write_bytes(name.encode())
    call_command("backup", to=tmp_path / "backups")
    return Path(capsys.readouterr().out.strip())


def manifest_of(backup: Path) -> dict:
    return json.loads((backup / "manifest.json").read_text())


def databases() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("select datname from pg_database where datname like 'restore_check_%%'")
        return {name for (name,) in cursor.fetchall()}


def test_a_backup_holds_rows_files_and_a_manifest_of_both(backup):
    manifest = manifest_of(backup)
    assert manifest["database"]["rows"]["glacierweb_run"] == 3
    assert [one["path"] for one in manifest["media"]["files"]] == ["masks/a.tif", "scenes/b.tif"]
    assert (backup / "media/scenes/b.tif").read_bytes() == b"scenes/b.tif"
    assert [path.name for path in backup.parent.iterdir()] == [backup.name], "nothing half-written beside it"


def test_a_sound_backup_passes_and_leaves_no_scratch_database(backup, capsys):
    call_command("restore_check", backup)
    assert "can be restored" in capsys.readouterr().out
    assert databases() == set()


def test_a_backup_outlives_the_rows_and_files_that_it_saved(backup, data_root):
    Run.objects.all().delete()
    (data_root / "masks/a.tif").unlink()
    call_command("restore_check", backup)


def test_a_row_too_few_is_named(backup, capsys):
    manifest = manifest_of(backup)
    manifest["database"]["rows"]["glacierweb_run"] = 4
    (backup / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CommandError, match="1 differences"):
        call_command("restore_check", backup)
    assert "table glacierweb_run: 3 rows restored, 4 in the manifest" in capsys.readouterr().err
    assert databases() == set()


def test_a_changed_and_a_missing_file_are_named(backup, capsys):
    (backup / "media/masks/a.tif").unlink()
    (backup / "media/scenes/b.tif").unlink()
    (backup / "media/scenes/b.tif").write_bytes(b"something else")
    with pytest.raises(CommandError, match="2 differences"):
        call_command("restore_check", backup)
    told = capsys.readouterr().err
    assert "masks/a.tif is missing" in told
    assert "scenes/b.tif is changed" in told


def test_a_damaged_dump_is_refused_before_it_is_restored(backup, capsys):
    dump = (backup / "database.dump").read_bytes()
    (backup / "database.dump").write_bytes(dump[:-10])
    with pytest.raises(CommandError):
        call_command("restore_check", backup)
    assert "database.dump is damaged" in capsys.readouterr().err


def test_without_copies_the_media_in_place_are_checked(backup, data_root, tmp_path, capsys):
    call_command("backup", to=tmp_path / "listed", media="none")
    listed = Path(capsys.readouterr().out.strip())
    assert not (listed / "media").exists()
    call_command("restore_check", listed)
    (data_root / "masks/a.tif").write_bytes(b"overwritten")
    with pytest.raises(CommandError, match="1 differences"):
        call_command("restore_check", listed)


def test_copies_do_not_share_their_bytes_with_the_media(backup, data_root, tmp_path, capsys):
    call_command("backup", to=tmp_path / "copied", media="copy")
    copied = Path(capsys.readouterr().out.strip())
    assert (copied / "media/masks/a.tif").stat().st_ino != (data_root / "masks/a.tif").stat().st_ino
    assert (backup / "media/masks/a.tif").stat().st_ino == (data_root / "masks/a.tif").stat().st_ino


def test_a_dry_run_writes_nothing(data_root, tmp_path):
    call_command("backup", to=tmp_path / "backups", dry_run=True)
    assert not (tmp_path / "backups").exists()


def test_a_backup_into_what_it_saves_is_refused(data_root):
    with pytest.raises(CommandError, match="would save itself"):
        call_command("backup", to=data_root / "backups")


def test_a_failing_dump_leaves_nothing_behind(data_root, tmp_path, monkeypatch):
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "pg_dump").write_text("#!/bin/sh\necho disk full >&2\nexit 1\n")
    (fake / "pg_dump").chmod(0o755)
    monkeypatch.setenv("POSTGRES_BIN", str(fake))
    with pytest.raises(CommandError, match="pg_dump failed: disk full"):
        call_command("backup", to=tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"holds no manifest\.json"):
        call_command("restore_check", tmp_path)


def test_a_database_user_who_may_not_create_databases_is_told_in_one_line(backup, monkeypatch):
    from django.db import ProgrammingError

    from glacierweb import backups

    def refused():
        raise ProgrammingError("permission denied to create database\nHINT: ask an administrator")

    monkeypatch.setattr(backups, "scratch_database", refused)
    with pytest.raises(CommandError, match=r"^permission denied to create database$"):
        call_command("restore_check", backup)
