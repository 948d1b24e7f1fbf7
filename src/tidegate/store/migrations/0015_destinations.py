"""Where findings are delivered to, and which of them go where."""

from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("store", "0014_lost_target"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Destination",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField(unique=True)),
                ("kind", models.TextField(db_default="defectdojo", default="defectdojo")),
                ("settings", models.JSONField(default=dict)),
                ("secrets", models.BinaryField()),
                ("product_type", models.TextField(db_default="", default="")),
                ("engagement_name", models.TextField(db_default="Global Connectors", default="Global Connectors")),
                ("join_products", models.TextField(db_default="ask", default="ask")),
                ("writes_per_minute", models.IntegerField(db_default=120, default=120)),
                ("version", models.TextField(db_default="", default="")),
                ("checked_at", models.DateTimeField(null=True)),
                ("off_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by", models.TextField()),
            ],
            options={
                "db_table": "destination",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("join_products__in", ["ask", "same name"]), ("kind", "defectdojo")),
                        name="destination_words",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("writes_per_minute__range", (1, 6000))),
                        name="destination_writes_per_minute",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DestinationRoute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by", models.TextField()),
                (
                    "connection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.connection",
                    ),
                ),
                (
                    "destination",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.destination",
                    ),
                ),
                (
                    "product_type",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.producttype",
                    ),
                ),
            ],
            options={
                "db_table": "destination_route",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("connection", "product_type"), name="destination_route_once", nulls_distinct=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("connection__isnull", True), ("product_type__isnull", True), _connector="OR"
                        ),
                        name="destination_route_of_one",
                    ),
                ],
            },
        ),
        migrations.RunSQL(sql("schema/0015_destinations")),
    ]
