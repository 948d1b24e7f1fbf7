"""Where Feeds went, how far retention went, and Operations that go without a look through all Records."""

from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0007_search")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="Mark",
            fields=[
                ("name", models.TextField(primary_key=True, serialize=False)),
                ("reached", models.BigIntegerField(db_default=0, default=0)),
                ("begun_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("forgotten_until", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "retention_mark",
            },
        ),
        migrations.CreateModel(
            name="FeedMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor", models.TextField()),
                ("operation", models.BigIntegerField(null=True)),
                ("step", models.UUIDField(null=True)),
                ("left", models.TextField()),
                ("went_to", models.TextField()),
                (
                    "feed",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.feed",
                    ),
                ),
            ],
            options={
                "db_table": "feed_move",
            },
        ),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(condition=models.Q(("preview", True)), fields=["id"], name="operation_previews"),
        ),
        migrations.RunSQL(sql("schema/0008_provenance")),
    ]
