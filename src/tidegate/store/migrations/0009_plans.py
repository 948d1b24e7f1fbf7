"""Indexes for what a million findings make slow: the lines of a step, and decisions that end."""

from typing import ClassVar

from django.db import migrations, models

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0008_provenance")]
    operations: ClassVar = [
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(
                name="decision_until", fields=["until"], condition=models.Q(until__isnull=False, field="verdict")
            ),
        ),
        migrations.RunSQL(sql("schema/0009_plans"), "DROP INDEX journal_step"),
    ]
