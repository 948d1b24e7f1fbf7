"""New Records by name; the text is in store/sql/schema."""

from typing import ClassVar

from django.db import migrations

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0023_states")]
    operations: ClassVar = [migrations.RunSQL(sql("schema/0024_new_by_name"))]
