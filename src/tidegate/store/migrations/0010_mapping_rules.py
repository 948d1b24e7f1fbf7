"""Mapping rules of Connections, and suggestions that people turned down."""

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.constraints
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("store", "0009_plans"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="MappingRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.IntegerField()),
                ("field", models.TextField()),
                ("attribute", models.TextField(db_default="", default="")),
                ("pattern", models.TextField()),
                ("syntax", models.TextField()),
                ("case_matters", models.BooleanField(db_default=False, default=False)),
                ("answer", models.TextField()),
                ("product_name", models.TextField(db_default="", default="")),
                ("template", models.TextField(db_default="", default="")),
                ("because", models.TextField(db_default="", default="")),
                ("product_type", models.TextField(db_default="", default="")),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), db_default=[], default=list, size=None
                    ),
                ),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_by", models.TextField()),
                (
                    "connection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.connection",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.product",
                    ),
                ),
            ],
            options={
                "db_table": "mapping_rule",
                "constraints": [
                    models.UniqueConstraint(
                        deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                        fields=("connection", "position"),
                        name="mapping_rule_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("answer__in", ["product", "template", "ignore"]),
                            ("field__in", ["name", "parent", "attribute"]),
                            ("syntax__in", ["glob", "regex"]),
                        ),
                        name="mapping_rule_words",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RelinkDismissed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("by", models.TextField()),
                (
                    "candidate",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.record",
                    ),
                ),
                (
                    "missing",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.record",
                    ),
                ),
            ],
            options={
                "db_table": "relink_dismissed",
                "constraints": [models.UniqueConstraint(fields=("missing", "candidate"), name="relink_dismissed_pair")],
            },
        ),
        migrations.RunSQL(sql("schema/0010_mapping_rules")),
    ]
