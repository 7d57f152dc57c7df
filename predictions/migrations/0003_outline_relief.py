from django.db import migrations, models


class Migration(migrations.Migration):
    """What ground a predicted outline lies on; unknown for those drawn before."""

    dependencies = [("predictions", "0002_geometry_guards")]

    operations = [
        migrations.AddField(
            model_name="predictedoutline",
            name="relief",
            field=models.JSONField(
                blank=True, help_text="Heights (m), slope and aspect (degrees), and the DEM.", null=True
            ),
        ),
    ]
