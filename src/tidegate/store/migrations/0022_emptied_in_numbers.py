"""Triggers look first whether there is anything to do, where very much goes at once; the text is in store/sql/schema."""

from typing import ClassVar

from django.db import migrations

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0021_lists_of_few")]
    operations: ClassVar = [migrations.RunSQL(sql("schema/0022_emptied_in_numbers"))]
