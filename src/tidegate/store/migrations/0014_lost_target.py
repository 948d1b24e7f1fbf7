"""A lost target is found by the Feeds that go; the text is in store/sql/schema."""

from typing import ClassVar

from django.db import migrations

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0013_lists")]
    operations: ClassVar = [migrations.RunSQL(sql("schema/0014_lost_target"))]
