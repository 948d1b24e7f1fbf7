"""Who comes in: people and service accounts, what they are granted, and their tokens."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Now

from .columns import reference


class UserManager(BaseUserManager["User"]):
    """Finds a user by the name they log in with, as it was typed or ignoring case."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(username__iexact=username)


class User(AbstractBaseUser):
    """A person, who may log in, or a service account, which only has tokens. What they may do is in their grants.

    Nobody is deleted, since history names them: `left_at` is set, and they may come back.
    """

    PERSON = "person"
    SERVICE = "service"

    username = models.TextField()
    email = models.TextField(default="", db_default="")
    kind = models.TextField(default=PERSON, db_default=PERSON)
    is_active = models.BooleanField(default=True, db_default=True)  # Django's and allauth's word for it
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.TextField()
    left_at = models.DateTimeField(null=True)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "tidegate_user"
        constraints: ClassVar = [
            models.UniqueConstraint(models.functions.Lower("username"), name="user_name"),
            models.CheckConstraint(name="user_kind", condition=models.Q(kind__in=["person", "service"])),
            models.CheckConstraint(
                name="user_who_left_is_not_active", condition=models.Q(left_at__isnull=True) | models.Q(is_active=False)
            ),
        ]

    def __str__(self) -> str:
        return self.username


class Token(models.Model):
    """What a script shows instead of a password. Only its SHA-256 is stored: 32 random bytes need no slow hash."""

    user_id: int
    user = reference("User")
    name = models.TextField()
    hash = models.BinaryField(unique=True)
    beginning = models.TextField()  # by which its owner recognises it
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.TextField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    last_used_from = models.TextField(default="", db_default="")
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.TextField(default="", db_default="")

    class Meta:
        db_table = "token"

    def __str__(self) -> str:
        return self.name


class RoleGrant(models.Model):
    """A role of a user, or the bound of a token, for everything or one Product Type, Product or Connection.

    It goes with what it is for: a role for one Product never becomes one for everything.
    """

    user_id: int | None
    user = reference("User", null=True)
    token_id: int | None
    token = reference("Token", null=True)
    role = models.TextField()
    scope = models.TextField()
    product_type_id: int | None
    product_type = reference("ProductType", null=True)
    product_id: int | None
    product = reference("Product", null=True)
    connection_id: int | None
    connection = reference("Connection", null=True)
    created_at = models.DateTimeField(db_default=Now())
    created_by = models.TextField()

    class Meta:
        db_table = "role_grant"
        constraints: ClassVar = [
            models.UniqueConstraint(
                name="role_grant_once",
                fields=["user", "token", "scope", "product_type", "product", "connection"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="role_grant_words",
                condition=models.Q(role__in=["reader", "mapper", "operator", "administrator"]),
            ),
            models.CheckConstraint(
                name="role_grant_of_one",
                condition=models.Q(user__isnull=False, token__isnull=True)
                | models.Q(user__isnull=True, token__isnull=False),
            ),
            models.CheckConstraint(
                name="role_grant_scope",
                condition=models.Q(
                    scope="everything", product_type__isnull=True, product__isnull=True, connection__isnull=True
                )
                | models.Q(
                    scope="product type", product_type__isnull=False, product__isnull=True, connection__isnull=True
                )
                | models.Q(scope="product", product_type__isnull=True, product__isnull=False, connection__isnull=True)
                | models.Q(
                    scope="connection", product_type__isnull=True, product__isnull=True, connection__isnull=False
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} for {self.scope}"
