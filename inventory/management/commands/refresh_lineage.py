"""manage.py refresh_lineage"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from inventory import lineage
from inventory.models import Glacier


class Command(BaseCommand):
    help = "Compute anew which outline of one date continues which of another, by overlap."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--glacier", action="append", metavar="GLAC_ID", help="only these (may be repeated)")
        parser.add_argument("--dry-run", action="store_true", help="count only")

    def handle(self, *args: Any, **options: Any) -> None:
        ids = None
        if options["glacier"]:
            known = dict(Glacier.objects.filter(glac_id__in=options["glacier"]).values_list("glac_id", "pk"))
            unknown = sorted(set(options["glacier"]) - set(known))
            if unknown:
                raise CommandError(f"no glacier is called {', '.join(unknown)} here")
            ids = list(known.values())
        with transaction.atomic():
            count = lineage.refresh(ids)
            transaction.set_rollback(options["dry_run"])
        self.stdout.write(f"{count} links{' would be' if options['dry_run'] else ''} written")
