"""What a search for Records looks through lies beside them; the text is in store/sql/schema."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0017_branches")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="RecordTold",
            fields=[
                (
                    "record",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="told",
                        serialize=False,
                        to="store.record",
                    ),
                ),
                ("text", models.TextField()),
            ],
            options={"db_table": "record_told"},
        ),
        migrations.RemoveField("record", "told"),
        migrations.RunSQL(sql("schema/0018_record_told")),
    ]
