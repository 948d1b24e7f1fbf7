"""What lists of a million findings sum up and begin with: kept; the text is in store/sql/schema."""

from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [("store", "0012_news_again")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="feed",
            name="behind",
            field=models.BooleanField(db_default=True, default=True),
        ),
        migrations.AddField(
            model_name="feed",
            name="first_finding",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="feed",
            name="open_findings",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="record",
            name="told",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Lower(
                    django.db.models.functions.text.Concat(
                        "name",
                        models.Value("\n", output_field=models.TextField()),
                        "parent",
                        models.Value("\n", output_field=models.TextField()),
                        "vendor_id",
                    )
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.CreateModel(
            name="ProductTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("severity", models.SmallIntegerField()),
                ("open", models.BooleanField()),
                ("active", models.BooleanField()),
                ("n", models.BigIntegerField()),
                (
                    "product",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.product",
                    ),
                ),
            ],
            options={"db_table": "product_tally"},
        ),
        migrations.RunSQL(sql("schema/0013_lists")),
    ]
