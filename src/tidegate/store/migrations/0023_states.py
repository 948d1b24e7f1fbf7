"""In which state the Records of each Connection are, kept; and Operations that wait or run, by an index of their own."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0022_emptied_in_numbers")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="RecordTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("state", models.TextField()),
                ("n", models.BigIntegerField()),
                (
                    "connection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.connection",
                    ),
                ),
            ],
            options={"db_table": "record_tally"},
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(
                condition=models.Q(status__in=["pending", "running"]),
                fields=["status", "id"],
                name="operation_under_way",
            ),
        ),
        migrations.RunSQL(sql("schema/0023_states")),
    ]
