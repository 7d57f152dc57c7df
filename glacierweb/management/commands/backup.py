from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from tqdm import tqdm

from glacierweb import backups


class Command(BaseCommand):
    help = "Saves the database (pg_dump, custom format) and the media with a manifest of their SHA-256."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, metavar="FOLDER", help="where backups lie (default: BACKUP_ROOT)")
        parser.add_argument(
            "--media", choices=["link", "copy", "none"], default="link",
            help="keep the media as hard links (copies on another disk), as copies, or only list them",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="say what would be saved, write nothing")

    def handle(self, *args: object, to: Path | None, media: str, dry_run: bool, **options: object) -> None:
        target = (to or settings.BACKUP_ROOT).resolve()
        if target.is_relative_to(settings.DATA_ROOT):
            raise CommandError(f"{target} lies below DATA_ROOT and would save itself: choose another folder")
        files = list(backups.media_files(settings.DATA_ROOT))
        if dry_run:
            size_mb = sum(path.stat().st_size for path in files) / 1e6
            self.stdout.write(f"would save the database and {len(files)} media files ({size_mb:.0f} MB) below {target}")
            return
        try:
            with tqdm(total=len(files), unit="file", disable=None) as bar:
                made = backups.make(target, media, lambda name: bar.update())
        except (backups.BackupError, DatabaseError) as error:
            raise CommandError(str(error).splitlines()[0]) from None
        self.stdout.write(f"{made}")
