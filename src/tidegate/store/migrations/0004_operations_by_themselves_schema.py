"""Cascades of the tables of 0003, and schedules for Connections that are there; the text is in store/sql/schema."""

from typing import ClassVar

from django.db import migrations

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0003_operations_by_themselves")]
    operations: ClassVar = [migrations.RunSQL(sql("schema/0006_operations_by_themselves"))]
