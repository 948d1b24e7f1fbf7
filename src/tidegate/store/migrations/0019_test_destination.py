"""Which Destination takes a Test is said once, by a view; the text is in store/sql/schema."""

from typing import ClassVar

from django.db import migrations

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0018_record_told")]
    operations: ClassVar = [migrations.RunSQL(sql("schema/0019_test_destination"))]
