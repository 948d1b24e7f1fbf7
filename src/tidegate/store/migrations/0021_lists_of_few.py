"""What a list looks for among much: the words of a Feed's findings, and the Feeds that are left behind."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0020_feed_of_test")]
    operations: ClassVar = [
        migrations.AddIndex(
            model_name="findingwords", index=models.Index(fields=["feed_id"], name="finding_words_feed")
        ),
        migrations.AddIndex(
            model_name="feed",
            index=models.Index(condition=models.Q(behind=True), fields=["test"], name="feed_behind"),
        ),
    ]
