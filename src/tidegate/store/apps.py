"""The one Django app: all tables are one graph of foreign keys and one transaction."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    name = "tidegate.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"
