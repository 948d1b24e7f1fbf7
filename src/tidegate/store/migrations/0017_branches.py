"""When a Branch was last there, and after how many days its findings close once it is not."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0016_delivered")]
    operations: ClassVar = [
        migrations.AddField("part", "listed_at", models.DateTimeField(null=True)),
        migrations.AddField("connection", "close_branches_after", models.SmallIntegerField(db_default=0, default=0)),
        migrations.AddConstraint(
            "connection",
            models.CheckConstraint(
                name="connection_close_branches_after",
                condition=models.Q(("close_branches_after__range", (0, 3650))),
            ),
        ),
    ]
