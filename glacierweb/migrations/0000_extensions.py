from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension, UnaccentExtension
from django.db import migrations


class Migration(migrations.Migration):
    """Equality inside exclusion constraints, search by fragments of a name, search without accents."""

    dependencies: list = []
    operations = [BtreeGistExtension(), TrigramExtension(), UnaccentExtension()]
