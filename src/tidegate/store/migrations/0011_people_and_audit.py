"""Users, what they are granted, their tokens; the audit log; answers to repeated requests; what files manage."""

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models

from tidegate.store.sql import sql


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("store", "0010_mapping_rules"),
    ]

    # Their tables name our users, and Django believes that these are made by an app's first migration.
    run_before: ClassVar = [
        ("account", "0001_initial"),
        ("mfa", "0001_initial"),
        ("socialaccount", "0001_initial"),
        ("usersessions", "0001_initial"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="connection",
            name="trigger_secret",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="route",
            name="signing_secret",
            field=models.BinaryField(null=True),
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("username", models.TextField()),
                ("email", models.TextField(db_default="", default="")),
                ("kind", models.TextField(db_default="person", default="person")),
                ("is_active", models.BooleanField(db_default=True, default=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by", models.TextField()),
                ("left_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "tidegate_user",
                "constraints": [
                    models.UniqueConstraint(django.db.models.functions.text.Lower("username"), name="user_name"),
                    models.CheckConstraint(condition=models.Q(("kind__in", ["person", "service"])), name="user_kind"),
                    models.CheckConstraint(
                        condition=models.Q(("left_at__isnull", True), ("is_active", False), _connector="OR"),
                        name="user_who_left_is_not_active",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor", models.TextField()),
                ("user_id", models.BigIntegerField(null=True)),
                ("through", models.TextField()),
                ("token", models.TextField(db_default="", default="")),
                ("address", models.TextField(db_default="", default="")),
                ("action", models.TextField()),
                ("outcome", models.TextField()),
                ("target", models.TextField(db_default="", default="")),
                (
                    "target_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), db_default=[], default=list, size=None
                    ),
                ),
                ("facts", models.JSONField(db_default={}, default=dict)),
            ],
            options={
                "db_table": "audit_line",
                "indexes": [models.Index(fields=["actor", "id"], name="audit_line_of_actor")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["begun", "done", "forbidden"])), name="audit_line_outcome"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Managed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.TextField()),
                ("thing_id", models.BigIntegerField()),
                ("source", models.TextField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("by", models.TextField()),
            ],
            options={
                "db_table": "managed",
                "constraints": [models.UniqueConstraint(fields=("kind", "thing_id"), name="managed_once")],
            },
        ),
        migrations.CreateModel(
            name="Token",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("hash", models.BinaryField(unique=True)),
                ("beginning", models.TextField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by", models.TextField()),
                ("expires_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(null=True)),
                ("last_used_from", models.TextField(db_default="", default="")),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revoked_by", models.TextField(db_default="", default="")),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.user",
                    ),
                ),
            ],
            options={
                "db_table": "token",
            },
        ),
        migrations.CreateModel(
            name="AnsweredRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key_hash", models.BinaryField()),
                ("request_hash", models.BinaryField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("status", models.SmallIntegerField(null=True)),
                ("headers", models.JSONField(db_default={}, default=dict)),
                ("body", models.BinaryField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.user",
                    ),
                ),
            ],
            options={
                "db_table": "answered_request",
                "indexes": [models.Index(fields=["at"], name="answered_request_old")],
                "constraints": [models.UniqueConstraint(fields=("user", "key_hash"), name="answered_request_once")],
            },
        ),
        migrations.CreateModel(
            name="RoleGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.TextField()),
                ("scope", models.TextField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by", models.TextField()),
                (
                    "connection",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
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
                (
                    "product_type",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.producttype",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.user",
                    ),
                ),
                (
                    "token",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="store.token",
                    ),
                ),
            ],
            options={
                "db_table": "role_grant",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "token", "scope", "product_type", "product", "connection"),
                        name="role_grant_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role__in", ["reader", "mapper", "operator", "administrator"])),
                        name="role_grant_words",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("token__isnull", True), ("user__isnull", False)),
                            models.Q(("token__isnull", False), ("user__isnull", True)),
                            _connector="OR",
                        ),
                        name="role_grant_of_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("connection__isnull", True),
                                ("product__isnull", True),
                                ("product_type__isnull", True),
                                ("scope", "everything"),
                            ),
                            models.Q(
                                ("connection__isnull", True),
                                ("product__isnull", True),
                                ("product_type__isnull", False),
                                ("scope", "product type"),
                            ),
                            models.Q(
                                ("connection__isnull", True),
                                ("product__isnull", False),
                                ("product_type__isnull", True),
                                ("scope", "product"),
                            ),
                            models.Q(
                                ("connection__isnull", False),
                                ("product__isnull", True),
                                ("product_type__isnull", True),
                                ("scope", "connection"),
                            ),
                            _connector="OR",
                        ),
                        name="role_grant_scope",
                    ),
                ],
            },
        ),
        migrations.RunSQL(sql("schema/0011_people_and_audit")),
    ]
