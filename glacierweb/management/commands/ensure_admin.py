from __future__ import annotations

import os
import secrets

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Creates the administrator `admin` where there is none, and prints the password once."

    def handle(self, *args: object, **options: object) -> None:
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        given = os.environ.get("GLACIERWEB_ADMIN_PASSWORD", "")
        password = given or secrets.token_urlsafe(12)
        users.create_superuser("admin", password=password)
        shown = "the one in GLACIERWEB_ADMIN_PASSWORD" if given else password
        self.stdout.write(f"administrator created: name admin, password {shown} (shown this once)")
