from __future__ import annotations

import sys

from django.core.management.base import BaseCommand, CommandParser

from inventory.models import Glacier, Scene


class Command(BaseCommand):
    help = "Says whether the database holds nothing but, at most, simulated glaciers without a scene; else exit code 1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quiet", action="store_true")

    def handle(self, *args: object, quiet: bool, **options: object) -> None:
        # Simulated glaciers alone are a sample whose loading was cut short: it is to be loaded again.
        real = Glacier.objects.filter(simulated=False)
        empty = not (real.exists() or Scene.objects.exists())
        if not quiet:
            self.stdout.write("empty" if empty else "not empty")
        if not empty:
            sys.exit(1)
