"""What was delivered where; Operations that deliver. Foreign keys are in store/sql/schema."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0015_destinations"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeliveredFinding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("finding_id", models.BigIntegerField()),
                ("version", models.BigIntegerField()),
                ("their_id", models.BigIntegerField(null=True)),
                ("gone", models.BooleanField(db_default=False, default=False)),
                ("written", models.BinaryField()),
                ("seen", models.JSONField()),
                ("meant", models.JSONField(null=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "delivered_finding",
            },
        ),
        migrations.CreateModel(
            name="DeliveredProduct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mark", models.UUIDField(default=uuid.uuid4)),
                ("name", models.TextField(db_default="", default="")),
                ("their_id", models.BigIntegerField(null=True)),
                ("their_engagement", models.BigIntegerField(null=True)),
                ("how", models.TextField(db_default="made", default="made")),
                ("by", models.TextField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("simple_acceptance", models.BooleanField(db_default=False, default=False)),
            ],
            options={
                "db_table": "delivered_product",
            },
        ),
        migrations.CreateModel(
            name="DeliveredTest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("their_id", models.BigIntegerField(null=True)),
                ("title", models.TextField(db_default="", default="")),
                ("pending", models.TextField(db_default="", default="")),
                ("pending_at", models.DateTimeField(null=True)),
                ("build", models.TextField(db_default="", default="")),
                ("top", models.BigIntegerField(db_default=0, default=0)),
                ("newest", models.TextField(db_default="", default="")),
                ("number", models.BigIntegerField(db_default=0, default=0)),
                ("read_at", models.DateTimeField(null=True)),
                ("lost_at", models.DateTimeField(null=True)),
                ("lost", models.TextField(db_default="", default="")),
                ("left", models.TextField(db_default="", default="")),
            ],
            options={
                "db_table": "delivered_test",
            },
        ),
        migrations.RemoveConstraint(
            model_name="operation",
            name="operation_type",
        ),
        migrations.AddField(
            model_name="operation",
            name="destination",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="store.destination",
            ),
        ),
        migrations.AddConstraint(
            model_name="operation",
            constraint=models.CheckConstraint(
                condition=models.Q(("type__in", ["discover", "sync", "change", "deliver"])), name="operation_type"
            ),
        ),
        migrations.AddConstraint(
            model_name="operation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("destination__isnull", False), ("type", "deliver")),
                    models.Q(models.Q(("type", "deliver"), _negated=True), ("destination__isnull", True)),
                    _connector="OR",
                ),
                name="operation_deliver_has_a_destination",
            ),
        ),
        migrations.AddConstraint(
            model_name="operation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "running"), ("type", "deliver")),
                fields=("destination",),
                name="operation_one_delivering",
            ),
        ),
        migrations.AddConstraint(
            model_name="operation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "pending"), ("type", "deliver")),
                fields=("destination", "connection", "preview"),
                name="operation_one_to_deliver",
            ),
        ),
        migrations.AddField(
            model_name="deliveredproduct",
            name="destination",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="store.destination",
            ),
        ),
        migrations.AddField(
            model_name="deliveredproduct",
            name="product",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="store.product",
            ),
        ),
        migrations.AddField(
            model_name="deliveredtest",
            name="destination",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="store.destination",
            ),
        ),
        migrations.AddField(
            model_name="deliveredtest",
            name="test",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="store.test",
            ),
        ),
        migrations.AddField(
            model_name="deliveredfinding",
            name="delivered_test",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="store.deliveredtest",
            ),
        ),
        migrations.AddConstraint(
            model_name="deliveredproduct",
            constraint=models.UniqueConstraint(fields=("product", "destination"), name="delivered_product_once"),
        ),
        migrations.AddConstraint(
            model_name="deliveredproduct",
            constraint=models.UniqueConstraint(fields=("destination", "their_id"), name="delivered_product_theirs"),
        ),
        migrations.AddConstraint(
            model_name="deliveredproduct",
            constraint=models.CheckConstraint(
                condition=models.Q(("how__in", ["made", "joined"])), name="delivered_product_how"
            ),
        ),
        migrations.AddConstraint(
            model_name="deliveredtest",
            constraint=models.UniqueConstraint(fields=("test", "destination"), name="delivered_test_once"),
        ),
        migrations.AddConstraint(
            model_name="deliveredtest",
            constraint=models.UniqueConstraint(fields=("destination", "their_id"), name="delivered_test_theirs"),
        ),
        migrations.AddIndex(
            model_name="deliveredfinding",
            index=models.Index(fields=["finding_id"], name="delivered_finding_of"),
        ),
        migrations.AddConstraint(
            model_name="deliveredfinding",
            constraint=models.UniqueConstraint(fields=("delivered_test", "finding_id"), name="delivered_finding_once"),
        ),
        migrations.AddConstraint(
            model_name="deliveredfinding",
            constraint=models.UniqueConstraint(fields=("delivered_test", "their_id"), name="delivered_finding_theirs"),
        ),
        migrations.RunSQL(sql("schema/0016_delivered")),
    ]
