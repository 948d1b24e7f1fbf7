"""Cascades, triggers and checks that Django cannot say; the text is in store/sql/schema."""

from typing import ClassVar

from django.db import migrations

from tidegate.store.sql import sql

FILES = ("0001_cascades", "0002_target_lost", "0003_record_history", "0004_tally", "0005_finding_feed")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0001_initial")]
    operations: ClassVar = [migrations.RunSQL(sql(f"schema/{name}")) for name in FILES]
