from django.db import migrations

# As for the inventory's outlines: the database refuses broken geometry by itself, and coordinates do not compress.
GUARD = """
ALTER TABLE predictions_predictedoutline ADD CONSTRAINT predictions_predictedoutline_geometry_sound CHECK (
    ST_IsValid(geometry) AND NOT ST_IsEmpty(geometry) AND ST_SRID(geometry) = 4326
    AND ST_XMin(geometry) >= -180 AND ST_XMax(geometry) <= 180
    AND ST_YMin(geometry) >= -90 AND ST_YMax(geometry) <= 90
)
"""


class Migration(migrations.Migration):
    """The database keeps predicted geometry sound by itself."""

    dependencies = [("predictions", "0001_initial")]
    operations = [
        migrations.RunSQL(
            GUARD,
            "ALTER TABLE predictions_predictedoutline DROP CONSTRAINT predictions_predictedoutline_geometry_sound",
        ),
        migrations.RunSQL(
            "ALTER TABLE predictions_predictedoutline ALTER COLUMN geometry SET STORAGE EXTERNAL",
            migrations.RunSQL.noop,
        ),
    ]
