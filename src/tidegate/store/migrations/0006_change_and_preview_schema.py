"""Foreign keys and triggers of what 0005 brings; the text is in store/sql/schema."""

from typing import ClassVar

from django.db import migrations

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0005_change_and_preview")]
    operations: ClassVar = [migrations.RunSQL(sql("schema/0007_change_and_preview"))]
