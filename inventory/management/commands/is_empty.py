from __future__ import annotations

import sys

from django.core.management.base import BaseCommand, CommandParser

from inventory.models import Glacier, Scene


class Command(BaseCommand):
    help = "Says whether the database holds no glacier and no scene; exit code 1 when it holds some."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true")

    def handle(self, *args: object, quiet: bool, **options: object) -> None:
        empty = not (Glacier.objects.exists() or Scene.objects.exists())
        if not quiet:
            self.stdout.write("empty" if empty else "not empty")
        if not empty:
            sys.exit(1)
