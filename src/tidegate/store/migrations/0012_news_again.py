"""When a person had news sent again."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("store", "0011_people_and_audit"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="delivery",
            name="again_at",
            field=models.DateTimeField(null=True),
        ),
    ]
