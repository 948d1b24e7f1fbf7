"""How words are made, the indexes of lists, and what came through each Connection; the text is in store/sql/schema."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0006_change_and_preview_schema")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="ConnectionTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("severity", models.SmallIntegerField()),
                ("open", models.BooleanField()),
                ("active", models.BooleanField()),
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
            options={"db_table": "connection_tally"},
        ),
        migrations.RunSQL(sql("schema/0008_search")),
    ]
