"""The index of a Test's Feeds knows the first finding of each, where a list of the oldest begins."""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0019_test_destination")]
    operations: ClassVar = [
        migrations.AddIndex(
            model_name="feed", index=models.Index(fields=["test", "first_finding"], name="feed_of_test")
        ),
        migrations.AlterField(
            model_name="feed",
            name="test",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="store.test",
            ),
        ),
    ]
