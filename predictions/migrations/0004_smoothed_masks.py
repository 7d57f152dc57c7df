from django.db import migrations, models


class Migration(migrations.Migration):
    """Masks of scenes that were smoothed in time are products of their own."""

    dependencies = [("predictions", "0003_outline_relief")]

    operations = [
        migrations.AlterField(
            model_name="mask",
            name="product",
            field=models.CharField(
                choices=[
                    ("ice", "Ice"),
                    ("snow_ice", "Snow Ice"),
                    ("ice_days", "ice, scenes smoothed over days"),
                    ("ice_paper", "ice, scenes smoothed over 20 scenes"),
                ],
                default="ice",
                max_length=10,
            ),
        ),
    ]
