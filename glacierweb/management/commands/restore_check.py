from __future__ import annotations

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from tqdm import tqdm

from glacierweb import backups

NAMED = 10


class Command(BaseCommand):
    help = "Restores a backup's dump into a scratch database, compares rows and media with its manifest, drops it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", type=Path, help="a folder that manage.py backup printed")

    def handle(self, *args: object, backup: Path, **options: object) -> None:
        try:
            manifest = backups.read_manifest(backup)
            with tqdm(total=len(manifest["media"]["files"]), unit="file", disable=None) as bar:
                wrong = backups.check_media(backup, manifest, lambda name: bar.update())
            wrong += backups.check_rows(backup, manifest)
        except (backups.BackupError, DatabaseError) as error:
            raise CommandError(str(error).splitlines()[0]) from None
        for sentence in wrong[:NAMED]:
            self.stderr.write(sentence)
        if wrong:
            raise CommandError(f"{backup} does not hold what its manifest says: {len(wrong)} differences")
        rows = manifest["database"]["rows"]
        self.stdout.write(
            f"{backup} can be restored: {sum(rows.values())} rows in {len(rows)} tables, "
            f"{len(manifest['media']['files'])} media files"
        )
